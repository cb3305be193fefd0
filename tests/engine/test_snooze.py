"""A requeued message rests; nothing turns into a busy loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.engine.snooze import Resting, is_reason_to_look
from qtool.queues.switchboard import Hint


def test_a_message_rests_for_the_sleep_time_and_no_longer() -> None:
    resting = Resting()
    resting.begin("one", 10.0)
    assert resting.holds("one", 10.9, 1.0)
    assert not resting.holds("one", 11.0, 1.0)
    assert not resting.holds("another", 10.0, 1.0)


def test_a_longer_sleep_time_counts_at_once() -> None:
    resting = Resting()
    resting.begin("one", 10.0)
    assert resting.holds("one", 15.0, 60.0)


def test_in_a_drain_it_rests_to_the_end() -> None:
    resting = Resting()
    resting.begin("one", 10.0)
    assert resting.holds("one", 1e9, float("inf"))


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.05, 50))
def test_the_next_due_is_the_first_that_has_not_rested(
    moments: list[float], seconds: float
) -> None:
    resting = Resting()
    for number, moment in enumerate(sorted(moments)):
        resting.begin(str(number), moment)
    now = 50.0
    unrested = [m + seconds - now for m in moments if now - m < seconds]
    assert resting.next_due(now, seconds) == (min(unrested) if unrested else None)
    assert bool(resting) == bool(unrested)


@pytest.mark.parametrize(
    ("hint", "looks"),
    [
        (Hint(arrived=1, departed=0, counted=True), True),
        (Hint(arrived=0, departed=0, counted=False), True),
        (Hint(arrived=0, departed=9, counted=True), False),
    ],
)
def test_arrivals_and_lost_events_wake_and_own_removals_do_not(
    hint: Hint, looks: bool
) -> None:
    assert is_reason_to_look(hint) is looks
