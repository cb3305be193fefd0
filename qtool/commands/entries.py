"""Entries as lines and as JSON, and all pages of a search: what commands share."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from collections import Counter
from typing import TYPE_CHECKING

from qtool import render
from qtool.commands.output import put_json
from qtool.commands.tables import Column, Styled, Table, terminal_width
from qtool.errors import NoSuchEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qtool.commands.tables import Cell
    from qtool.control.control import Control
    from qtool.control.models import Entry, Found

PAGE = 1000
"""How many entries are asked for at a time."""

_SHORT_NAME = len("1795292186.811604+cf94")
_TELLING_NAME = 30
_FIRST_SECONDS, _SECONDS = 0.01, 0.05
# So long a page is read for, about: hits are to come soon, and progress to be shown.
_STATES = {".bak": "in flight", ".psv": "preserved"}
_WAITING, _EDITED = ".pck", "edited"


class Listing:
    """Entries as aligned lines, in parts.

    Args:
        where: Whether the queue of each is shown.
        why: Whether it is shown why they were shunted or preserved.
        in_json: Have one JSON object a line instead.
    """

    def __init__(
        self, *, where: bool = False, why: bool = False, in_json: bool = False
    ) -> None:
        width = terminal_width()
        self._is_short = width is not None
        self._where, self._why, self._in_json = where, why, in_json
        wide = max(0, (width or 0) - 80)
        self._table = Table(
            *([Column("QUEUE", most=12)] if where else []),
            Column("NAME"),
            Column("AGE", right=True),
            Column("SIZE", right=True),
            Column("LIST", most=12 + wide // 6),
            Column("FROM", most=14 + wide // 5),
            *([Column("WHY", most=30 + wide // 3)] if why else []),
            Column("SUBJECT"),
            width=width,
        )

    def put(self, entries: Iterable[Entry]) -> None:
        """Write some entries."""
        if not self._in_json:
            now, shown = time.time(), [*entries]
            names = self._names(shown)
            pairs = zip(shown, names, strict=True)
            self._table.put([self._row(entry, name, now) for entry, name in pairs])
            return
        for entry in entries:
            put_json(entry)

    def _names(self, entries: Sequence[Entry]) -> list[str]:
        """Return what to call entries: on a terminal no more than tells them apart."""
        if not self._is_short:
            return [entry.filebase for entry in entries]
        times = [entry.filebase.partition("+")[0] for entry in entries]
        often = Counter(times)
        return [
            when if often[when] == 1 else entry.filebase[:_SHORT_NAME]
            for when, entry in zip(times, entries, strict=True)
        ]

    def _row(self, entry: Entry, name: str, now: float) -> Sequence[Cell]:
        seconds = now - entry.when
        return (
            *([entry.queue] if self._where else []),
            name,
            render.due(seconds) if entry.due else render.age(seconds),
            None if entry.size is None else render.size(entry.size),
            entry.list_id or None,
            address(entry.sender) or None,
            *([entry.why or None] if self._why else []),
            _last(entry),
        )


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


def has_reasons(queue: str) -> bool:
    """Whether entries of a queue are there for a reason."""
    return queue in ("shunt", "bad")


def pages(
    control: Control, queue: str, where: str, number: int = PAGE
) -> Iterator[Found]:
    """Yield the pages of a search until nothing is left."""
    after, seconds = "", _FIRST_SECONDS
    while True:
        found = control.find(queue, where, after, number, seconds)
        yield found
        if found.complete:
            return
        after, seconds = found.after, _SECONDS


def the_one(control: Control, queue: str, name: str) -> str:
    """Return the only filebase of a queue that begins with what was typed.

    Raises:
        NoSuchEntry: There is none, or there are several.
    """
    beginning = name
    for suffix in (_WAITING, *_STATES):
        beginning = beginning.removesuffix(suffix)
    found = control.named(queue, beginning)
    if not found:
        raise NoSuchEntry(f"{queue}: no entry's name begins with {name}")
    if len(found) > 1:
        several = ", ".join(base[:_TELLING_NAME] for base in found)
        raise NoSuchEntry(f"{queue}: {name} may be one of several: {several}")
    return found[0]


def count(text: str) -> int:
    """Return how many entries are meant; for options."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ArgumentTypeError(f"expected a number of entries, not {text!r}")
    return int(text)
