"""Data on standard output, talk on standard error, and how a command ends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from qtool.untrusted import visible

if TYPE_CHECKING:
    from typing import TextIO

DONE = 0
"""All went well."""
FAILED = 1
"""Something went wrong; standard error says what."""
USAGE = 2
"""The command line itself is wrong."""
WORK_LEFT = 3
"""``run --once``: messages wait that could not be taken now."""
INTERRUPTED = 130
"""Ended by Ctrl+C, as shells count it."""

_LONGEST_LINE = 4000


def put(text: str) -> None:
    """Write a line of data, escaping what the stream's encoding lacks."""
    _write(sys.stdout, text)


def tell(text: str) -> None:
    """Write one harmless line to the person at the terminal."""
    # What was put before stands before, where both go to one place.
    sys.stdout.flush()
    _write(sys.stderr, f"qtool: {visible(text, _LONGEST_LINE)}")


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
