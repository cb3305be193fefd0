from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qtool.control.views import view_of
from qtool.queues.slices import SPACE, equal, weighted

PROPORTIONS = st.one_of(
    st.integers(min_value=0, max_value=100).map(lambda count: (1,) * count),
    st.lists(st.integers(1, 10**6).map(float), max_size=20).map(tuple),
)


@given(PROPORTIONS, st.integers(min_value=1, max_value=64))
def test_cells_cover_the_space_and_each_lies_in_its_owners_slice(
    proportions: tuple[float, ...], view_slices: int
) -> None:
    view = view_of(proportions, view_slices)
    owners = weighted(proportions or (1,))
    place = 0
    for number, part in enumerate(view.parts):
        assert part.lower == place
        place = part.upper
        owner = owners[view.owner(number)]
        assert owner.lower <= part.lower < part.upper <= owner.upper
    assert place == SPACE


@given(PROPORTIONS, st.integers(min_value=1, max_value=64))
def test_there_are_at_least_as_many_cells_as_asked_for(
    proportions: tuple[float, ...], view_slices: int
) -> None:
    assert len(view_of(proportions, view_slices).parts) >= view_slices


@given(st.integers(1, 100), st.integers(min_value=1, max_value=64))
def test_slices_of_one_weight_have_equally_many_cells(
    count: int, view_slices: int
) -> None:
    owners = view_of((1,) * count, view_slices).owners
    assert len({owners.count(number) for number in range(count)}) == 1


def test_a_queue_with_many_slices_has_a_cell_for_each() -> None:
    assert view_of((1,) * 64, 16).parts == equal(64)


def test_a_slice_has_as_many_cells_as_it_is_wide() -> None:
    owners = view_of((50, 30, 20), 20).owners
    assert [owners.count(number) for number in range(3)] == [10, 6, 4]
