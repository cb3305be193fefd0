"""Entries, and the queues that they are in, as rows of tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from qtool import render
from qtool.render.tables import Column, Styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import Board, Entry, QueueRow
    from qtool.render.tables import Cell

SHORT_NAME = len("1795292186.811604+cf94")
"""So much of a name tells an entry from others, nearly always."""

_TIME, _SIZE = len("1795292186.811604"), len("811.6 KB")
_STATES = {".bak": "in flight", ".psv": "preserved"}
_WAITING, _EDITED = ".pck", "edited"


def columns(
    width: int | None, *, where: bool = False, why: bool = False
) -> list[Column]:
    """Return the columns of a list of entries.

    Args:
        width: How wide lines are to be; None for as wide as they have to be.
        where: Whether the queue of each is shown.
        why: Whether it is shown why they were shunted or preserved.
    """
    wide = max(0, (width or 0) - 80)
    return [
        *([Column("QUEUE", most=12)] if where else []),
        Column("NAME", least=_TIME),
        Column("AGE", right=True),
        Column("SIZE", right=True, least=_SIZE),
        Column("LIST", most=12 + wide // 6),
        Column("FROM", most=14 + wide // 5, least=14 + wide // 5),
        *([Column("WHY", most=30 + wide // 3)] if why else []),
        Column("SUBJECT"),
    ]


def rows(
    entries: Sequence[Entry],
    now: float,
    *,
    short: bool,
    where: bool = False,
    why: bool = False,
) -> list[Sequence[Cell]]:
    """Return what stands in the columns for entries.

    Args:
        entries: The entries.
        now: Epoch seconds.
        short: Whether names are no longer than tells these entries apart.
        where, why: As for the columns.
    """
    names = _names(entries, short=short)
    return [
        (
            *([entry.queue] if where else []),
            name,
            render.due(now - entry.when) if entry.due else render.age(now - entry.when),
            None if entry.size is None else render.size(entry.size),
            entry.list_id or None,
            address(entry.sender) or None,
            *([entry.why or None] if why else []),
            _last(entry),
        )
        for entry, name in zip(entries, names, strict=True)
    ]


def _names(entries: Sequence[Entry], *, short: bool) -> list[str]:
    if not short:
        return [entry.filebase for entry in entries]
    times = [entry.filebase.partition("+")[0] for entry in entries]
    often = Counter(times)
    return [
        when if often[when] == 1 else entry.filebase[:SHORT_NAME]
        for when, entry in zip(times, entries, strict=True)
    ]


def _last(entry: Entry) -> Cell:
    """Return the subject, after the state of what does not simply wait."""
    if entry.error:
        return Styled(f"unreadable: {entry.error}", "error")
    if entry.suffix == _WAITING:
        return entry.subject or None
    return f"[{_STATES.get(entry.suffix, _EDITED)}] {entry.subject}"


def address(sender: str) -> str:
    """Return the address in a sender, without a name before it."""
    before, sign, rest = sender.partition("<")
    inner = rest.partition(">")[0].strip() if sign else ""
    return inner or before.strip()


QUEUE_COLUMNS = (
    Column("QUEUE"),
    Column("DEPTH", right=True),
    Column("FLIGHT", right=True),
    Column("OLDEST", right=True),
    Column("HELD", right=True),
    Column("PRESERVED", right=True),
)


def queue_row(row: QueueRow, board: Board) -> Sequence[Cell]:
    """Return what stands in the columns for a queue."""
    oldest = render.oldest(row, board.at, honours_due=row.honours_due)
    aside = (row.held or None, row.preserved or None)
    return (row.name, render.depth(row), row.in_flight, oldest, *aside)
