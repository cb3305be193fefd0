"""Reading the names in a queue's folder, a few thousand at a time."""

from __future__ import annotations

import os
import time
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 4096
"""Entries read at a time: two milliseconds or so between two chances for others."""

HEX = r"[\x000-9a-f]"
"""A hex digit, in expressions for names of files. None of those holds a NUL; with it
the expression tests a bitmap instead of two ranges, which takes two thirds as long."""

_SETTLED_NANOSECONDS = 10**8
"""Age from which a folder's time proves that nothing changed since: clocks of file
systems tick every few milliseconds, and those of two machines differ a little."""
_COARSE_NANOSECONDS = 2 * 10**9
"""The same where the file system counts in whole seconds, or in pairs of them."""


def chunks(directory: str) -> Iterator[list[os.DirEntry[str]]]:
    """Yield what is in a folder, in no order; nothing where there is none.

    The type of each comes with its name on all common file systems. Between two
    chunks every other thread of the process gets its turn.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        descriptor = os.open(directory, flags)
    except FileNotFoundError:
        return
    try:
        with os.scandir(descriptor) as entries:
            while chunk := list(islice(entries, CHUNK)):
                yield chunk
                time.sleep(0)
    finally:
        os.close(descriptor)


def plain_names(chunk: Sequence[os.DirEntry[str]]) -> list[str]:
    """Return the names of regular files."""
    return [entry.name for entry in chunk if entry.is_file(follow_symlinks=False)]


def as_lines(names: list[str]) -> tuple[str, list[str]]:
    """Return names as lines, and one by one.

    A name that would be several lines is left out: no entry has such a name.
    """
    lines = "\n".join(names)
    if lines.count("\n") >= max(1, len(names)):
        names = [name for name in names if "\n" not in name]
        lines = "\n".join(names)
    return lines, names


class Stamp:
    """How a folder looked when it was read, to tell whether it has changed since."""

    __slots__ = ("_settled", "_state")

    def __init__(self, directory: str) -> None:
        self._state = _state(directory)
        self._settled = False
        if self._state is not None:
            changed = self._state[2]
            is_fine = changed % 10**9 != 0
            age = _SETTLED_NANOSECONDS if is_fine else _COARSE_NANOSECONDS
            self._settled = time.time_ns() - changed > age

    def holds(self, directory: str) -> bool:
        """Return whether nothing can have changed in the folder since."""
        return self._settled and _state(directory) == self._state


def _state(directory: str) -> tuple[int, int, int] | None:
    try:
        info = os.stat(directory)
    except FileNotFoundError:
        return None
    return info.st_dev, info.st_ino, info.st_mtime_ns
