"""``Control`` at a distance: a daemon does what is asked for, over its socket."""

from __future__ import annotations

import socket
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from qtool.control.control import READ_ONLY, Control
from qtool.control.gate import passed_on
from qtool.control.models import RECONNECTING, Board, LogLine, Site
from qtool.control.serving.calls import CALLS, Call
from qtool.errors import QToolError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.models import Left
    from qtool.control.serving.link import Link
    from qtool.installation import Configuration

_RETRY_SECONDS = 0.25
_CLOSE_SECONDS = 1.0
"""How long the end waits, at most, for a daemon that does not answer."""
_MOST_LINES = 2_000


class Attached(Control):
    """One site, whose daemon does what is asked for.

    All calls are those of ``Control``, made there. ``configuration`` is this
    process's own, from the same file, to be looked at.

    Args:
        configuration: The site, as this process reads it.
        link: The way to the daemon.
        read_only: Refuse every act.

    Raises:
        Refused: The daemon is not for this user.
        Unreachable: It does not answer.
    """

    def __init__(
        self, configuration: Configuration, link: Link, *, read_only: bool
    ) -> None:
        self.configuration = configuration
        self._read_only = read_only
        self._link = link
        self._peer = link.peer()
        self._callbacks: list[Callable[[Board], None]] = []
        self._board: Board | None = None
        self._lines: deque[LogLine] = deque(maxlen=_MOST_LINES)
        self._numbered = self._heard = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: socket.socket | None = None
        self._over = threading.Event()
        self._on_close = []

    def _ask(self, call: Call, *args: object, **kwargs: object) -> Any:
        return self._link.ask(call, call.bound(*args, **kwargs))

    # --- Looking

    def site(self) -> Site:
        """Return which spool this is, and what may be done there."""
        return self._seen_from_here(self._ask(_SITE))

    def scan(self) -> Board:
        """Have everything read afresh and return the board."""
        board: Board = self._ask(_SCAN)
        return replace(board, site=self._seen_from_here(board.site))

    def read_only_reason(self) -> str:
        """Return why nothing may be changed here; empty when acts are allowed."""
        return READ_ONLY if self._read_only else ""  # the daemon refuses for itself

    def log(self, after: int = 0) -> list[LogLine]:
        """Return the log records after the one of that number, as far as kept.

        While this is watched they have come with the boards, and nothing is asked.
        """
        if self._thread is None:
            return cast("list[LogLine]", self._ask(_LOG, after))
        return self._kept(after)

    def _kept(self, after: int) -> list[LogLine]:
        with self._lock:
            return [line for line in self._lines if line.number > after]

    def _seen_from_here(self, site: Site) -> Site:
        return replace(
            site,
            source=self.configuration.settings.source,
            read_only=READ_ONLY if self._read_only else site.read_only,
            attached=f"attached to pid {self._peer.pid}",
        )

    @passed_on
    def reload(self) -> list[str]:
        """Have the configuration file read again, there and here."""
        from qtool.control.reloading import reloaded  # seldom

        lines: list[str] = self._ask(_RELOAD)
        reloaded(self.configuration, lambda _changes: {})
        return lines

    # --- Watching

    def watch(self, callback: Callable[[Board], None]) -> Callable[[], None]:
        """Call ``callback`` with the daemon's boards, from a thread of its own.

        While the daemon is gone it is looked for, and the last board says so.
        """
        with self._lock:
            self._callbacks.append(callback)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name="qtool-attached", daemon=True
                )
                self._thread.start()
        return lambda: self._forget(callback)

    def _forget(self, callback: Callable[[Board], None]) -> None:
        self._callbacks = [each for each in self._callbacks if each is not callback]

    def _watch(self) -> None:
        while not self._over.is_set():
            # The board says that it is gone, and what is asked for says why.
            with suppress(QToolError, OSError):
                self._follow()
            if self._over.is_set():
                return
            self._show_gone()
            self._over.wait(_RETRY_SECONDS)

    def _show_gone(self, gone: str = RECONNECTING) -> None:
        if self._board is not None:
            site = replace(self._board.site, attached=gone)
            self._publish(replace(self._board, site=site))

    def _follow(self) -> None:
        """Publish what the daemon sends until it goes."""
        connection, peer = self._link.connect()
        if peer != self._peer:
            self._peer, self._heard = peer, 0
        with connection:
            self._connection = connection
            for board in self._link.boards(connection):
                for line in self._ask(_LOG, self._heard):
                    self._heard = line.number
                    self._keep(line)
                if self._over.is_set():
                    return
                site = self._seen_from_here(board.site)
                self._publish(replace(board, site=site))

    def _keep(self, line: LogLine) -> None:
        """Keep a record under a number of this process: a daemon begins anew."""
        with self._lock:
            self._numbered += 1
            self._lines.append(replace(line, number=self._numbered))

    # --- The end

    def leave(self, token: str) -> Left:
        """Refuse: whoever serves the site works with what would be removed."""
        del token
        raise Refused(f"{self._link.who} works there: qtool stop, then qtool leave")

    def close(self, *, unclaim: bool = False) -> None:
        """Watch no more; the daemon goes on, and what was asked for, too."""
        del unclaim
        self._over.set()
        connection = self._connection
        if connection is not None:
            with suppress(OSError):  # it is gone already
                connection.shutdown(socket.SHUT_RDWR)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_CLOSE_SECONDS)
        endings, self._on_close = self._on_close, []
        for end in endings:
            end()


_BY_NAME = {call.name: call for call in CALLS.values()}
_SITE, _SCAN, _LOG = _BY_NAME["site"], _BY_NAME["scan"], _BY_NAME["log"]
_RELOAD = _BY_NAME["reload"]


def _remote(call: Call) -> Callable[..., Any]:
    """Return the method of ``Attached`` that has the daemon do a call."""

    @wraps(getattr(Control, call.name))
    def method(self: Attached, *args: object, **kwargs: object) -> Any:
        return self._ask(call, *args, **kwargs)

    return passed_on(method) if call.is_act else method


for _call in CALLS.values():
    if _call.name not in vars(Attached):
        setattr(Attached, _call.name, _remote(_call))
