"""What Mailman's logs say about one process, between two moments, and how their
lines begin."""

from __future__ import annotations

import os
import re
import stat
import time
from typing import TYPE_CHECKING

from qtool.engine.step import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_MOST_BYTES = 256 << 10
_MOST_LINES = 1000
_LONGEST_LINE = 4000
_PID = re.compile(r"^.{0,60}?\((\d{1,10})\) ")
_TRACEBACK = "Traceback (most recent call last):"
_TIMES = (
    (re.compile(r"([A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4})"), "%b %d %H:%M:%S %Y"),
    (re.compile(r"\[?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"\[?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"), "%Y-%m-%dT%H:%M:%S"),
)
"""How lines of a log may begin: as Mailman writes them, or as many sites have it."""


def time_of(line: str) -> float | None:
    """Return when a line was logged, in epoch seconds; None where it does not say.

    The time is read as this machine's own, for the line names no zone.
    """
    for begins, form in _TIMES:
        found = begins.match(line)
        if found is not None:
            try:
                return time.mktime(time.strptime(found[1], form))
            except (ValueError, OverflowError):
                return None
    return None


def pid_and_text(line: str) -> tuple[int | None, str]:
    """Return the process that logged a line, None where it does not say, and what."""
    named = _PID.match(line)
    return (None, line) if named is None else (int(named[1]), line[named.end() :])


class LogMarks:
    """Where the logs end now, to read later what was added."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._marks = [(path, _end(path)) for path in files]

    def lines_of(self, pid: int, *, alone: bool) -> tuple[LogLine, ...]:
        """Return what a process has logged since.

        Args:
            pid: The process, which Mailman's log format names in every line.
            alone: Whether nobody else logs there, so that lines in a format
                without a pid are this process's too.
        """
        found: list[LogLine] = []
        for path, mark in self._marks:
            for text in _of_process(_added(path, mark), pid, alone=alone):
                if len(found) == _MOST_LINES:
                    return tuple(found)
                found.append(_log_line(len(found) + 1, path.name, text))
        return tuple(found)


def traceback_in(lines: Iterable[LogLine]) -> str:
    """Return the tracebacks among log lines, as one text."""
    found: list[str] = []
    inside = False
    for line in lines:
        if line.text == _TRACEBACK:
            inside = True
        if inside:
            found.append(line.text)
            # A traceback ends with the first line that is not indented.
            inside = line.text == _TRACEBACK or line.text.startswith(" ")
    return "\n".join(found)


def tail(path: Path, most_bytes: int = 64 << 10) -> str:
    """Return the end of a file that a child has printed into."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            stream.seek(max(0, size - most_bytes))
            return stream.read(most_bytes).decode("utf-8", "replace")
    except OSError:
        return ""


def _end(path: Path) -> tuple[int, int]:
    """Return a log's inode and size; zeros where it cannot be read again later."""
    try:
        info = path.stat()
    except OSError:
        return 0, 0
    return (info.st_ino, info.st_size) if stat.S_ISREG(info.st_mode) else (0, 0)


def _added(path: Path, mark: tuple[int, int]) -> list[str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            return []
        inode, size = mark
        start = size if inode == info.st_ino and size <= info.st_size else 0
        stream.seek(max(start, info.st_size - _MOST_BYTES))
        return stream.read(_MOST_BYTES).decode("utf-8", "replace").split("\n")


def _of_process(lines: list[str], pid: int, *, alone: bool) -> Iterator[str]:
    ours = alone
    for line in lines:
        named, _ = pid_and_text(line)
        if named is not None:
            ours = named == pid
        if ours and line:
            yield line


def _log_line(number: int, source: str, line: str) -> LogLine:
    pid, text = pid_and_text(line)
    when = None if pid is None else time_of(line)
    return LogLine(
        number=number,
        when=time.time() if when is None else when,
        level="INFO",
        source=source,
        text=text[:_LONGEST_LINE],
    )
