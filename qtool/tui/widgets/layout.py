"""Where the columns of the board go.

Everything here follows from the width of the terminal and the shape of the
rows, never from figures that change: a refresh moves nothing. When it gets
narrow, cells lose their number first, then width, then they wrap; columns go in
the order trend, rates, snooze, oldest.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtool.control.models import QueueRow

NAME_LEAST, NAME_MOST = 8, 14
DEPTH, FLY, STATE = 5, 3, 11
OLDEST, SNOOZE, RATE = 6, 5, 5
TREND_LEAST, TREND_MOST = 5, 16
NOTE_LEAST = 18
CELL_WITH_NUMBER = 3
"""A cell this wide or wider shows its depth in figures."""
CELL_MOST = 5
GAP = 1
"""Between two columns, and between the cells of two owners."""
Seams = frozenset[int]
"""Numbers of the cells before which a gap stands, in all rows of so many cells: so
that cells stand below each other, whoever owns them."""


class Grid(NamedTuple):
    """How the cells of one row are laid out."""

    cell: int
    """Width of one cell."""
    per_line: int
    """Cells in one line."""
    lines: int
    gaps: frozenset[int]
    """Which cells of a line have a thin gap before them; the first is 0."""


class Layout(NamedTuple):
    """Widths of the columns; 0 for one that has gone."""

    width: int
    name: int
    heat: int
    trend: int
    oldest: int
    rates: int
    """Width of each of the two."""
    snooze: int
    note: int
    seams: Mapping[int, Seams]
    """Of rows of so many cells."""

    def grid(self, row: QueueRow) -> Grid:
        """Return how the cells of a row stand."""
        return grid(row, self.heat, self.seams.get(len(row.cells), Seams()))


class _Shape(NamedTuple):
    """A rung of the ladder: what the widest row's cells look like."""

    cell: int
    lines: int
    needs: frozenset[str]
    """Columns that must still be there; without them the next rung is tried."""


_LADDER = (
    _Shape(CELL_WITH_NUMBER, 1, frozenset({"oldest", "snooze", "rates"})),
    _Shape(2, 1, frozenset({"oldest"})),
    _Shape(1, 1, frozenset({"oldest"})),
    _Shape(1, 2, frozenset({"oldest"})),
    _Shape(1, 2, frozenset()),
    _Shape(1, 4, frozenset()),
    _Shape(1, 8, frozenset()),
)

_OPTIONAL = {
    "oldest": GAP + OLDEST,
    "snooze": GAP + SNOOZE,
    "rates": 2 * (GAP + RATE),
    "trend": GAP + TREND_LEAST,
}
"""In the order in which they come back when there is room."""


def boundaries(row: QueueRow) -> list[int]:
    """Return the numbers of the cells at which another owner begins."""
    return [
        number
        for number, (left, right) in enumerate(pairwise(row.cells), 1)
        if left.owner != right.owner
    ]


def seams_of(rows: Sequence[QueueRow]) -> dict[int, Seams]:
    """Return the seams of the rows of each number of cells.

    Gaps say nothing where every cell has an owner of its own, or all have one.
    """
    seams: dict[int, Seams] = {}
    for row in rows:
        own, count = boundaries(row), len(row.cells)
        if count:
            told = own if len(own) < count - 1 else []
            seams[count] = seams.get(count, Seams()).union(told)
    return seams


def _gaps(seams: Seams, per_line: int) -> frozenset[int]:
    """Return the places in a line of so many cells that a seam comes to."""
    return frozenset(at % per_line for at in seams) - {0}


def _heat_need(seams: Mapping[int, Seams], shape: _Shape) -> int:
    need = 4
    for count, own in seams.items():
        per_line = -(-count // shape.lines)
        need = max(need, per_line * shape.cell + len(_gaps(own, per_line)) * GAP)
    return need


def _fixed(name: int) -> int:
    """Return the width of what is always there, the heat map not counted."""
    mark = 1
    return mark + name + GAP + DEPTH + 2 * GAP + GAP + FLY + 2 * GAP + STATE


def arrange(width: int, rows: Sequence[QueueRow]) -> Layout:
    """Return the layout of a board of these rows in ``width`` cells."""
    longest = max((len(row.name) for row in rows), default=0)
    name = min(max(longest, NAME_LEAST), NAME_MOST)
    seams = seams_of(rows)
    for shape in _LADDER:
        heat = _heat_need(seams, shape)
        needed = sum(_OPTIONAL[column] for column in shape.needs)
        for name_width in range(name, NAME_LEAST - 1, -1):
            spare = width - _fixed(name_width) - heat - needed
            if spare >= 0:
                return _fill(width, name_width, heat, seams)
    return _fill(width, NAME_LEAST, max(4, width - _fixed(NAME_LEAST)), seams)


def _fill(width: int, name: int, heat: int, seams: Mapping[int, Seams]) -> Layout:
    """Give out what is left: columns first, then wider cells, trend, a note."""
    spare = width - _fixed(name) - heat
    there = set()
    for column, cost in _OPTIONAL.items():
        if cost > spare:
            break
        there.add(column)
        spare -= cost
    if len(there) == len(_OPTIONAL):
        for cell in range(CELL_MOST, 1, -1):
            more = _heat_need(seams, _Shape(cell, 1, frozenset())) - heat
            if 0 < more <= spare:
                heat, spare = heat + more, spare - more
                break
    trend = 0
    if "trend" in there:
        grown = min(TREND_MOST - TREND_LEAST, spare)
        trend, spare = TREND_LEAST + grown, spare - grown
    return Layout(
        width=width,
        name=name,
        heat=heat,
        trend=trend,
        oldest=OLDEST if "oldest" in there else 0,
        rates=RATE if "rates" in there else 0,
        snooze=SNOOZE if "snooze" in there else 0,
        note=spare - 2 * GAP if spare >= NOTE_LEAST else 0,
        seams=seams,
    )


def grid(row: QueueRow, heat: int, seams: Seams) -> Grid:
    """Return how the cells of ``row`` stand in ``heat`` columns."""
    count = len(row.cells)
    if not count:
        return Grid(cell=0, per_line=0, lines=1, gaps=Seams())
    for lines in range(1, count + 1):
        per_line = -(-count // lines)
        for gaps in (_gaps(seams, per_line), Seams()):
            cell = (heat - len(gaps) * GAP) // per_line
            if cell >= 1:
                return Grid(
                    cell=min(cell, CELL_MOST),
                    per_line=per_line,
                    lines=lines,
                    gaps=gaps,
                )
    return Grid(cell=1, per_line=1, lines=count, gaps=Seams())
