"""The oldest entries of a queue, soon: of what is behind them little is looked at.

To check all names of a large folder takes as long as to have it listed. Whoever wants
the first page is spared that: a name that sorts behind it is not checked before the
next page is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from qtool.queues.filebase import in_order
from qtool.queues.folder import chunks, plain_names
from qtool.queues.paging import (
    POINT_OF_USUAL,
    Paging,
    entries_among,
    one_for_each,
)
from qtool.queues.slices import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from qtool.queues.paging import NamePage

_SAMPLE = 4000
"""So many names tell well enough where a hundredth of all ends."""
_POINT, _POINTS = itemgetter(POINT_OF_USUAL), {"."}


def first_page(directory: str, count: int, most: int) -> NamePage:
    """Return the oldest entries of a folder, and the names of all that is there.

    Args:
        directory: The folder.
        count: How many entries, at most.
        most: So many names are kept, about; where there are more the page has
            nothing ``ahead``.
    """
    names, every = list[str](), chunks(directory)
    for chunk in every:
        found = plain_names(chunk)
        names += found
        if len(names) > most or not _compare_as_text(found):
            return _exactly(names, every, count)
    first = _first(names, count)
    page = _exactly(first, (), count)
    if not page.names or len(first) == len(names):
        return _exactly(names, (), count)
    total = page.total + len(names) - len(first)
    return replace(page, total=total, more=True, ahead=tuple(names))


def rest_of(ahead: Sequence[str], after: str) -> tuple[str, ...]:
    """Return what a first page had ahead and is behind a filebase, oldest first."""
    names = [name for name in ahead if name > f"{after}/"]
    return tuple(one_for_each(in_order(entries_among(names))))


def _exactly(
    names: list[str], every: Iterable[Sequence[os.DirEntry[str]]], count: int
) -> NamePage:
    """Return the page of some names and what else there is, each of them checked."""
    paging = Paging(whole(), "", count)
    paging.add(names)
    for chunk in every:
        paging.add(plain_names(chunk))
    return paging.result()


def _compare_as_text(names: Sequence[str]) -> bool:
    """Whether the times of the entries among some names compare as text."""
    try:
        return set(map(_POINT, names)) <= _POINTS
    except IndexError:
        return False


def _first(names: list[str], count: int) -> list[str]:
    """Return what is surely on the page, and all of it that comes before the last.

    Nothing is put in order for that but a sample, which tells where to cut.
    """
    sample = sorted(names[:: len(names) // _SAMPLE + 1])
    at = count * len(sample) // (len(names) + 1) * 3 // 4
    if len(names) <= count or not at:
        return names
    end = sample[at].rpartition(".")[0]
    first = [name for name in names if name < end]
    return first if len(first) <= count else names
