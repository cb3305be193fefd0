"""Watching queues: hints to look, from one observer for all of them.

An event is never the news itself: the kernel drops events when they come faster
than they are read. A hint says that something changed, what was seen of it, and
whether that is all. Where no events can be had, the folders' times are polled.

watchdog's inotify reader is used below its emitters: those hold every rename back
to pair it, up to half a second, and tell nobody of lost events.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyFD, Mask

from qtool.queues.listening import Listened, Listener

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watchdog.observers.inotify_c import InotifyEvent, WatchDescriptor

    from qtool.queues.switchboard import Hint

_log = logging.getLogger("qtool.queues")

_MASK = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
)
_ARRIVES = InotifyConstants.IN_CREATE | InotifyConstants.IN_MOVED_TO
_GONE = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF

_TICKS_PER_POLL = 4
"""A change without events is noticed after two ticks: the event may be on its way."""
_MISSING_SECONDS = 0.1
"""How often a folder that is missing is looked for: the first message makes it."""
_URGENT_SECONDS = 0.005
"""Quiet time after a hint for arrivals that somebody waits for."""


class _Folder(Listened):
    """One watched folder; watchdog's thread calls its ``on_...`` methods."""

    def __init__(self, path: str, lost: Callable[[], None]) -> None:
        super().__init__(path)
        self.descriptor: WatchDescriptor | None = None
        """Of the kernel's watch; None while the folder is polled."""
        self._lost = lost

    @property
    def id(self) -> CallbackId:
        """What watchdog tells several callbacks of one folder apart by."""
        return CallbackId(id(self))

    def on_event(self, event: InotifyEvent) -> None:
        """Count one event and hint at it."""
        self.saw_event = True
        mask, name = event.mask, event.name
        if name.endswith(b".tmp"):
            return  # being written: no news yet, and the rename must come through
        if mask & _GONE:
            self._lost()
            return
        arrived = departed = 0
        if mask & _ARRIVES and name.endswith(b".pck"):
            arrived = 1
        elif mask & InotifyConstants.IN_DELETE and name.endswith(b".bak"):
            departed = 1
        for listener in self.listeners:
            listener.note(arrived, departed)

    def on_queue_overflow(self) -> None:
        """Hint that events were lost."""
        self.hint_uncounted()

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Have somebody look why the kernel's watch has ended."""
        if self.descriptor == wd:
            self.descriptor = None
            self._lost()


