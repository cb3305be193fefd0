"""Entries as lines and as JSON: what commands share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.commands.output import put_json
from qtool.commands.tables import Table, terminal_width
from qtool.render import entries as entry_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtool.control.models import Entry


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
        columns = entry_tables.columns(width, where=where, why=why)
        self._table = Table(*columns, width=width)

    def put(self, entries: Iterable[Entry], *, more: bool = False) -> None:
        """Write some entries; where more may come, all are aligned to each other."""
        if self._in_json:
            for entry in entries:
                put_json(entry)
            return
        if more:
            self._table.reserve()
        rows = entry_tables.rows(
            [*entries],
            time.time(),
            short=self._is_short,
            where=self._where,
            why=self._why,
        )
        self._table.put(rows)


def has_reasons(queue: str) -> bool:
    """Whether entries of a queue are there for a reason."""
    return queue in ("shunt", "bad")
