"""Listing a queue for one slice, or for several from one reading."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from qtool.queues import filebase
from qtool.queues.filebase import DIGEST_LENGTH, TIME
from qtool.queues.folder import CHUNK, HEX, as_lines, plain_names
from qtool.queues.slices import Spread

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from qtool.queues.slices import Slice

_LATEST = "~"
"""Sorts after every filebase."""


class Batch:
    """Filebases of one slice, oldest first; at most ``limit`` of them."""

    def __init__(
        self, part: Slice, extension: str, limit: int | None, after: str = ""
    ) -> None:
        self.filebases: list[str] = []
        self.is_full = False
        """Whether there are more than ``limit``."""
        self.after = after
        """Names up to this one are left out: the slice's runner has them in hand."""
        self.usual = True
        """Whether all names compare as text."""
        self._bounds = part.bounds
        self._extension = extension
        self._limit = limit
        self._youngest = _LATEST
        """Where only older ones still matter."""

    def add_entries(self, chunk: Iterable[os.DirEntry[str]]) -> None:
        """Add those of some entries of the folder that are in the slice.

        The cheapest test comes first: this is one runner's share of every
        listing of a queue with many slices.
        """
        lower, upper = self._bounds
        youngest, entire = self._youngest, _pattern(self._extension).fullmatch
        end = len(self._extension)
        tail = -(DIGEST_LENGTH + end)
        found = [
            name[:-end]
            for entry in chunk
            if lower <= (name := entry.name)[tail:] < upper
            and (name < youngest or name[10:11] != ".")
            and entire(name)
            and entry.is_file(follow_symlinks=False)
        ]
        self.usual &= filebase.are_usual(found)
        self.filebases += found
        self.trim()

    def add(self, found: str) -> None:
        """Add one filebase of the slice."""
        if found > self.after or found[10] != ".":
            self.filebases.append(found)

    def trim(self) -> None:
        """Forget what cannot be among the oldest, once there is much of it."""
        if self._limit is not None and len(self.filebases) >= 2 * self._limit + CHUNK:
            self.cut()

    def cut(self) -> None:
        """Put what was added in order, and forget what is beyond the limit."""
        self.filebases[:] = filebase.in_order(self.filebases, usual=self.usual)
        if self._limit is not None and len(self.filebases) > self._limit:
            del self.filebases[self._limit :]
            self.is_full = True
            if self.filebases and self.filebases[-1][10] == ".":
                self._youngest = self.filebases[-1]


class Batches:
    """Batches of several slices that are filled from one reading."""

    def __init__(
        self, slices: Mapping[Slice, str], extension: str, limit: int | None
    ) -> None:
        self.by_slice = {
            part: Batch(part, extension, limit, after) for part, after in slices.items()
        }
        self._is_everything = limit is None and any(part.is_whole for part in slices)
        self._findall = _pattern(extension).findall
        self._spread = Spread(slices)
        self._owners: list[list[Batch]] = [[] for _ in range(len(self._spread))]
        for part, batch in self.by_slice.items():
            for number in self._spread.parts_of(part):
                self._owners[number].append(batch)
        self._adds = {
            prefix: self._add_of(number)
            for prefix, number in self._spread.by_prefix().items()
        }

    def _add_of(self, number: int | None) -> Callable[[str], None]:
        """Return what adds a filebase of one prefix, the quickest that will do."""
        owners = self._owners[number] if number is not None else ()
        if len(owners) != 1:
            return self._add
        return owners[0].add if owners[0].after else owners[0].filebases.append

    def _add(self, found: str) -> None:
        for batch in self._owners[self._spread.part_of(found[-DIGEST_LENGTH:])]:
            batch.add(found)

    def add_entries(self, chunk: Sequence[os.DirEntry[str]]) -> None:
        """Add some entries of the folder, each to the slices that it is in."""
        if len(self.by_slice) == 1 and not self._is_everything:
            for batch in self.by_slice.values():
                batch.add_entries(chunk)
            return
        adds, found = self._adds, self._findall(as_lines(plain_names(chunk))[0])
        usual = filebase.are_usual(found)
        for name in found:
            adds[name[-40:-38]](name)
        for batch in self.by_slice.values():
            batch.usual &= usual
            batch.trim()

    def finish(self) -> None:
        """Put every batch in order."""
        for batch in self.by_slice.values():
            batch.cut()


class Names:
    """Whole names of the entries of one slice, of several suffixes."""

    def __init__(self, part: Slice, suffixes: tuple[str, ...]) -> None:
        self._lower, self._upper = part.bounds
        self._suffixes = suffixes
        self._names: list[str] = []

    def add_entries(self, chunk: Iterable[os.DirEntry[str]]) -> None:
        """Add those of some entries of the folder that are in the slice."""
        lower, upper, suffixes = self._lower, self._upper, self._suffixes
        entire = _pattern(*suffixes).fullmatch
        self._names += [
            name
            for entry in chunk
            if (name := entry.name).endswith(suffixes)
            and (match := entire(name))
            and lower <= match[1][-DIGEST_LENGTH:] < upper
            and entry.is_file(follow_symlinks=False)
        ]

    def result(self) -> list[str]:
        """Return the names, oldest first."""
        return filebase.in_order(self._names)


@lru_cache(maxsize=8)
def _pattern(*suffixes: str) -> re.Pattern[str]:
    ends = "|".join(map(re.escape, suffixes))
    base = rf"{TIME}\+{HEX}{{{DIGEST_LENGTH}}}"
    return re.compile(rf"^({base})(?:{ends})$", re.MULTILINE)
