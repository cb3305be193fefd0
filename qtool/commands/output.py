"""Data on standard output, talk on standard error, and how a command ends.

What only some commands need is in ``tables``, ``progress`` and ``asking``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable
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

_LONGEST_LINE = 4000
_ERASE = "\r\x1b[K"

_passing: list[TextIO] = []
"""The terminal that shows a line that is not to stay, if any does."""


def put(text: str) -> None:
    """Write a line of data, escaping what the stream's encoding lacks."""
    erase()
    _write(sys.stdout, text)


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
    """Write one harmless line to the person at the terminal."""
    erase()
    # What was put before stands before, where both go to one place.
    sys.stdout.flush()
    _write(sys.stderr, f"qtool: {visible(text, _LONGEST_LINE)}")


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
        sys.stdout.flush()
    except OSError as error:
        tell(f"standard output: {error.strerror or error}")
        drop_output()
        return UNKNOWN
    return status


def drop_output() -> None:
    """Let what is still to be written go nowhere: nobody takes it."""
    import os

    try:
        descriptor = sys.stdout.fileno()
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
