"""The way to the terminal, which may be gone from one moment to the next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from typing import TextIO


class _Lasting:
    """A stream that takes what is written to it also when nobody is there.

    Textual writes in a thread. An error ends that thread, and the app then waits
    for ever to hand it the rest: a closed window would leave a process behind.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def write(self, text: str) -> int:
        """Write, unless the terminal is gone."""
        if not self._gone:
            try:
                return self._stream.write(text)
            except OSError:
                self._gone = True
        return len(text)

    def flush(self) -> None:
        """Send what was written, unless the terminal is gone."""
        if not self._gone:
            try:
                self._stream.flush()
            except OSError:
                self._gone = True

    def fileno(self) -> int:
        """Return the stream's own."""
        return self._stream.fileno()


class TerminalDriver(LinuxDriver):
    """Textual's driver over a stream that lasts."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if sys.__stderr__ is not None:
            self._file = _Lasting(sys.__stderr__)  # type: ignore[assignment] # as much of one as is used
