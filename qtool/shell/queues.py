"""``queues``: what waits where, as words of the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from qtool.control.places import place
from qtool.errors import Refused
from qtool.shell.mending import VERBS
from qtool.shell.shown import Shown, table, terminal_width

if TYPE_CHECKING:
    from qtool.control.control import Control
    from qtool.shell.entry import EntryHandle
    from qtool.shell.selection import Selection


class Queue(Shown):
    """A queue, or another place where entries are; it acts on none by itself.

    ``.where('list:ant age>1h')`` selects some, ``.all()`` all of them. One of them is
    ``[0]``, or ``['1795']`` by the beginning of its name.
    """

    def __init__(self, control: Control, name: str) -> None:
        self._control = control
        self.name = name
        """Its name."""

    def where(self, text: str) -> Selection:
        """Return those of its entries that a filter selects."""
        from qtool.shell.selection import selected

        return selected(self._control, self.name, text)

    def all(self) -> Selection:
        """Return all of its entries."""
        from qtool.shell.selection import ALL, Selection

        return Selection(self._control, self.name, ALL)

    def __len__(self) -> int:
        return self.all().count()

    def __bool__(self) -> bool:
        return bool(self.all())

    def __iter__(self) -> Iterator[EntryHandle]:
        return iter(self.all())

    @overload
    def __getitem__(self, at: int | str) -> EntryHandle: ...

    @overload
    def __getitem__(self, at: slice) -> list[EntryHandle]: ...

    def __getitem__(self, at: int | str | slice) -> EntryHandle | list[EntryHandle]:
        from qtool.shell.entry import named

        if isinstance(at, str):
            return named(self._control, self.name, at)
        return self.all()[at]

    def __getattr__(self, name: str) -> Any:
        if name in VERBS:
            raise Refused(f"say which: .where('FILTER').{name}(), or .all().{name}()")
        raise AttributeError(f"a queue has no {name!r}")

    def lines(self) -> Iterator[str]:
        """Show the oldest entries, and how many more there are."""
        selection = self.all()
        if selection:
            yield from selection.lines()
        else:
            yield f"nothing is in {self.name}"


class Queues(Mapping[str, Queue]):
    """The queues of the site by name, and ``held:QUEUE`` and ``trash:NUMBER``."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, name: str) -> Queue:
        place(self._control.configuration, name)  # raises where there is none
        return Queue(self._control, name)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._control.configuration.switchboards))

    def __len__(self) -> int:
        return len(self._control.configuration.switchboards)

    def __repr__(self) -> str:
        from qtool.render.entries import QUEUE_COLUMNS, queue_row
        from qtool.render.tables import Column

        board = self._control.scan()
        rows = [
            (*queue_row(row, board), row.verdict.words if row.verdict else None)
            for row in board.rows
            if row.has_queue
        ]
        columns = (*QUEUE_COLUMNS, Column("VERDICT"))
        return "\n".join(table(columns, rows, terminal_width())) or "no queues"
