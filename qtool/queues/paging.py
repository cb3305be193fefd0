"""Names of a queue's entries page by page, so that a million of them is never held.

A page begins behind a whole filebase. What was there all the time is on one page
and on no other, whatever comes and goes between two of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from qtool.queues import filebase
from qtool.queues.filebase import DIGEST_LENGTH, ENTRY_SUFFIXES, TIME, WAITING
from qtool.queues.folder import CHUNK, HEX, as_lines, chunks, plain_names

if TYPE_CHECKING:
    from qtool.queues.slices import Slice

_BEHIND = "/"
"""Sorts after the point of every suffix, and after no digit."""
_LAST = "~"
"""Sorts after every name."""
POINT_OF_USUAL = 10
"""Where the point is in times from 2001 to 2286, which compare as text."""
_DIGEST = rf"\+{HEX}{{{DIGEST_LENGTH}}}"
_ENTRIES = re.compile(
    rf"^{TIME}{_DIGEST}(?:{'|'.join(map(re.escape, ENTRY_SUFFIXES))})$", re.MULTILINE
)
_USUAL_WAITING = re.compile(
    rf"(?:[1-9][0-9]{{{POINT_OF_USUAL - 1}}}\.[0-9]{{1,22}}+{_DIGEST}"
    rf"{re.escape(WAITING)}\n)++"
)
"""Lines that all are names of what waits, and usual ones: to look over them takes
half as long as to find each."""
_ENDING, _WAITING = itemgetter(slice(-len(WAITING), None)), frozenset((WAITING,))


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePage:
    """Some entries of a queue, as their names tell them."""

    names: tuple[str, ...]
    """Names with their suffixes, oldest first; one for each filebase."""
    total: int
    """How many names of entries there are, those before the page and behind it too.

    Of those ``ahead`` some may turn out to be none.
    """
    more: bool
    """Whether there are more behind it."""
    ahead: tuple[str, ...] = ()
    """Of a first page: all names of the folder, in no order, if they are not many."""


class Paging:
    """The oldest names of a slice behind a filebase, as a folder is read.

    Args:
        part: The slice.
        after: The page begins behind this filebase; with the oldest when empty.
        count: How many filebases, at most; one at least.
        beginning: Only filebases that begin so.
    """

    def __init__(
        self, part: Slice, after: str, count: int, beginning: str = ""
    ) -> None:
        self._bounds = None if part.is_whole else part.bounds
        self._after = f"{after}{_BEHIND}" if after else ""
        self._as_text = not after or after.find(".") == POINT_OF_USUAL
        self._count = max(1, count)
        self._most = 2 * self._count + CHUNK
        self._beginning = beginning
        self._names: list[str] = []
        self._before = _LAST
        self._total = 0
        self._cut = False

    def add(self, names: list[str]) -> None:
        """Take those of some names of regular files that belong on the page."""
        found = entries_among(names)
        are_usual = found is names
        if self._bounds is not None:
            lower, upper = self._bounds
            found = [name for name in found if lower <= _digest(name) < upper]
        self._total += len(found)
        if self._beginning:
            found = [name for name in found if name.startswith(self._beginning)]
        if self._as_text and (are_usual or filebase.are_usual(found)):
            after, before = self._after, self._before
            if after or before is not _LAST:
                found = [name for name in found if after < name < before]
            self._names += found
        else:
            self._add_unusual(found)
        if len(self._names) >= self._most:
            self._trim()

    def _add_unusual(self, found: list[str]) -> None:
        """Take names whose times do not all compare as text."""
        self._before, self._as_text = _LAST, False
        after = _key(self._after)
        self._names += [name for name in found if after < _key(name)]

    def _trim(self) -> None:
        """Forget what is behind the page."""
        self._names = one_for_each(filebase.in_order(self._names))
        if len(self._names) > self._count:
            del self._names[self._count :]
            self._cut = True
            if self._as_text:
                self._before = f"{self._names[-1].rpartition('.')[0]}{_BEHIND}"

    def result(self) -> NamePage:
        """Return the page."""
        self._trim()
        return NamePage(names=tuple(self._names), total=self._total, more=self._cut)


def page_of(directory: str, paging: Paging) -> NamePage:
    """Return a page of a folder; an empty one where there is none."""
    for chunk in chunks(directory):
        paging.add(plain_names(chunk))
    return paging.result()


def entries_among(names: list[str]) -> list[str]:
    """Return those of some names that are names of entries.

    The same list says that all are, that all wait, and that their times compare as
    text.
    """
    lines, whole = as_lines(names)
    if whole is names and _USUAL_WAITING.fullmatch(f"{lines}\n"):
        return names
    return _ENTRIES.findall(lines)


def one_for_each(names: list[str]) -> list[str]:
    """Return sorted names, of those with one filebase the last: what waits, if any."""
    if set(map(_ENDING, names)) <= _WAITING:
        return names
    return [*{name.rpartition(".")[0]: name for name in names}.values()]


def _key(name: str) -> tuple[int, str]:
    return name.find("."), name


def _digest(name: str) -> str:
    end = name.rindex(".")
    return name[end - DIGEST_LENGTH : end]
