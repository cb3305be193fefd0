"""Which act is taken back, and by which moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.plans import Ways
from qtool.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qtool.control.journal import Journal, Record

UNDO = "undo"


def undone(records: Iterable[Record]) -> Iterator[tuple[Record, int]]:
    """Return each act with the number of the one that took it back, 0 for none.

    Args:
        records: The newest first, and all of them.
    """
    by: dict[int, int] = {}
    for record in records:
        taken_back = by.get(record.number, 0)
        if record.undoes and not taken_back:
            by[record.undoes] = record.number
        yield record, taken_back


def to_undo(journal: Journal, number: int | None, uid: int, *, others: bool) -> Record:
    """Return the act to take back: that of the number, or the user's own last.

    Raises:
        Refused: There is none, it was taken back already, or it is another user's
            and was not asked for by ``others``.
        NoSuchAct: There is none of that number.
    """
    if number is None:
        return _own_last(journal, uid)
    wanted = journal.read(number)
    for record, by in undone(journal.records()):
        if record.number == number and by:
            raise Refused(f"act {number} was undone by act {by}")
        if record.number <= number:
            break
    if wanted.uid != uid and not others:
        raise Refused(f"act {number} is {wanted.who}'s, not yours")
    return wanted


def _own_last(journal: Journal, uid: int) -> Record:
    for record, by in undone(journal.records()):
        if record.uid == uid and not by and not record.undoes:
            return record
    raise Refused("there is no act of yours to undo")


def ways_back(record: Record) -> Ways:
    """Return the way back of each entry that an act was done to."""
    return Ways(moves=[move.backwards for move in record.carried_out])
