"""Time in which the watching process itself was stopped is no time."""

from __future__ import annotations

from qtool.engine.awake import Awake
from tests.engine.conftest import Clock


def looks(clock: Clock, awake: Awake, *rests: float) -> None:
    """Look again and again, each time after a rest of 30 seconds or a longer one."""
    for rest in rests:
        awake.rest(30.0)
        clock.now += rest
        awake.look()


def test_who_looks_when_he_means_to_counts_all_of_the_time() -> None:
    clock = Clock()
    awake, began = Awake(clock), clock.now
    looks(clock, awake, 30, 12, 30.5, 0)
    assert awake.seconds(began) == 72.5


def test_the_time_of_a_stop_does_not_count() -> None:
    clock = Clock()
    awake, began = Awake(clock), clock.now
    looks(clock, awake, 20, 3630, 10, 45)
    assert awake.seconds(began) == 20 + 30 + 10 + 30
    assert awake.seconds(began + 20 + 30 + 3000) == 10 + 30
    assert awake.seconds(clock.now) == 0


def test_it_rests_for_no_longer_than_it_was_not_looked() -> None:
    clock = Clock()
    awake, began = Awake(clock), clock.now
    looks(clock, awake, *[40] * 100)
    assert awake.seconds(clock.now - 400) == 300
    assert awake.seconds(began) == 4000 - 64 * 10
