"""Starting runners side by side: none holds up another."""

from __future__ import annotations

import threading

import pytest

from qtool.control.starting import side_by_side
from tests.engine.conftest import TIMEOUT


def test_what_takes_long_goes_on_and_holds_up_nothing() -> None:
    gate, through = threading.Event(), threading.Event()
    begun = []

    def begin(one: str) -> None:
        if one == "slow":
            gate.wait(TIMEOUT)
            through.set()
        begun.append(one)

    assert side_by_side(begin, ["slow", "in", "out"], 0.2) == ["slow"]
    assert sorted(begun) == ["in", "out"]
    gate.set()
    assert through.wait(TIMEOUT)


def test_what_nobody_foresees_is_raised_after_the_others_have_begun() -> None:
    begun = []

    def begin(one: int) -> None:
        if one == 0:
            raise ZeroDivisionError
        begun.append(one)

    with pytest.raises(ZeroDivisionError):
        side_by_side(begin, [0, 1], TIMEOUT)
    assert begun == [1]
