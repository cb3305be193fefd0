"""Where Mailman's logs tell what was put aside: each part of them is read once.

A log only grows, and is given another name then: it is the same one by its inode. Of
a compressed one places are remembered, too, from which it can be read again.
"""

from __future__ import annotations

import errno
import math
import os
import re
import stat
import threading
from bisect import bisect_left
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qtool.control.shunts.log_files import PROBE, time_in
from qtool.control.shunts.unzipping import GZIP, Unzipped
from qtool.queues.filebase import FILEBASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.shunts.log_files import Budget

LONGEST_LINE = 2000
"""Bytes of a line about an unknown list within which it says all that it says."""
UNKNOWN = " shunting message for missing list: "

_BLOCK = 1 << 20
_TAIL = 4 << 10
"""Bytes of the block before in which a line may have begun."""
_TIMELESS = 64 << 20
"""Bytes at the end of a log that are read where its lines tell no time."""
_MOST_UNZIPPED = 512 << 20
_MOST_BYTES = 64 << 20
"""Memory that all of it takes at most, about."""
_PLACE_BYTES, _BLOCK_BYTES = 110, 200
_MOST_FILES = 1000
_MOST_ALIKE = 8
"""Lines that are remembered about one Message-ID."""
_HEAD = 64

_ASIDE = re.compile(rb": (%s)[ \t\r]*$" % FILEBASE.encode(), re.MULTILINE)
_UNKNOWN = UNKNOWN.encode()


class _Plain:
    """Reads what is not compressed."""

    memory = 0

    def read(self, descriptor: int, offset: int, size: int) -> bytes:
        return os.pread(descriptor, size, offset)

    def rest(self) -> None:
        """Keep nothing."""


