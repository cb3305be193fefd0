"""A program in a real pseudo-terminal, and what stands on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_CONTROL = re.compile(
    rb"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]"
)

_INTO_TERMINAL = 'exec "$@" <"$QTOOL_TTY" >"$QTOOL_TTY" 2>"$QTOOL_TTY"'
"""A session leader's first terminal becomes the one that controls it."""


class TimedOut(AssertionError):
    """What was waited for did not come; the message shows the screen."""


class Terminal:
    """One program in one terminal of a fixed size."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        rows: int = 40,
        columns: int = 120,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.master, self.slave = pty.openpty()
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)
        self.settings_before = termios.tcgetattr(self.slave)
        self.raw = bytearray()
        """Everything it wrote."""
        self._fed = 0
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        surroundings = {**os.environ, "TERM": "xterm-256color", **(env or {})}
        surroundings["QTOOL_TTY"] = os.ttyname(self.slave)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", _INTO_TERMINAL, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=surroundings,
            cwd=cwd,
        )
        self._end = os.pidfd_open(self.process.pid)
        """Readable when the program has ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for number in (self.slave, self.master, self._end):
            os.close(number)

    # --- What it shows

    def take(self, seconds: float) -> bool:
        """Take in what it writes within ``seconds``; whether anything came."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.raw += os.read(self.master, 1 << 16)
        return True

    @property
    def plain(self) -> str:
        """Everything it wrote, control sequences left out: cheap to search."""
        return _CONTROL.sub(b"", bytes(self.raw)).decode("utf-8", "replace")

    @property
    def lines(self) -> list[str]:
        """The screen as a person sees it now."""
        # Private modes with an intermediate character are beyond pyte.
        news = re.sub(rb"\x1b\[[0-9;?<=>]*\$[a-z]|\x1b\[[<=>][0-9;]*[a-z]", b"",
                      bytes(self.raw[self._fed :]))  # fmt: skip
        self._fed = len(self.raw)
        self._stream.feed(news)
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def on_alternate_screen(self) -> bool:
        """Whether a full-screen program has the terminal."""
        return self.raw.rfind(b"\x1b[?1049h") > self.raw.rfind(b"\x1b[?1049l")

    # --- What is done to it

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        self._screen.resize(rows, columns)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)

    def wait_for(self, seen: Callable[[], object], seconds: float = 60) -> float:
        """Wait until ``seen`` is true; return when, by the monotonic clock."""
        end = time.monotonic() + seconds
        while not seen():
            left = end - time.monotonic()
            if left < 0:
                raise TimedOut(f"not within {seconds} s:\n{self.text}")
            self.take(min(left, 0.1))
        return time.monotonic()

    def wait_for_text(self, text: str, seconds: float = 60) -> float:
        """Wait until ``text`` stands on the screen."""
        return self.wait_for(lambda: text in self.text, seconds)

    def wait_for_end(self, seconds: float = 60) -> int:
        """Wait until the program has ended; return its exit status."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            left = max(0.0, end - time.monotonic())
            ready = select.select([self.master, self._end], [], [], left)[0]
            if not ready:
                raise TimedOut(f"not ended within {seconds} s:\n{self.text}")
            if self.master in ready:
                self.take(0)
        while self.take(0):
            pass
        return self.process.returncode

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal is left in the mode in which it was found."""
        return termios.tcgetattr(self.slave) == self.settings_before


def children_of(pid: int) -> list[int]:
    """The processes that one has started and that are there."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for task in tasks for each in task.read_text().split()]
