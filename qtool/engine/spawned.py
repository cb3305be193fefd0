"""A process of ours that ends with this one: a socket between them tells each so."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOME = Path(__file__).parents[2]
"""The folder that qtool is imported from."""
_LAST_WORDS = 4096
_NICENESS = 5
"""The screen comes first, also while it imports what it needs."""


class Spawned:
    """A module of qtool, run in a process of its own.

    It has the environment and the working folder of this one, and no terminal. Its
    end of the socket is the descriptor that its first argument names; the other end
    is for nobody but this process, so that it reads the end of the file when this
    process has gone, however that went.

    Args:
        module: Dotted name.
        arguments: What follows the number of the descriptor.

    Raises:
        Refused: No process can be started.
    """

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        self.end, theirs = socket.socketpair()
        number = str(theirs.fileno())
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - this very program
                    [sys.executable, *_safe(), "-m", module, number, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    # What the terminal sends is for the one who has the screen.
                    start_new_session=True,
                )
        except OSError as error:
            self.end.close()
            raise Refused(
                f"the engine's process cannot be started: {error.strerror}"
            ) from error
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, self.pid, os.nice(0) + _NICENESS)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, at most so long; return whether it has."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def ending(self) -> str:
        """Return in words how it has ended; what it said last, if it did."""
        try:
            said = self.end.recv(_LAST_WORDS, socket.MSG_DONTWAIT)
        except OSError:
            said = b""
        status = self._process.poll()
        if said:
            return f"does not start: {said.decode('utf-8', 'replace')}"
        if status is not None and status < 0:
            return f"was killed by signal {-status}"
        return f"ended with status {status}"


def _safe() -> tuple[str, ...]:
    """Return what keeps modules of the working folder out.

    Unless qtool itself was found that way: ``python -m qtool`` beside its sources.
    """
    beside = not sys.flags.safe_path and sys.path[:1] == [os.fspath(_HOME)]
    return () if beside else ("-P",)
