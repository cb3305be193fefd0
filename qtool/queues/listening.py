"""Putting hints together: the first acts at once, the next after a quiet time."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from qtool.queues.switchboard import Hint

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("qtool.queues")


class Listener:
    """Somebody who wants hints about one queue.

    Args:
        callback: Gets the hints.
        quiet_seconds: How long after a hint the next may come.
        urgent_seconds: The same where something arrived.
        schedule: Calls ``deliver`` at a time of the monotonic clock.
    """

    def __init__(
        self,
        callback: Callable[[Hint], None],
        quiet_seconds: float,
        urgent_seconds: float,
        schedule: Callable[[Listener, float], None],
    ) -> None:
        self._callback: Callable[[Hint], None] | None = callback
        self._quiet = quiet_seconds
        self._urgent = urgent_seconds
        self._schedule = schedule
        self._lock = threading.Lock()
        self._arrived = 0
        self._departed = 0
        self._counted = True
        self._pending = False
        self._due = 0.0
        """When the pending hint is delivered."""
        self._last = float("-inf")
        """When the last hint was delivered."""

    def note(self, arrived: int, departed: int) -> None:
        """Take note of one change."""
        with self._lock:
            self._arrived += arrived
            self._departed += departed
        self._hint(self._urgent if arrived else self._quiet)

    def note_lost(self) -> None:
        """Take note that changes went uncounted."""
        with self._lock:
            self._counted = False
        self._hint(self._urgent)

    def _hint(self, quiet: float) -> None:
        """Hand over what was noted, or have it handed over after a quiet time."""
        now = time.monotonic()
        with self._lock:
            due = self._last + quiet
            if due <= now:
                hint = self._take(now)
            elif self._pending and self._due <= due:
                return
            else:
                hint = None
                self._pending, self._due = True, due
        if hint is None:
            self._schedule(self, due)
        else:
            self._call(hint)

    def deliver(self) -> None:
        """Hand over what was noted, unless somebody was quicker."""
        now = time.monotonic()
        with self._lock:
            if not self._pending:
                return
            due = self._due
            hint = self._take(now) if due <= now else None
        if hint is None:  # called for an earlier hint, which has gone out since
            self._schedule(self, due)
        else:
            self._call(hint)

    def _take(self, now: float) -> Hint:
        """Return what was noted and begin anew; the lock is held."""
        hint = Hint(
            arrived=self._arrived, departed=self._departed, counted=self._counted
        )
        self._arrived = self._departed = 0
        self._counted, self._pending, self._last = True, False, now
        return hint

    def _call(self, hint: Hint) -> None:
        callback = self._callback
        if callback is None:
            return
        try:
            callback(hint)
        except Exception:  # noqa: BLE001 - one listener must not silence the others
            _log.exception("a hint could not be handled")

    def end(self) -> None:
        """Hand over nothing more."""
        with self._lock:
            self._callback = None


class Look(NamedTuple):
    """What a look at a folder showed."""

    is_other: bool
    """It appeared, went, or was made anew."""
    missed: bool
    """It changed in a way that no event told of."""


class Listened:
    """One folder whose changes are noticed by events, or by its time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.listeners: tuple[Listener, ...] = ()
        self.exists = False
        """Whether it was there when it was last looked at."""
        self.saw_event = False
        """Whether an event came since then."""
        self._identity: tuple[int, int] | None = None
        self._changed_at: int | None = None
        """The folder's time then, in nanoseconds."""
        self._suspected = False

    def hint_uncounted(self) -> None:
        """Hint that something may have changed, and nobody counted."""
        for listener in self.listeners:
            listener.note_lost()

    def look(self, *, has_events: bool) -> Look:
        """Look at the folder itself.

        A change that had no event by the next look either never will (file systems
        of other machines have none), or came in the same moment as one that was
        seen: both are worth a hint. Without events every change is.
        """
        saw_event, self.saw_event = self.saw_event, False
        try:
            info = os.stat(self.path)
        except OSError:
            identity = changed_at = None
        else:
            identity, changed_at = (info.st_dev, info.st_ino), info.st_mtime_ns
        is_other = identity != self._identity
        changed = not is_other and changed_at != self._changed_at
        missed = (self._suspected and not saw_event) or (changed and not has_events)
        self._suspected = changed and not saw_event
        self._identity, self._changed_at = identity, changed_at
        self.exists = identity is not None
        return Look(is_other, missed)
