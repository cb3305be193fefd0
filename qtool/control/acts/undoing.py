"""Which act is taken back, and by which moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.acting import acting_name, acting_uid
from qtool.control.acts.plans import Ways
from qtool.errors import NoSuchAct, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qtool.control.acts.journal import Journal
    from qtool.control.acts.records import Record, Summary

UNDO = "undo"


def undone(acts: Iterable[Summary]) -> Iterator[tuple[Summary, int]]:
    """Return each act with the number of the one that took it back, 0 for none.

    One that was cut off, left some, or found nothing to take back does not count.

    Args:
        acts: The newest first, and all of them.
    """
    by: dict[int, int] = {}
    for act in acts:
        taken_back = by.get(act.number, 0)
        is_whole = not act.left and (act.is_under_way or act.done)
        if act.undoes and not taken_back and is_whole:
            by[act.undoes] = act.number
        yield act, taken_back


def to_undo(
    journal: Journal, number: int | None, *, others: bool
) -> tuple[Record, str]:
    """Return the act to take back: that of the number, or the user's own last.

    With it comes what to tell of damaged records that were passed over; mostly "".

    Raises:
        Refused: There is none, it was taken back already, it is under way, or it is
            another user's and was not asked for by ``others``.
        NoSuchAct: There is none of that number, or it cannot be understood.
    """
    me = acting_uid(), acting_name()
    damaged: list[str] = []
    tried: set[int] = set()  # in vain, as nothing of it was there any more
    for act, by in undone(journal.summaries()):
        if act.done == 0 and not act.left:
            tried.add(act.undoes)
        is_meant = act.number == number
        if number is None:
            did_any = act.done != 0 and not act.undoes and act.number not in tried
            is_meant = (act.uid, act.who) == me and not by and did_any
        damage = act.damage
        if is_meant:
            _check(act, by, is_allowed=others or (act.uid, act.who) == me)
            try:
                return journal.read(act.number), "; ".join(damaged)
            except NoSuchAct as error:  # in the middle, where nobody has looked yet
                if number is not None:
                    raise
                damage = str(error)
        if damage:
            damaged.append(f"passed over {damage}")
        if number is not None and act.number < number:
            break
    if number is not None:
        raise journal.missing(number)
    raise Refused("; ".join(["there is no act of yours to undo", *damaged]))


def _check(act: Summary, by: int, *, is_allowed: bool) -> None:
    if act.damage:
        raise NoSuchAct(act.damage)
    if by:
        raise Refused(f"act {act.number} was undone by act {by}")
    if not is_allowed:
        raise Refused(f"act {act.number} is {act.who}'s, not yours")
    if act.is_under_way:
        raise Refused(f"act {act.number} is under way: wait for its end")
    # What failed may have changed an entry where it stayed.
    if act.done == 0 and not act.left:
        raise Refused(f"act {act.number} did nothing that could be taken back")


def ways_back(record: Record) -> Ways:
    """Return the way back of each entry that an act was done to."""
    return Ways(moves=[move.backwards for move in record.carried_out])
