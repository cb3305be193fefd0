"""Tables as lines of styled text: aligned, and cut where there is less room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qtool.render import Span

CUT_SIGN = "…"

_GAP = "  "
_LONGEST_CELL = 4000
_WIDEST = 60
"""What is wider, where lines are not cut, moves nothing but its own line: the width of
the name of an entry."""


class Styled(NamedTuple):
    """A cell in colour, where there is colour: a state."""

    text: str
    style: str
    """One of ``qtool.render.STYLES``."""


Cell: TypeAlias = "Styled | str | int | float | None"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    right: bool = False
    """Aligned at its right end, as numbers are."""
    most: int = 0
    """How wide it is on a terminal, at most; 0 is as wide as it has to be."""
    least: int = 0
    """How wide it is there where rows come that nobody has seen; see ``reserve``."""


class Table:
    """A table that may come in parts; each is as wide as it and those before need.

    Cells are untrusted, and made visible. None is shown as ``-``.

    Args:
        columns: Its columns.
        width: Where lines are cut; None keeps all whole, columns, too.
        sign: What stands where something is cut, one column wide.
    """

    def __init__(
        self, *columns: Column, width: int | None = None, sign: str = CUT_SIGN
    ) -> None:
        self._columns = columns
        self._width = width
        self._sign = sign
        self._widths = [width_of(column.title) for column in columns]
        self._has_heading = False

    def lines(self, rows: Iterable[Sequence[Cell]]) -> list[list[Span]]:
        """Return rows as lines; the headings stand before the first part."""
        shown = [
            [self._shown(*pair) for pair in zip(row, self._columns, strict=True)]
            for row in rows
        ]
        for row in shown:
            self._widen(self._width_of(cell) for cell in row)
        if not self._has_heading:
            self._has_heading = True
            shown.insert(0, [Styled(each.title, "title") for each in self._columns])
        return [self._line(row) for row in shown]

    def reserve(self) -> None:
        """Keep room in the columns for rows of later parts, so that all are aligned."""
        if self._width is not None:
            self._widen(column.least for column in self._columns)

    def _widen(self, widths: Iterable[int]) -> None:
        self._widths = list(map(max, zip(self._widths, widths, strict=True)))

    def _width_of(self, cell: Styled) -> int:
        width = width_of(cell.text)
        return min(width, _WIDEST) if self._width is None else width

    def _shown(self, cell: Cell, column: Column) -> Styled:
        text, style = cell if isinstance(cell, Styled) else (cell, "")
        whole = "-" if text is None else visible(text, _LONGEST_CELL)
        if self._width is not None and column.most:
            whole = cut(whole, column.most, self._sign)
        return Styled(whole, style)

    def _line(self, row: Sequence[Styled]) -> list[Span]:
        spans: list[Span] = []
        for cell, column, width in zip(row, self._columns, self._widths, strict=True):
            space = " " * (width - width_of(cell.text))
            if spans:
                spans.append(("", _GAP))
            text = space + cell.text if column.right else cell.text + space
            spans.append((cell.style, text))
        if not self._columns[-1].right:
            spans[-1] = (row[-1].style, row[-1].text)
        if self._width is None:
            return spans
        return cut_spans(spans, self._width, self._sign)


def plain(lines: Iterable[Iterable[Span]]) -> list[str]:
    """Return lines without their styles."""
    return ["".join(text for _, text in line).rstrip() for line in lines]


def width_of(text: str) -> int:
    """Return how many columns text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int, sign: str = CUT_SIGN) -> str:
    """Return text in ``width`` columns at most, with a sign where it is cut."""
    if width_of(text) <= width:
        return text
    if text.isascii():
        return text[: max(0, width - 1)] + sign
    from rich.cells import set_cell_size

    return set_cell_size(text, max(0, width - 1)).rstrip() + sign


def wrapped(text: str, width: int | None, indent: int) -> list[str]:
    """Return text in lines of whole words; what is longer than a line is broken.

    Args:
        text: It has no line breaks.
        width: How wide lines may be; None for any width.
        indent: How far they are to be indented, which is left to the caller.
    """
    if width is None or width <= 2 * indent or width_of(text) <= width - indent:
        return [text]
    if not text.isascii():
        return _wrapped_cells(text, width - indent)
    from textwrap import wrap

    return wrap(text, width - indent, break_on_hyphens=False) or [""]


def _wrapped_cells(text: str, width: int) -> list[str]:
    """Return text in lines; some of its characters may be two columns wide."""
    from rich.cells import chop_cells

    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer) > width:
            begun = [line] if line else []
            *whole, longer = chop_cells(word, width) or [""]
            lines += begun + whole
        line = longer
    return [*lines, line]


def cut_spans(spans: Iterable[Span], width: int, sign: str = CUT_SIGN) -> list[Span]:
    """Return a line in ``width`` columns at most, with a sign where it is cut."""
    kept: list[Span] = []
    left, whole = width, list(spans)
    for number, (style, text) in enumerate(whole):
        rest = whole[number + 1 :]
        fits = width_of(text) < left or (width_of(text) == left and not rest)
        if not fits:
            longer = text + ("." if rest else "")
            return [*kept, (style, cut(longer, left, sign))]
        kept.append((style, text))
        left -= width_of(text)
    return kept
