"""A process of ours that ends with this one: a socket between them tells each so."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING

from qtool.engine import child_program
from qtool.engine.elsewhere import ended_so
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST_WORDS = 8192
"""Bytes, from the end."""
_MOST_WORDS = 1 << 20
"""Bytes that are kept of all that a process says while it is well."""
_LONGEST_LINE = 500
_NICENESS = 5
"""The screen comes first, also while it imports what it needs."""


class Spawned:
    """A module of qtool, run in a process of its own.

    It has the environment and the working folder of this one. Its end of the socket
    is the descriptor that its first argument names; the other end is for nobody but
    this process, so that it reads the end of the file when this process has gone,
    however that went.

    Args:
        module: Dotted name; it has a ``main``.
        arguments: What that gets after the number of the descriptor.
        is_apart: It has a session of its own, and nothing of it is seen at the
            terminal. Else it belongs to the job of this process: what stops that
            stops it, too, and what it writes goes where that of this process goes.

    Raises:
        OSError: No process can be started.
    """

    def __init__(
        self, module: str, arguments: Sequence[str], *, is_apart: bool = True
    ) -> None:
        self.end, theirs = socket.socketpair()
        self._memory = FileIO(os.memfd_create("qtool-words"), "r+")
        self._remembering = threading.Lock()
        memory, number = self._memory.fileno(), theirs.fileno()
        # Everybody writes to its end, also after it has been emptied.
        fcntl.fcntl(memory, fcntl.F_SETFL, os.O_APPEND)
        words = 2 if is_apart else memory
        program = [sys.executable, "-P", child_program.__file__, module, str(words)]
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - this very program
                    [*program, str(number), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL if is_apart else None,
                    stderr=memory if is_apart else None,
                    pass_fds=(number,) if is_apart else (number, words),
                    start_new_session=is_apart,
                )
        except BaseException:
            Spawned.close(self)
            raise
        self.pid = self._process.pid
        if is_apart:
            with suppress(OSError):  # it has ended already
                os.setpriority(os.PRIO_PROCESS, self.pid, os.nice(0) + _NICENESS)

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        with self._remembering:
            if not self._memory.closed and self._size() > _MOST_WORDS:
                self._memory.truncate(0)
        return self.status is None

    @property
    def status(self) -> int | None:
        """How it has ended, as ``subprocess`` says it; None while it has not."""
        return self._process.poll()

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

    def close(self) -> None:
        """Let go of it, whether it has ended or not."""
        self.end.close()
        with self._remembering:
            self._memory.close()

    def last_words(self) -> str:
        """Return what it has said last; empty where it said nothing."""
        with self._remembering:
            start = max(0, self._size() - _LAST_WORDS)
            said = os.pread(self._memory.fileno(), _LAST_WORDS, start)
        return said.decode("utf-8", "replace").strip()

    def ending(self) -> str:
        """Return in a line how it has ended, in its own words if it has told."""
        try:
            said = self.end.recv(_LAST_WORDS, socket.MSG_DONTWAIT)
        except OSError:
            said = b""
        if said:
            return visible(said.decode("utf-8", "replace"), _LONGEST_LINE)
        status = self.status or 0
        line = self.last_words().rpartition("\n")[2] if status > 0 else ""
        return ended_so(status) + f": {visible(line, _LONGEST_LINE)}" * bool(line)

    def _size(self) -> int:
        return os.fstat(self._memory.fileno()).st_size