class Watcher:
    """Watches any number of folders with one observer.

    Callbacks come from one of the watcher's threads and must return at once.

    Args:
        poll_seconds: How long a change may go unnoticed where there are no events.
        quiet_seconds: After a hint, how long others are held back and put together.
    """

    def __init__(self, poll_seconds: float = 2.0, quiet_seconds: float = 0.05) -> None:
        self._tick = poll_seconds / _TICKS_PER_POLL
        self._quiet = quiet_seconds
        self._lock = threading.RLock()
        self._folders: dict[str, _Folder] = {}
        self._observer: InotifyFD | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Condition()
        self._due: dict[Listener, float] = {}
        self._look_now = False
        self._complaints: set[str] = set()
        self._closed = False

    @property
    def polled(self) -> frozenset[str]:
        """Folders, by the names they are watched by, whose changes make no events."""
        none = not self._is_observing()
        with self._lock:
            folders = self._folders.values()
            return frozenset(
                f.path for f in folders if none or (f.exists and f.descriptor is None)
            )

    def watch(
        self,
        directory: str | Path,
        callback: Callable[[Hint], None],
        *,
        urgent: bool = False,
    ) -> Callable[[], None]:
        """Call ``callback`` on changes in a folder; return how to stop it.

        The folder need not exist yet.

        Args:
            directory: The folder.
            callback: Must return at once.
            urgent: Hint at arrivals within milliseconds of each other, too.
        """
        path = os.fspath(directory)
        urgent_seconds = min(_URGENT_SECONDS, self._quiet) if urgent else self._quiet
        listener = Listener(callback, self._quiet, urgent_seconds, self._schedule)
        with self._lock:
            if self._closed:
                return listener.end
            self._start()
            folder = self._folders.get(path)
            if folder is None:
                folder = self._folders[path] = _Folder(path, self._look_soon)
                folder.look(has_events=False)
                self._attach(folder)
            folder.listeners = (*folder.listeners, listener)
            if not folder.exists:
                self._look_soon()
        return lambda: self._stop_listening(folder, listener)

    def close(self) -> None:
        """Stop everything; no callback comes after this returns."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        with self._lock:
            for folder in self._folders.values():
                folder.listeners = ()
            self._folders.clear()
            thread, self._thread = self._thread, None
            observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
        for ending in (thread, observer):
            if ending is not None and ending is not threading.current_thread():
                ending.join()

    def _stop_listening(self, folder: _Folder, listener: Listener) -> None:
        with self._lock:
            listener.end()
            with self._wake:
                self._due.pop(listener, None)
            folder.listeners = tuple(one for one in folder.listeners if one != listener)
            if not folder.listeners and self._folders.get(folder.path) is folder:
                del self._folders[folder.path]
                self._detach(folder)

    # --- The observer

    def _start(self) -> None:
        if self._thread is None:
            self._start_observer()
            self._thread = threading.Thread(
                target=self._run, name="qtool-watch", daemon=True
            )
            self._thread.start()

    def _is_observing(self) -> bool:
        seen = self._observer
        return seen is not None and seen.is_alive() and seen.should_keep_running()

    def _attach(self, folder: _Folder) -> None:
        if self._observer is None or not folder.exists:
            return
        try:
            descriptor = self._observer.add_callback(
                os.fsencode(folder.path), _MASK, folder, folder.id
            )
        except OSError as error:
            self._complain(folder.path, error)
        else:
            # watchdog does not raise where the folder may not be read.
            folder.descriptor = descriptor if descriptor != -1 else None

    def _detach(self, folder: _Folder) -> None:
        descriptor, folder.descriptor = folder.descriptor, None
        if descriptor is not None and self._observer is not None:
            self._observer.remove_callbacks([(descriptor, folder.id)])

    # --- The watcher's own thread

    def _schedule(self, listener: Listener, due: float) -> None:
        """Have a listener's hint delivered at ``due``, on the monotonic clock."""
        with self._wake:
            if not self._closed:
                self._due[listener] = min(due, self._due.get(listener, due))
                self._wake.notify()

    def _look_soon(self) -> None:
        with self._wake:
            self._look_now = True
            self._wake.notify()

    def _run(self) -> None:
        next_look = time.monotonic() + self._tick
        while True:
            with self._wake:
                until = min(self._due.values(), default=next_look)
                seconds = min(until, next_look) - time.monotonic()
                if seconds > 0 and not self._closed and not self._look_now:
                    self._wake.wait(seconds)
                if self._closed:
                    return
                now = time.monotonic()
                due = [one for one, when in self._due.items() if when <= now]
                for listener in due:
                    del self._due[listener]
                look_now, self._look_now = self._look_now, False
            for listener in due:
                listener.deliver()
            if look_now or now >= next_look:
                next_look = time.monotonic() + self._look()

    def _look(self) -> float:
        """Look at every folder, and bring lost events back where possible.

        Return after how many seconds to look again.
        """
        with self._lock:
            if not self._closed and not self._is_observing():
                self._renew_observer()
            stale = [f for f in self._folders.values() if self._is_stale(f)]
            all_exist = all(folder.exists for folder in self._folders.values())
        for folder in stale:
            folder.hint_uncounted()
        return self._tick if all_exist else min(self._tick, _MISSING_SECONDS)

    def _is_stale(self, folder: _Folder) -> bool:
        """Return whether a folder may have changed unseen; mend how it is watched."""
        look = folder.look(has_events=folder.descriptor is not None)
        if look.is_other:
            self._detach(folder)
        lacked_events = folder.descriptor is None
        if lacked_events:
            self._attach(folder)
        regained_events = lacked_events and folder.descriptor is not None
        return look.is_other or look.missed or regained_events

    def _renew_observer(self) -> None:
        old, self._observer = self._observer, None
        for folder in self._folders.values():
            folder.descriptor = None
        if old is not None:
            old.stop()
        self._start_observer()

    def _start_observer(self) -> None:
        try:
            observer = InotifyFD()
        except OSError as error:
            self._complain("queues", error)
        else:
            observer.start()
            self._observer = observer

    def _complain(self, what: str, error: OSError) -> None:
        """Say once why something is polled; it is tried again at every look."""
        if what not in self._complaints:
            self._complaints.add(what)
            _log.warning("%s: polled, for there are no events: %s", what, error)
