from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qtool.control.views import view_of
from qtool.queues.slices import SPACE, equal

COUNTS = st.integers(min_value=0, max_value=100)


@given(COUNTS, st.integers(min_value=1, max_value=64))
def test_cells_cover_the_space_and_each_lies_in_its_owners_slice(
    runner_slices: int, view_slices: int
) -> None:
    view = view_of(runner_slices, view_slices)
    owners = equal(max(1, runner_slices))
    place = 0
    for number, part in enumerate(view.parts):
        assert part.lower == place
        place = part.upper
        owner = owners[view.owner(number)]
        assert owner.lower <= part.lower < part.upper <= owner.upper
    assert place == SPACE


@given(COUNTS, st.integers(min_value=1, max_value=64))
def test_there_are_at_least_as_many_cells_as_asked_for(
    runner_slices: int, view_slices: int
) -> None:
    assert len(view_of(runner_slices, view_slices).parts) >= view_slices


def test_a_queue_with_many_slices_has_a_cell_for_each() -> None:
    assert view_of(64, 16).parts == equal(64)
