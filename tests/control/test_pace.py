from __future__ import annotations

import pytest

from qtool.control.pace import Pace


def test_what_is_rare_is_never_held_up() -> None:
    pace = Pace(share=0.2, burst=0.1)
    for second in range(10):
        assert pace.allowed_at <= second
        pace.spend(float(second), 0.05)


def test_what_never_ends_gets_its_share_of_the_time() -> None:
    pace, now, spent = Pace(share=0.2, burst=0.1), 0.0, 0.0
    while now < 100.0:
        now = max(now, pace.allowed_at) + 0.03
        pace.spend(now, 0.03)
        spent += 0.03
    assert spent == pytest.approx(0.2 * now, rel=0.05)


def test_one_costly_turn_is_followed_by_a_long_rest() -> None:
    pace = Pace(share=0.2, burst=0.1)
    pace.spend(2.0, 1.5)
    assert pace.allowed_at == pytest.approx(2.0 + 1.4 / 0.2)
