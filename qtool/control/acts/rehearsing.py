"""What taking an act back would do, as far as a look can tell."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from qtool.control.acts.records import Moved
from qtool.control.acts.undoing import UNDO, ways_back
from qtool.control.models import Preview
from qtool.control.models.mending import FIRST, NO_WAY
from qtool.control.places import place
from qtool.errors import NoSuchQueue
from qtool.queues.filebase import when_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.acts.records import Record
    from qtool.control.desk.desk import Desk
    from qtool.control.models import Entry
    from qtool.installation import Configuration


def rehearsed_undo(
    configuration: Configuration, desk: Desk, record: Record, note: str
) -> Preview:
    """Return which entries of an act would go back, and what has become of others.

    It has no token: the act's record is the list.
    """
    moves = sorted(ways_back(record).moves, key=lambda move: when_of(move.filebase))
    present = _present(configuration, moves)
    found, gone = list[Moved](), Counter[str]()
    for move in moves:
        if (move.filebase, move.suffix) in present[move.source]:
            found.append(move)
        else:
            gone[move.source] += 1
    return Preview(
        verb=UNDO,
        queue=record.queue,
        to="",
        count=len(found),
        oldest=when_of(found[0].filebase) if found else None,
        first=tuple(_described(desk, found[:FIRST])),
        token="",
        warnings=(*_told(found, gone), *filter(None, [note])),
        refusal="" if found else NO_WAY,
        undoes=record.number,
    )


def _told(found: Sequence[Moved], gone: Counter[str]) -> Iterator[str]:
    targets = Counter(move.target for move in found if not move.swapped)
    for queue, count in sorted(targets.items()):
        yield f"{count:,} would go to {queue}"
    for move in found:
        if move.swapped:
            yield f"{move.filebase} of {move.target} would be as it was before"
    for queue, count in sorted(gone.items()):
        yield f"{count:,} would be left: not in {queue} any more, or in a hand"


def _present(
    configuration: Configuration, moves: Sequence[Moved]
) -> dict[str, set[tuple[str, str]]]:
    """Return which names are in the places that some moves begin in."""
    present: dict[str, set[tuple[str, str]]] = {}
    for name in {move.source for move in moves}:
        try:
            names = place(configuration, name).names()
        except NoSuchQueue:
            names = []
        parted = (each.rpartition(".") for each in names)
        present[name] = {(base, f".{suffix}") for base, _, suffix in parted}
    return present


def _described(desk: Desk, moves: Sequence[Moved]) -> list[Entry]:
    found: list[Entry] = []
    for name, each in groupby(moves, key=lambda move: move.source):
        found += desk.described(name, tuple(move.filebase for move in each))
    return found
