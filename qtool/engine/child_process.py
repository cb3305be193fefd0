"""The process of a runner, from its master's side: begun, listened to, and ended."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import time
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from qtool.engine.elsewhere import log_record
from qtool.engine.lines import Line
from qtool.engine.spawned import Spawned

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.lines import Logged, Said

LEAVING_SECONDS = 5.0
"""How long a process may take to end once its runner has."""
_SENDING_SECONDS = 20.0
"""After which a process that reads nothing is taken for one that never will."""


class ChildProcess(Spawned):
    """One process, which has the standard output of this one.

    It is in the process group of this one, too: a job that is stopped at a terminal
    stops as a whole. What ends a job there it leaves to its master.

    Args:
        name: What it is called in lists of processes.

    Raises:
        OSError: None can be started.
    """

    def __init__(self, name: str) -> None:
        super().__init__("qtool.engine.child", [name], is_apart=False)
        self.end.settimeout(_SENDING_SECONDS)
        self.line = Line(self.end)
        self._exit = os.pidfd_open(self.pid)
        self._leave_by = inf
        """When it is killed if it is still there, by ``time.monotonic``."""
        self._alarm, self._bell = socket.socketpair()

    def listen(self, hear: Callable[[Said], None], check: Callable[[], float]) -> int:
        """Hear what it says until it ends; return its status.

        Args:
            hear: Gets each line.
            check: Called now and then; returns in how many seconds it is to be again.
        """
        with selectors.PollSelector() as sources:
            for source in (self.line, self._exit, self._alarm):
                sources.register(source, selectors.EVENT_READ)
            while True:
                left = min(check(), self._leave_by - time.monotonic())
                ready = [key.fileobj for key, _ in sources.select(max(0.0, left))]
                if self.line in ready:
                    heard = self.line.heard()
                    if heard is None:
                        break
                    for said in heard:
                        hear(said)
                elif self._exit in ready:
                    break  # what it has forked may hold the line open for longer
                if self._alarm in ready:
                    self._alarm.recv(4096)
                if time.monotonic() >= self._leave_by:
                    self._leave_by = inf
                    self.kill()
        if not self.wait(LEAVING_SECONDS):
            self.kill()
        return self._process.wait()

    def leave_within(self, seconds: float) -> None:
        """Have it killed if it is still there by then; for any thread."""
        self._leave_by = time.monotonic() + seconds
        with suppress(OSError):  # nobody listens any more
            self._bell.send(b"\0")

    def close(self) -> None:
        """See that nothing is left of it."""
        if self.is_alive:
            self.kill()
            self.wait()
        super().close()
        for each in (self._alarm, self._bell):
            each.close()
        os.close(self._exit)


def log_here(logged: Logged) -> None:
    """Log what was logged there."""
    log = logging.getLogger(logged.source)
    log_record(log, logged.level, logged.text, logged.traceback, logged.when)
