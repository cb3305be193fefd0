"""Turns one row of the board into lines of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from qtool import render
from qtool.control.models import State
from qtool.tui.theme import HEAT_STYLES
from qtool.tui.widgets.ink import fitted, right
from qtool.tui.widgets.layout import (
    CELL_WITH_NUMBER,
    DEPTH,
    FLY,
    GAP,
    STATE,
    boundaries,
)
from qtool.tui.widgets.words import (
    age_of,
    depth_of,
    number,
    rate_of,
    short_number,
    spark,
    state_spans,
)
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.models import Cell, QueueRow
    from qtool.tui.widgets.ink import Line
    from qtool.tui.widgets.layout import Grid, Layout

_APART = Style(bold=True)
_SHADES = " ░▒▓█"
_MARKED = {
    State.FAILED, State.HUNG, State.RESTARTING, State.CLAIMED,
    State.PAUSED, State.STOPPED, State.STOPPING,
}  # fmt: skip
"""States that are drawn into the cells of a row whose slices differ."""


class Painter:
    """Draws rows in one layout and one set of styles."""

    def __init__(
        self,
        layout: Layout,
        ink: Callable[[str], Style],
        base: Style,
        *,
        plain: bool,
        stale: bool = False,
    ) -> None:
        """Take the styles.

        Args:
            layout: Where the columns are.
            ink: Gives the style of a name.
            base: The style under everything.
            plain: The terminal shows no shades of colour: glyphs carry them.
            stale: What was seen is not so any more: only the depths are shown.
        """
        self.layout = layout
        self._ink = ink
        self._base = base
        self._plain = plain
        self._stale = stale

    def heading(self) -> Strip:
        """Return the line above the rows."""
        lay = self.layout
        columns = [
            " " + fitted("queue", lay.name),
            right("depth", DEPTH),
            *([fitted("trend", lay.trend)] if lay.trend else []),
            " " + fitted("slices", lay.heat),
            right("fly", FLY),
            *([right("oldest", lay.oldest)] if lay.oldest else []),
            *([right("in", lay.rates), right("out", lay.rates)] if lay.rates else []),
            " " + fitted("state", STATE),
        ]
        style = self._base + self._ink("heading")
        line = " ".join(columns) + ("snooze" if lay.snooze else "")
        return self._cut([Segment(line, style)], style)

    def row(
        self, row: QueueRow, at: float, *, here: bool, at_slice: int | None
    ) -> list[Strip]:
        """Return the lines of one row.

        Args:
            row: What to draw.
            at: The moment of the board, in epoch seconds.
            here: The cursor is on this row.
            at_slice: Number of the selected cell, if any.
        """
        base = self._base + self._ink("cursor-row") if here else self._base
        cells = self.layout.grid(row)
        strips = []
        for line in range(cells.lines):
            spans = self._left(row, here) if not line else self._left_below(here)
            segments = [Segment(t, base + self._ink(n)) for n, t in spans]
            segments += self._heat(row, cells, line, base, at_slice if here else None)
            if not line:
                spans = self._right(row, at)
                segments += [Segment(t, base + self._ink(n)) for n, t in spans]
            strips.append(self._cut(segments, base))
        return strips

    def cell_at(self, row: QueueRow, x: int, line: int) -> int | None:
        """Return the number of the cell at column ``x`` of a row's line."""
        cells = self.layout.grid(row)
        left = self._heat_left()
        for place in range(cells.per_line):
            left += GAP if place in cells.gaps else 0
            at = line * cells.per_line + place
            if left <= x < left + cells.cell:
                return at if at < len(row.cells) else None
            left += cells.cell
        return None

    def _heat_left(self) -> int:
        lay = self.layout
        trend = GAP + lay.trend if lay.trend else 0
        return 1 + lay.name + GAP + DEPTH + trend + 2 * GAP

    def _left(self, row: QueueRow, here: bool) -> Line:
        lay = self.layout
        deep = "" if row.depth else "faint"
        sick = not self._stale and render.state_style(row.state) == "error"
        name = "error" if sick else "title" if here else ""
        spans: Line = [
            ("accent", "▌" if here else " "),
            (name, fitted(visible(row.name), lay.name)),
            ("", " "),
            (deep, right(depth_of(row), DEPTH)),
        ]
        if lay.trend:
            spans.append(("trend", " " + spark(row.trend, lay.trend)))
        return [*spans, ("", "  ")]

    def _left_below(self, here: bool) -> Line:
        return [("accent", "▌" if here else " "), ("", " " * (self._heat_left() - 1))]

    def _right(self, row: QueueRow, at: float) -> Line:
        lay = self.layout
        if self._stale:
            return self._unknown(row)
        fly = number(row.in_flight) if row.has_queue else render.NONE
        spans: Line = [("" if row.in_flight else "faint", " " + right(fly, FLY))]
        if lay.oldest:
            old = age_of(row.oldest, at, honours_due=row.honours_due)
            ink = "faint" if old == render.NONE else ""
            spans.append((ink, " " + right(old, lay.oldest)))
        if lay.rates:
            for value in (row.rate_in, row.rate_out):
                ink = "" if value else "faint"
                spans.append((ink, " " + right(rate_of(value, row), lay.rates)))
        state = state_spans(row, at)
        spans += [("", "  "), *state]
        used = sum(len(text) for _, text in state)
        spans.append(("", " " * max(0, STATE - used)))
        if lay.snooze:
            snooze = right(render.duration(row.snooze_seconds), lay.snooze)
            spans.append(("faint" if row.snooze_fixed else "muted", " " + snooze))
        if lay.note and row.note:
            spans.append(("muted", "  " + fitted(visible(row.note), lay.note)))
        return spans

    def _unknown(self, row: QueueRow) -> Line:
        """Return the columns right of the cells, of which nothing is known now."""
        lay, queue = self.layout, render.UNKNOWN if row.has_queue else render.NONE
        widths = [FLY, *([lay.oldest] if lay.oldest else [])]
        widths += [lay.rates] * 2 if lay.rates else []
        spans: Line = [("muted", " " + right(queue, width)) for width in widths]
        state = render.UNKNOWN if row.runner is not None else render.NONE
        return [*spans, ("muted", f"  {state}")]

    def _heat(
        self, row: QueueRow, cells: Grid, line: int, base: Style, at_slice: int | None
    ) -> list[Segment]:
        width = self.layout.heat
        if not row.cells:
            nothing = render.NONE if not row.has_queue else "…"
            return [Segment(fitted(nothing, width), base + self._ink("faint"))]
        first = line * cells.per_line
        starts = set(boundaries(row))
        alone = len(starts) == len(row.cells) - 1
        mixed = not self._stale and len({cell.state for cell in row.cells}) > 1
        segments: list[Segment] = []
        used = 0
        for at, cell in enumerate(row.cells[first : first + cells.per_line], first):
            if at - first in cells.gaps:
                segments.append(self._gap(segments[-1], base, at in starts, alone))
                used += GAP
            marked = mixed and cell.state in _MARKED
            mark = render.state_glyph(cell.state) if marked else ""
            segments.append(self._cell(at, cell, cells.cell, mark, at == at_slice))
            used += cells.cell
        return [*segments, Segment(" " * (width - used), base)]

    def _gap(self, left: Segment, base: Style, ends: bool, alone: bool) -> Segment:
        """Return what stands where this row or another one has a gap.

        Args:
            left: The cell before it.
            base: The style under everything.
            ends: Whether another owner begins here.
            alone: Whether every cell has an owner of its own.
        """
        if ends and not alone:
            return Segment(" " * GAP, base)
        fill = left.text[-1] if left.text[-1] in _SHADES else " "
        return Segment(fill * GAP, left.style)

    def _cell(
        self, at: int, cell: Cell, width: int, mark: str, chosen: bool
    ) -> Segment:
        level = render.heat_level(cell.depth)
        style = HEAT_STYLES[level]
        if mark:
            style += self._ink(f"cell-{render.state_style(cell.state)}")
        if chosen:
            style = self._ink("cell-chosen")
        text = self._cell_text(cell, level, width, mark)
        if at % 2 and text[0].isdigit():  # it touches the figure before it
            style += _APART
        return Segment(text, self._base + style)

    def _cell_text(self, cell: Cell, level: int, width: int, mark: str) -> str:
        shade = _SHADES[min(4, -(-level // 3))] if self._plain else " "
        if width < CELL_WITH_NUMBER:
            if mark or not level:
                return (mark or "·").rjust(width)
            return shade * width
        if mark and not level:
            return mark.ljust(width)
        figure = short_number(cell.depth, width) if level else "·".rjust(width)
        if figure.startswith(" "):
            return (mark or shade) + figure[1:]
        # Where there is no room for both, it is the figure that goes.
        if mark:
            return mark.ljust(width)
        return shade * width if self._plain else figure.rjust(width)

    def _cut(self, segments: list[Segment], base: Style) -> Strip:
        return Strip(segments).adjust_cell_length(self.layout.width, base).simplify()
