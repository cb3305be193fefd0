"""Which act is taken back, and by which moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.acts.plans import Ways
from qtool.errors import NoSuchAct, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qtool.control.acts.journal import Journal
    from qtool.control.acts.records import Record

UNDO = "undo"


def undone(records: Iterable[Record]) -> Iterator[tuple[Record, int]]:
    """Return each act with the number of the one that took it back, 0 for none.

    One that was cut off, or left some, can be done again: it does not count.

    Args:
        records: The newest first, and all of them.
    """
    by: dict[int, int] = {}
    for record in records:
        taken_back = by.get(record.number, 0)
        is_whole = record.is_under_way or (record.done is not None and not record.left)
        if record.undoes and not taken_back and is_whole:
            by[record.undoes] = record.number
        yield record, taken_back


def to_undo(
    journal: Journal, number: int | None, uid: int, *, others: bool
) -> tuple[Record, str]:
    """Return the act to take back: that of the number, or the user's own last.

    With it comes what to tell of damaged records that were passed over; mostly "".

    Raises:
        Refused: There is none, it was taken back already, it is under way, or it is
            another user's and was not asked for by ``others``.
        NoSuchAct: There is none of that number, or it cannot be understood.
    """
    damaged: list[str] = []
    for record, by in undone(journal.records()):
        is_meant = record.number == number
        if number is None:
            did_any = record.done != () and not record.undoes
            is_meant = record.uid == uid and not by and did_any
        if is_meant:
            _check(record, by, uid, others=others)
            return record, "; ".join(damaged)
        if record.damage:
            damaged.append(f"passed over {record.damage}")
        if number is not None and record.number < number:
            break
    if number is not None:
        raise NoSuchAct(f"there is no act {number} on record")
    raise Refused("; ".join(["there is no act of yours to undo", *damaged]))


def _check(record: Record, by: int, uid: int, *, others: bool) -> None:
    if record.damage:
        raise NoSuchAct(record.damage)
    if by:
        raise Refused(f"act {record.number} was undone by act {by}")
    if record.uid != uid and not others:
        raise Refused(f"act {record.number} is {record.who}'s, not yours")
    if record.is_under_way:
        raise Refused(f"act {record.number} is under way: wait for its end")
    # What failed may have changed an entry where it stayed.
    if record.done == () and not record.left:
        raise Refused(f"act {record.number} did nothing that could be taken back")


def ways_back(record: Record) -> Ways:
    """Return the way back of each entry that an act was done to."""
    return Ways(moves=[move.backwards for move in record.carried_out])
