"""Lines in colour, and tables: on a terminal no wider than it is."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, TypeVar

from qtool.commands.output import carries_unicode, erase, put, put_json, tell
from qtool.render import tables
from qtool.render.tables import CUT_SIGN, Cell, Column, Styled, plain, width_of, wrapped

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Sequence

    from qtool.render import Span

__all__ = [
    "Cell",
    "Column",
    "Styled",
    "Table",
    "below",
    "cut",
    "cut_line",
    "is_in_colour",
    "put_lines",
    "put_table",
    "terminal_width",
    "width_of",
    "wrapped",
]

M = TypeVar("M")

_PLAIN_CUT_SIGN = "~"
_BELOW = 4


class Table(tables.Table):
    """A table that goes to standard output, maybe in parts."""

    def __init__(self, *columns: Column, width: int | None = None) -> None:
        super().__init__(*columns, width=width, sign=_cut_sign())

    def put(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows; the headings stand before the first part."""
        put_lines(self.lines(rows))


def put_table(
    options: Namespace,
    models: Sequence[M],
    columns: Iterable[Column],
    row: Callable[[M], Sequence[Cell]],
    nothing: str,
) -> None:
    """Write some models as rows, or as JSON lines where the options ask for that.

    Args:
        options: Those of the command.
        models: What is written.
        columns: The headings.
        row: Makes a row.
        nothing: What is told where there are none.
    """
    if options.json:
        for each in models:
            put_json(each)
    elif models:
        Table(*columns, width=terminal_width()).put(map(row, models))
    else:
        tell(nothing)


def below(told: Iterable[Span], width: int | None) -> list[list[Span]]:
    """Return what is told below a row, indented, in lines of whole words."""
    return [
        [(style, " " * (_BELOW + 2 * bool(number)) + text)]
        for style, whole in told
        for number, text in enumerate(wrapped(whole, width, _BELOW + 2))
    ]


def put_lines(lines: Iterable[Sequence[Span]]) -> None:
    """Write lines of styled text, in colour where that is wanted and possible."""
    if not is_in_colour():
        for text in plain(lines):
            put(text)
        return
    from rich.console import Console  # costs 40 ms
    from rich.text import Text

    from qtool import render

    erase()
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        spans = [(text, render.STYLES[style]) for style, text in line]
        console.print(Text.assemble(*spans))


def is_in_colour() -> bool:
    """Whether standard output is a terminal that is to show colour."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def terminal_width() -> int | None:
    """Return the columns of the terminal that data go to; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cut_line(line: Sequence[Span], width: int) -> list[Span]:
    """Return a line in ``width`` columns at most, with a sign where it is cut."""
    return tables.cut_spans(line, width, _cut_sign())


def cut(text: str, width: int) -> str:
    """Return text in ``width`` columns at most, with a sign where it is cut."""
    return tables.cut(text, width, _cut_sign())


def _cut_sign() -> str:
    return CUT_SIGN if carries_unicode(sys.stdout) else _PLAIN_CUT_SIGN
