"""The real binary in a real terminal."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect  # type: ignore[import-untyped] # it has no types
import pyte

if TYPE_CHECKING:
    from collections.abc import Callable

_KITTY = re.compile(rb"\x1b\[[<>=][0-9;]*u")
"""A question about keys that the terminal emulation here would print."""


def binary() -> str:
    """The program as it was installed beside this interpreter."""
    beside = Path(sys.executable).with_name("qtool")
    return str(beside) if beside.exists() else shutil.which("qtool") or "qtool"


class Terminal:
    """A pseudo-terminal with a program in it, and what its screen shows."""

    def __init__(
        self, *arguments: str, size: tuple[int, int] = (100, 30), **variables: str
    ) -> None:
        columns, lines = size
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("NO_COLOR", "TEXTUAL_THEME", "COLORTERM")
        }
        environment |= {"TERM": "xterm-256color", "PYTHONUTF8": "1", **variables}
        self.child = pexpect.spawn(
            binary(), list(arguments), env=environment, dimensions=(lines, columns),
            timeout=20,
        )  # fmt: skip
        self.sent = b""
        """Everything that the program wrote."""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)

    def read(self, seconds: float = 0.05) -> bool:
        """Take what the program wrote; False when it has ended."""
        try:
            data = self.child.read_nonblocking(1 << 16, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.sent += data
        self._stream.feed(_KITTY.sub(b"", data))
        return True

    @property
    def lines(self) -> list[str]:
        """The screen."""
        return list(self._screen.display)

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    def line(self, name: str) -> str:
        """The board's line of that queue."""
        return next((ln for ln in self.lines if ln[1:].startswith(f"{name} ")), "")

    def until(self, condition: Callable[[], object], seconds: float = 20.0) -> float:
        """Read until ``condition`` holds; return the seconds that took."""
        begun = time.perf_counter()
        while not condition():
            alive = self.read(0.02)
            if not alive or time.perf_counter() - begun > seconds:
                assert condition(), self.text
        return time.perf_counter() - begun

    def press(self, keys: str) -> None:
        """Type."""
        self.child.send(keys)

    def end(self, seconds: float = 20.0) -> int:
        """Wait for the program's end; return its exit status, as a shell would."""
        limit = time.monotonic() + seconds
        while self.read(0.1):
            assert time.monotonic() < limit, self.text
        self.child.close()
        if self.child.signalstatus is not None:
            return 128 + int(self.child.signalstatus)
        return int(self.child.exitstatus or 0)

    def hang_up(self, seconds: float = 10.0) -> int:
        """Close the terminal under the program; return its exit status."""
        process = self.child.ptyproc
        process.fileobj.close()
        # Neither of them may close that number again, for it may be another's.
        process.closed = self.child.closed = True
        process.fd = self.child.child_fd = -1
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            pid, status = os.waitpid(self.child.pid, os.WNOHANG)
            if pid:
                process.terminated = self.child.terminated = True
                return os.waitstatus_to_exitcode(status)
            threading.Event().wait(0.02)
        os.kill(self.child.pid, signal.SIGKILL)
        raise AssertionError("it goes on without a terminal")

    def close(self) -> None:
        """End the program, whatever it does."""
        self.child.close(force=True)
