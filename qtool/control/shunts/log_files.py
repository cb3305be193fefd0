"""Files of a log, rotated and compressed ones too, read in bounded pieces."""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol, TypeAlias

from qtool.control.shunts.unzipping import GZIP
from qtool.engine.mailman_logs import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

Span: TypeAlias = "tuple[float, float]"
"""From one moment to another, in epoch seconds."""

_PIECE = 1 << 20
"""Bytes that are read at a time."""
_CONTEXT = 256 << 10
"""Bytes within which a record that a line ends has begun."""
PROBE = 64 << 10
"""Bytes in which a line with its time is expected."""
_TIMELESS = 64 << 20
"""Bytes at the end of a file that are read where its lines tell no time."""
_MOST_FILES = 400
_ROTATED = r"(?:[.-]\d[\d.-]{0,30})?"


class Readable(Protocol):
    """A file, or what comes out of a compressed one."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes, and none at the end."""
        ...


class Budget:
    """How many bytes may still be read."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> bool:
        """Count bytes; return whether they are within the budget."""
        self.left -= count
        return self.left >= 0


def files_of(logs: Iterable[Path]) -> list[Path]:
    """Return those logs and their rotated files that exist, the newest first."""
    found: dict[Path, float] = {}
    for log in logs:
        name = re.compile(
            rf"{re.escape(log.stem)}{_ROTATED}{re.escape(log.suffix)}{_ROTATED}(?:\.gz)?"
        )
        try:
            with os.scandir(log.parent) as entries:
                for entry in entries:
                    if name.fullmatch(entry.name) and entry.is_file():
                        found[log.parent / entry.name] = entry.stat().st_mtime
        except OSError:
            continue
    return sorted(found, key=lambda path: found[path], reverse=True)[:_MOST_FILES]


def pieces(path: Path, spans: Sequence[Span], budget: Budget) -> Iterator[bytes]:
    """Read what a file says in some spans of time, in pieces of whole lines.

    Each piece begins with the end of the one before, for a record that has begun
    there. Lines of a log are in the order of their times, all but a few. What is
    compressed is read from its beginning, once.

    Args:
        path: The file.
        spans: From one moment to another each, in order, in epoch seconds.
        budget: How much is read.

    Raises:
        OSError: It cannot be read, or not be decompressed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
        info = os.fstat(descriptor)
        spans = [span for span in spans if span[0] <= info.st_mtime]
        if not stat.S_ISREG(info.st_mode) or not spans:
            return
        if stream.peek(2)[:2] == GZIP:
            with gzip.open(stream, "rb") as plain:
                yield from _decompressed(plain, spans, budget)
            return
        for span in spans:
            stream.seek(max(0, _offset(stream, info.st_size, span[0]) - _CONTEXT))
            yield from _read(stream, [span], budget)


def _decompressed(
    stream: Readable, spans: Sequence[Span], budget: Budget
) -> Iterator[bytes]:
    try:
        yield from _read(stream, spans, budget)
    except (EOFError, zlib.error) as error:  # cut off, or damaged
        raise OSError(f"not to be decompressed: {error}") from error


def _read(stream: Readable, spans: Sequence[Span], budget: Budget) -> Iterator[bytes]:
    kept = b""
    while data := stream.read(_PIECE):
        if not budget.take(len(data)):
            return
        first = time_in(data[:PROBE].split(b"\n")) or float("-inf")
        if first > spans[-1][1]:
            return
        whole = kept + data
        cut = whole.rfind(b"\n") + 1 if len(data) == _PIECE else len(whole)
        last = time_in(reversed(whole[:cut][-PROBE:].split(b"\n"))) or float("inf")
        if any(first <= end and last >= start for start, end in spans):
            yield whole[:cut]
        kept = whole[max(0, cut - _CONTEXT) :][-_PIECE:]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, and those that touch as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _offset(stream: BinaryIO, size: int, moment: float) -> int:
    """Return where in a file of lines that moment is, some before it rather."""

    def when(number: int) -> float:
        stream.seek(number * PROBE)
        found = time_in(stream.read(PROBE).split(b"\n"))
        if found is None:  # in the middle of something long
            found = time_in(stream.read(_PIECE).split(b"\n"))
        return float("-inf") if found is None else found

    if when(0) == float("-inf"):
        return max(0, size - _TIMELESS)
    return max(0, bisect_left(range(size // PROBE + 1), moment, key=when) - 1) * PROBE


def time_in(lines: Iterable[bytes]) -> float | None:
    """Return the first time that lines tell, in epoch seconds; None for none."""
    for line in lines:
        found = time_of(line[:40].decode("ascii", "replace"))
        if found is not None:
            return found
    return None
