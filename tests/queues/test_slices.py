"""Slices of the hash space."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qtool.queues import slices
from qtool.queues.slices import SPACE, Slice, Spread

counts = st.integers(min_value=1, max_value=200)
weights = st.lists(
    st.one_of(
        st.integers(min_value=1, max_value=10**9),
        st.floats(min_value=1e-6, max_value=1e9),
    ),
    min_size=1,
    max_size=40,
)
numbers = st.one_of(
    st.integers(min_value=0, max_value=SPACE - 1),
    st.sampled_from([0, 1, SPACE // 2 - 1, SPACE // 2, SPACE - 1]),
)


def _text(number: int) -> str:
    return f"{number:040x}"


def _owners(parts: tuple[Slice, ...], digest: str) -> list[int]:
    return [part.number for part in parts if digest in part]


@given(count=counts, number=numbers)
def test_every_digest_has_one_owner_among_equal_slices(count: int, number: int) -> None:
    assert len(_owners(slices.equal(count), _text(number))) == 1


@given(weights=weights, number=numbers)
def test_every_digest_has_one_owner_for_any_weights(
    weights: list[float], number: int
) -> None:
    assert len(_owners(slices.weighted(weights), _text(number))) == 1


@given(weights=weights)
@example(weights=[1] * 64)
@example(weights=[1] * 3)
def test_each_boundary_belongs_to_the_slice_that_begins_there(
    weights: list[float],
) -> None:
    parts = slices.weighted(weights)

    assert parts[0].lower == 0
    assert parts[-1].upper == SPACE
    for left, right in pairwise(parts):
        assert left.upper == right.lower
        assert _owners(parts, _text(right.lower)) == [right.number]
        assert _owners(parts, _text(right.lower - 1)) == [left.number]


@given(weights=weights)
def test_sizes_are_in_proportion_to_the_digest(weights: list[float]) -> None:
    total = sum(map(Fraction, weights))
    for part, weight in zip(slices.weighted(weights), weights, strict=True):
        wanted = SPACE * Fraction(weight) / total
        assert abs(part.upper - part.lower - wanted) <= 1


@given(weights=weights, number=numbers)
def test_text_bounds_decide_as_the_numbers_do(
    weights: list[float], number: int
) -> None:
    for part in slices.weighted(weights):
        lower, upper = part.bounds
        assert (lower <= _text(number) < upper) == (_text(number) in part)


@pytest.mark.parametrize("wrong", [[], [0], [1, -1], [1, float("nan")], [float("inf")]])
def test_weights_that_make_no_slices_are_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match=r"weights must be|at least one"):
        slices.weighted(wrong)


def test_a_weight_too_small_for_a_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="slice 0 would be empty"):
        slices.weighted([1e-200, 1e200])


@pytest.mark.parametrize("count", [0, -1])
def test_no_slices_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="at least one slice"):
        slices.equal(count)


def test_the_whole_is_the_only_slice_of_one() -> None:
    assert (slices.whole(),) == slices.equal(1)
    assert slices.whole().is_whole


@pytest.mark.parametrize(
    ("part", "count", "weights"),
    [(None, 4, None), (4, 4, None), (-1, 4, None), (0, 2, [1, 2, 3]), (0, 0, None)],
)
def test_arguments_that_mean_no_slice_are_refused(
    part: int | None, count: int, weights: list[float] | None
) -> None:
    with pytest.raises(ValueError, match="slice"):
        slices.chosen(part, count, weights)


def test_arguments_choose_a_slice_by_number_weight_or_itself() -> None:
    quarter = slices.equal(4)[1]

    assert slices.chosen(1, 4) == quarter
    assert slices.chosen(quarter, 1) == quarter
    assert slices.chosen(None, 1) == slices.whole()
    assert slices.chosen(1, 1, [1, 3]) == slices.weighted([1, 3])[1]


@given(
    weights=st.lists(weights, min_size=1, max_size=3), number=numbers
)  # several divisions at once, as a board asks for runner slices and view slices
def test_a_spread_finds_each_digest_in_the_slices_that_hold_it(
    weights: list[list[float]], number: int
) -> None:
    parts = [part for some in weights for part in slices.weighted(some)]
    spread = Spread(parts)
    digest = _text(number)

    by_prefix = spread.by_prefix()[digest[:2]]
    found = spread.part_of(digest)

    assert by_prefix in {None, found}
    assert {part for part in parts if found in spread.parts_of(part)} == {
        part for part in parts if digest in part
    }


def test_queues_that_are_divided_alike_are_cut_once() -> None:
    assert slices.spread_of(slices.equal(16)) is slices.spread_of(slices.equal(16))
    assert slices.spread_of(slices.equal(16)) is not slices.spread_of(slices.equal(15))