class LogFile:
    """One log, as far as it has been read; to be used while it is open.

    Args:
        descriptor: The open file.
    """

    def __init__(self, descriptor: int) -> None:
        self._head = os.pread(descriptor, _HEAD, 0)
        self._zipped = self._head.startswith(GZIP)
        self._source = Unzipped() if self._zipped else _Plain()
        self._asides: dict[int, int] = {}
        """Where names end, by their hash."""
        self._unknown: dict[int, tuple[int, ...]] = {}
        """Where lines begin, by the hash of the Message-ID."""
        self._begins: dict[int, float] = {}
        """The first time in a block; minus infinity where it tells none."""
        self._blocks: set[int] = set()
        self._tail = 0, b""
        self._ends = math.inf
        """How many blocks there are, where that is not to be seen from the size."""
        self.attach(descriptor)

    def attach(self, descriptor: int) -> None:
        """Go on with the open file, which may have grown."""
        self._descriptor, self._info = descriptor, os.fstat(descriptor)

    def is_same(self, descriptor: int) -> bool:
        """Return whether that is what was read, with something behind it at most."""
        info = os.fstat(descriptor)
        facts = info.st_size, info.st_mtime_ns
        if facts == (self._info.st_size, self._info.st_mtime_ns):
            return True
        if self._zipped or info.st_size <= self._info.st_size:
            return False
        if os.pread(descriptor, len(self._head), 0) != self._head:
            return False
        last = self._info.st_size // _BLOCK
        self._blocks.discard(last)
        self._begins.pop(last, None)
        self._tail = 0, b""
        return True

    @property
    def memory(self) -> int:
        """The memory that this takes, about."""
        places = len(self._asides) + len(self._unknown)
        blocks = len(self._blocks) * _BLOCK_BYTES
        return self._source.memory + places * _PLACE_BYTES + blocks

    @property
    def limit(self) -> str:
        """Why no more of it is read, in words; else empty."""
        if self.memory > _MOST_BYTES:
            return "it names more messages than are remembered"
        if self._zipped and len(self._blocks) >= _MOST_UNZIPPED // _BLOCK:
            return f"no more than {_MOST_UNZIPPED >> 20} MB were decompressed"
        return ""

    def cover(self, start: float, end: float, budget: Budget) -> None:
        """Read what has not been read from one moment to another, in epoch seconds.

        Lines of a log are in the order of their times, all but a few.

        Raises:
            OSError: It cannot be read, or not be decompressed.
        """
        if self._info.st_mtime < start:
            return
        number = self._first(start)
        while number < self._count() and not self.limit:
            if number not in self._blocks and not self._scan(number, budget):
                return
            if self._begins.get(number, -math.inf) > end:
                return
            number += 1

    def aside(self, filebase: str) -> int | None:
        """Return where that name ends in a line about a message that was put aside."""
        return self._asides.get(hash(filebase.encode()))

    def unknown(self, message_id: str) -> tuple[int, ...]:
        """Return where lines begin that may tell of an unknown list."""
        return self._unknown.get(hash(message_id), ())

    def read(self, offset: int, size: int) -> bytes:
        """Return what is there.

        Raises:
            OSError: It cannot be read, or not be decompressed.
        """
        return self._source.read(self._descriptor, offset, size)

    def rest(self) -> None:
        """Keep only what was found."""
        self._source.rest()

    # --- Behind the scenes

    def _count(self) -> float:
        if self._zipped:
            return self._ends
        return -(-self._info.st_size // _BLOCK)

    def _first(self, moment: float) -> int:
        """Return the block in which that moment is, or one before it."""
        if self._zipped:
            return 0
        if self._begin(0) == -math.inf:
            return max(0, self._info.st_size - _TIMELESS) // _BLOCK
        blocks = range(self._info.st_size // _BLOCK + 1)
        return max(0, bisect_left(blocks, moment, key=self._begin) - 1)

    def _begin(self, number: int) -> float:
        if number not in self._begins:
            data = self.read(number * _BLOCK, PROBE)
            found = time_in(data.split(b"\n"))
            if found is None:  # in the middle of something long
                found = time_in(self.read(number * _BLOCK, _BLOCK).split(b"\n"))
            self._begins[number] = -math.inf if found is None else found
        return self._begins[number]

    def _scan(self, number: int, budget: Budget) -> bool:
        """Read a block; return whether there was one, and it was allowed."""
        data = self.read(number * _BLOCK, _BLOCK)
        if not data:
            self._ends = number
        if not data or not budget.take(len(data)):
            return False
        told, tail = self._tail
        if told != number or not number:
            start = max(0, number * _BLOCK - _TAIL)
            tail = self.read(start, number * _BLOCK - start)
        self._note(tail + data, number * _BLOCK - len(tail), len(data) < _BLOCK)
        self._tail = number + 1, data[-_TAIL:]
        self._blocks.add(number)
        if number not in self._begins:
            found = time_in(data[:PROBE].split(b"\n"))
            self._begins[number] = -math.inf if found is None else found
        return True

    def _note(self, data: bytes, offset: int, is_last: bool) -> None:
        for hit in _ASIDE.finditer(data):
            if hit.end() < len(data) or is_last:
                self._asides.setdefault(hash(hit[1]), offset + hit.end(1))
        at = data.find(_UNKNOWN)
        while at >= 0:
            start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
            message_id = unknown_list(data[start:end])[0]
            if message_id:
                self._note_unknown(hash(message_id), offset + start)
            at = data.find(_UNKNOWN, end) if end >= 0 else -1

    def _note_unknown(self, key: int, offset: int) -> None:
        before = self._unknown.get(key, ())
        if offset not in before:
            self._unknown[key] = (*before, offset)[-_MOST_ALIKE:]


def unknown_list(line: bytes) -> tuple[str, str, str]:
    """Return the Message-ID, the runner and the list in a line about an unknown one."""
    text = line[:LONGEST_LINE].decode("utf-8", "replace")
    said, _, listed = text.rstrip().partition(UNKNOWN)
    before, _, runner = said.rpartition(' runner "')
    return before.rpartition(" ")[2], runner.rstrip('"'), listed


class LogIndex:
    """All logs that were read; for one thread at a time, who holds ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._files: dict[tuple[int, int], LogFile] = {}

    @contextmanager
    def opened(self, path: Path) -> Iterator[LogFile]:
        """Open a log, and give what is known of it.

        Raises:
            OSError: It cannot be read.
        """
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise OSError(errno.EINVAL, "it is no file")
            key = info.st_dev, info.st_ino
            log = self._files.pop(key, None)  # the last one used is the last one here
            if log is None or not log.is_same(descriptor):
                log = LogFile(descriptor)
            log.attach(descriptor)
            self._files[key] = log
            yield log
            log.rest()
        finally:
            os.close(descriptor)
            self._forget()

    def _forget(self) -> None:
        """Forget logs that have not been used for the longest, beyond the bounds."""
        held = sum(log.memory for log in self._files.values())
        while len(self._files) > 1 and (
            held > _MOST_BYTES or len(self._files) > _MOST_FILES
        ):
            held -= self._files.pop(next(iter(self._files))).memory
