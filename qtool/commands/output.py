"""Data on standard output, talk on standard error, and how a command ends.

What only some commands need is in ``tables``, ``progress`` and ``asking``.
"""

from __future__ import annotations

import errno
import sys
from contextlib import contextmanager, suppress
from io import FileIO
from typing import TYPE_CHECKING, Any

from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

DONE = 0
"""All went well."""
FAILED = 1
"""Something went wrong; standard error says what."""
USAGE = 2
"""The command line itself is wrong."""
LEFT = 3
"""It was done in part, or nothing was there to do: something is left as it was."""
UNKNOWN = 3
"""``check``, as plugins end: it cannot be told."""
INTERRUPTED = 130
"""Ended by Ctrl+C, as shells count it."""

STANDARD_OUTPUT = "standard output"
"""The file that errors name where data cannot be written."""

_LONGEST_LINE = 4000
_ERASE = "\r\x1b[K"

_passing: list[TextIO] = []
"""The terminal that shows a line that is not to stay, if any does."""


class Closed(FileIO):
    """Stands for standard output where the caller has closed it.

    It takes everything, for prints of runners that are not ours to fail; ``flush``
    tells that it was lost.
    """

    has_lost = False
    """Whether anything was written."""

    def write(self, data: Any) -> int:
        """Lose data."""
        self.has_lost = True
        return super().write(data)


def put(text: str) -> None:
    """Write a line of data, escaping what the stream's encoding lacks.

    Raises:
        OSError: Nobody takes it; the error names standard output.
    """
    erase()
    try:  # no context manager: this runs once a line
        _write(sys.stdout, text)
    except OSError as error:
        error.filename = STANDARD_OUTPUT
        raise


def put_bytes(data: bytes) -> None:
    """Write data as they are; raises as ``put`` does."""
    erase()
    with _named():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def flush() -> None:
    """Have all that was put on its way.

    Raises:
        OSError: Nobody takes it; the error names standard output.
    """
    with _named():
        sys.stdout.flush()
        raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
        if isinstance(raw, Closed) and raw.has_lost:
            raw.has_lost = False  # it is told once
            raise OSError(errno.EBADF, "it is closed")


@contextmanager
def _named() -> Iterator[None]:
    """Have errors name the stream."""
    try:
        yield
    except OSError as error:
        error.filename = STANDARD_OUTPUT
        raise


def put_json(value: object) -> None:
    """Write a model, or what it is made of, as one line of JSON in ASCII.

    Its fields keep their names. What JSON lacks is an object with one key that
    begins with ``$``, as in ``qtool dump --json``.
    """
    import json

    from qtool.wire import dumped

    # ASCII: no control character and no odd encoding can get out.
    put(json.dumps(dumped(value), ensure_ascii=True))


def tell(text: str) -> None:
    """Write one harmless line to the person at the terminal, if anybody takes it."""
    erase()
    # What was put before stands before, where both go to one place. What cannot be
    # written then is told at the end.
    with suppress(OSError):
        sys.stdout.flush()
    try:
        _write(sys.stderr, f"qtool: {visible(text, _LONGEST_LINE)}")
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)


def tell_error(error: OSError) -> None:
    """Say what the system refused, and of which file."""
    where = f"{error.filename}: " if error.filename is not None else ""
    tell(f"{where}{error.strerror or error}")


def tell_passing(stream: TextIO, line: str) -> None:
    """Have a terminal show a harmless line until something else is written."""
    stream.write(f"{_ERASE}{line}")
    stream.flush()
    _passing[:] = [stream]


def erase() -> None:
    """Remove the line that is not to stay."""
    while _passing:
        stream = _passing.pop()
        stream.write(_ERASE)
        stream.flush()


def put_unknown(reason: str) -> int:
    """Write the line of a plugin that cannot tell; return its status."""
    put(f"QTOOL UNKNOWN - {visible(reason, 1000)}".replace("|", "/"))
    return UNKNOWN


def as_plugin(work: Callable[[], int]) -> int:
    """Return what ``work`` returns, or ``UNKNOWN`` where what it prints is lost."""
    try:
        status = work()
        flush()
    except OSError as error:
        drop_output()
        tell_error(error)
        return UNKNOWN
    return status


def drop_output() -> None:
    """Let what is still to be written go nowhere: nobody takes it."""
    _drop(sys.stdout)


def _drop(stream: TextIO) -> None:
    import os

    try:
        descriptor = stream.fileno()
    except OSError:
        return  # no file behind it: nothing is flushed at exit
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def carries_unicode(stream: TextIO) -> bool:
    """Whether what is not ASCII arrives as it is, so that columns stay columns."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "").startswith("utf")


def _write(stream: TextIO, text: str) -> None:
    if not text.isascii():  # a copy of a whole message is dear
        encoding = getattr(stream, "encoding", None) or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.write("\n")
