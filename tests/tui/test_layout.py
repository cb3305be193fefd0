"""Columns and cells at every width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.control.models import QueueRow
from qtool.tui.widgets.layout import (
    CELL_WITH_NUMBER,
    Layout,
    arrange,
    boundaries,
    grid,
    seams_of,
)
from tests.tui.boards import healthy, large, row, sick


def widest_cell(layout: Layout, rows: tuple[QueueRow, ...]) -> int:
    return max(layout.grid(row).cell for row in rows)


def columns(layout: Layout) -> set[str]:
    names = ("trend", "rates", "snooze", "oldest")
    return {name for name in names if getattr(layout, name)}


def test_a_wide_terminal_shows_figures_in_cells_and_every_column() -> None:
    layout = arrange(120, sick().rows)
    assert columns(layout) == {"trend", "rates", "snooze", "oldest"}
    assert widest_cell(layout, sick().rows) >= CELL_WITH_NUMBER


def test_cells_lose_the_number_then_width_then_wrap() -> None:
    rows = (row("in", [1] * 16),)
    seen = [arrange(width, rows).grid(rows[0]) for width in range(120, 44, -1)]
    shapes = [(one.lines, -min(one.cell, CELL_WITH_NUMBER)) for one in seen]
    assert shapes == sorted(shapes)
    assert [lines for lines, _ in shapes if lines > 1]
    assert {1, 2, 3} <= {one.cell for one in seen}


@pytest.mark.parametrize("rows", [healthy().rows, sick().rows, large().rows])
def test_columns_go_in_their_order(rows: tuple[QueueRow, ...]) -> None:
    order = ["trend", "rates", "snooze", "oldest"]
    for width in range(200, 40, -1):
        there = columns(arrange(width, rows))
        missing = len(order) - len(there)
        assert there == set(order[missing:])


def test_fourteen_queues_of_64_slices_wrap_to_two_lines_at_80() -> None:
    rows = large().rows
    layout = arrange(80, rows)
    assert {layout.grid(one).lines for one in rows} == {2}


@given(
    st.integers(1, 130),
    st.integers(1, 40),
    st.integers(4, 200),
)
def test_every_cell_has_a_place_inside_the_map(
    count: int, owners: int, heat: int
) -> None:
    one = row("in", [1] * count, owners=min(owners, count))
    cells = grid(one, heat, seams_of([one]).get(count, frozenset()))
    assert cells.cell >= 1
    assert cells.per_line * cells.lines >= count
    assert cells.per_line * cells.cell + len(cells.gaps) <= heat


@pytest.mark.parametrize("width", [50, 80, 120, 160])
def test_cells_stand_below_each_other_whoever_owns_them(width: int) -> None:
    rows = [row("in", [1] * 16, owners=owners) for owners in (1, 2, 4, 8, 16)]
    layout = arrange(width, rows)
    assert len({layout.grid(one) for one in rows}) == 1
    assert boundaries(rows[3]) == sorted(layout.seams[16])


def test_the_layout_depends_on_no_figure() -> None:
    calm = (row("in", [0] * 16), row("out", [0] * 16, owners=4))
    busy = (row("in", [10**6] * 16), row("out", [77] * 16, owners=4, in_flight=9))
    for width in range(50, 200, 7):
        assert arrange(width, calm) == arrange(width, busy)
