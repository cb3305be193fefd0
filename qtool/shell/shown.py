"""Values whose text at the prompt is for people: lines and tables, safe to print."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qtool.control.models import Entry
    from qtool.render.tables import Cell, Column

T = TypeVar("T")
M = TypeVar("M")

GO_ON = "_.confirm() does it to exactly these, within an hour"
"""How to go on from what is only shown."""

_LONGEST_LINE = 4000


class Shown:
    """Something with a text of lines."""

    def lines(self) -> Iterable[str]:
        """Return what the prompt shows, line by line. Untrusted text may be in it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return "\n".join(visible(line, _LONGEST_LINE) for line in self.lines())


class Result(Shown, Generic[M]):
    """A model, whose fields are this one's, with a text for people."""

    def __init__(self, model: M) -> None:
        self._model = model

    @property
    def model(self) -> M:
        """The model itself."""
        return self._model

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # nothing of a half-made copy is asked for
        return getattr(self._model, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *dir(self._model)]


class Listed(Shown, Sequence[T], Generic[T]):
    """A list with a text for people."""

    def __init__(
        self, values: Iterable[T], lines: Callable[[Sequence[T]], Iterable[str]]
    ) -> None:
        self._values = list(values)
        self._lines = lines

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> Listed[T]: ...

    def __getitem__(self, at: int | slice) -> T | Listed[T]:
        if isinstance(at, slice):
            return Listed(self._values[at], self._lines)
        return self._values[at]

    def __len__(self) -> int:
        return len(self._values)

    def lines(self) -> Iterable[str]:
        """Return it as a table, say."""
        return self._lines(self._values)


def table(
    columns: Iterable[Column], rows: Iterable[Sequence[Cell]], width: int | None
) -> list[str]:
    """Return a table as lines."""
    from qtool.render.tables import Table, plain

    return plain(Table(*columns, width=width).lines(rows))


def entry_table(entries: Sequence[Entry], now: float) -> list[str]:
    """Return entries as the lines of a table; nothing for none."""
    from qtool.render import entries as entry_tables

    width, why = terminal_width(), any(entry.why for entry in entries)
    rows = entry_tables.rows(entries, now, short=width is not None, why=why)
    return table(entry_tables.columns(width, why=why), rows, width) if rows else []


def terminal_width() -> int | None:
    """Return the columns of the terminal that text goes to; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
