"""What the shell itself writes: its words and its errors, never a raw message."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, TextIO

from qtool.errors import QToolError
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_ERROR = 4000
_ERASE = "\r\x1b[K"

_passing: list[TextIO] = []
"""The terminal that shows a line that is not to stay, if any does."""


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a line to standard output, escaping what its encoding lacks."""
    stream = stream or sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def say_lines(lines: Iterable[str]) -> None:
    """Write several lines to standard output."""
    say("\n".join(lines))


def say_passing(line: str) -> None:
    """Have the terminal show a harmless line until something else is written."""
    sys.stderr.write(f"{_ERASE}{line}")
    sys.stderr.flush()
    _passing[:] = [sys.stderr]


def erase() -> None:
    """Remove the line that is not to stay."""
    while _passing:
        stream = _passing.pop()
        stream.write(_ERASE)
        stream.flush()


def error_text(error: BaseException, *, own_frames: int) -> str:
    """Return how an error is told: our own in a line, others with their traceback.

    Args:
        error: What was raised.
        own_frames: How many of the traceback's first frames are the shell's.
    """
    if isinstance(error, QToolError) or _is_the_systems(error):
        return f"{type(error).__name__}: {visible(error, _LONGEST_ERROR)}"
    where = error.__traceback__
    for _ in range(own_frames):
        where = where.tb_next if where is not None else None
    lines = traceback.format_exception(type(error), error, where)
    return visible_block("".join(lines).rstrip("\n"), width=_LONGEST_ERROR)


def _is_the_systems(error: BaseException) -> bool:
    """Whether the system refused qtool something, such as to list a folder."""
    if not isinstance(error, OSError) or error.filename is None:
        return False
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    raised_in = str(frames[-1].f_globals.get("__name__", "")) if frames else ""
    return raised_in.startswith("qtool.")
