from __future__ import annotations

from itertools import pairwise

from qtool.control.rates import (
    LONG_SECONDS,
    TREND_SAMPLES,
    TREND_STEP_SECONDS,
    WINDOW_SECONDS,
    Counter,
    Meter,
    Trend,
)


def test_a_rate_is_the_mean_over_the_window() -> None:
    counter = Counter(0.0)
    for second in range(60):
        counter.add(float(second), 4)
    assert counter.rate(60.0) == 4.0


def test_a_rate_is_the_mean_since_the_beginning_of_watching() -> None:
    counter = Counter(0.0)
    counter.add(1.0, 10)
    assert counter.rate(5.0) == 2.0


def test_nobody_knows_a_rate_within_the_first_second() -> None:
    counter = Counter(0.0)
    counter.add(0.1, 10)
    assert counter.rate(0.9) is None


def test_nothing_counted_is_a_rate_of_zero() -> None:
    assert Counter(0.0).rate(10.0) == 0.0


def test_a_rate_is_unknown_while_lost_counts_are_in_its_window() -> None:
    counter = Counter(0.0)
    counter.add(10.0, 3, known=False)
    counter.add(20.0, 3)
    assert counter.rate(10.0 + WINDOW_SECONDS) is None
    assert counter.rate(10.1 + WINDOW_SECONDS) == 3 / WINDOW_SECONDS


def test_each_window_has_a_mean_of_its_own() -> None:
    counter = Counter(0.0)
    for second in range(301):
        counter.add(float(second), 60 if second >= 295 else 1)
    assert counter.rate(300.0, 5.0) == 360 / 5
    assert counter.rate(300.0) == (25 + 6 * 60) / 30
    assert counter.rate(300.0, LONG_SECONDS) == (295 + 6 * 60) / 300


def test_what_is_long_past_is_counted_no_more() -> None:
    counter = Counter(0.0)
    for half in range(10_000):
        counter.add(half / 2, 1)
    assert counter.counted(5_000.0, LONG_SECONDS) == 600
    assert counter.counted(6_000.0, LONG_SECONDS) == 0


def test_a_trend_holds_two_minutes_in_even_steps() -> None:
    trend = Trend(0.0)
    for tenth in range(2000):
        trend.sample(tenth / 10, tenth)
    depths = trend.depths()
    assert len(depths) == TREND_SAMPLES
    assert TREND_SAMPLES * TREND_STEP_SECONDS == 120.0
    assert {b - a for a, b in pairwise(depths)} == {20}


def test_a_trend_fills_a_gap_with_the_depth_before_it() -> None:
    trend = Trend(0.0)
    trend.sample(0.0, 5)
    trend.sample(4 * TREND_STEP_SECONDS, 9)
    assert trend.depths() == (5, 5, 5, 5, 9)


def test_where_arrivals_went_uncounted_the_depth_tells_some_of_them() -> None:
    meter = Meter(0.0)
    meter.sample(0.0, 7)
    assert meter.arrived_lately(1.0) == 0
    meter.arrivals.add(2.0, 0, known=False)
    assert meter.arrived_lately(2.0) is None
    for now, depth in ((2.0, 9), (3.0, 4), (4.0, 5)):
        meter.sample(now, depth)
    assert meter.arrived_lately(5.0) == 3
    assert meter.arrived_lately(303.9) == 1
    meter.begin_again(400.0)
    meter.sample(400.0, 50)
    assert meter.arrived_lately(401.0) == 0
