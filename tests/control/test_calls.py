from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from qtool.control.control import Control
from qtool.control.serving.calls import CALLS, BadCall, table
from qtool.control.serving.client import Attached

README = Path(__file__).resolve().parent.parent.parent / "README.md"

ENTRIES, START = CALLS["/v1/entries"], CALLS["/v1/start"]


def test_the_readme_has_a_row_for_every_call() -> None:
    text = README.read_text("utf-8")
    assert [row for row in table() if row not in text] == []


def test_acts_are_posted_and_looks_are_got() -> None:
    for call in CALLS.values():
        is_act = "is_act" in getattr(Control, call.name).__dict__
        assert (call.verb == "POST") == is_act
    assert START.is_act
    assert not ENTRIES.is_act


def _members() -> list[tuple[str, object]]:
    return [pair for part in Control.__mro__[:-1] for pair in vars(part).items()]


def test_every_public_method_of_control_has_its_own_at_a_distance() -> None:
    methods = {
        name
        for name, value in _members()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert methods - vars(Attached).keys() <= {"on_close"}
    values = {
        name
        for name, value in _members()
        if isinstance(value, property) and not name.startswith("_")
    }
    assert values - vars(Attached).keys() <= {"board"}  # made of what Attached has


def test_arguments_are_those_of_the_call() -> None:
    assert START.bound("in", slice=2) == {"runner": "in", "slice": 2}
    assert START.loaded({"runner": "in"}) == {"runner": "in"}
    assert ENTRIES.from_query({"queue": "7", "number": "7"}) == {
        "queue": "7",
        "number": 7,
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "start needs 'runner'"),
        ({"runner": "in", "speed": 1}, "start takes no 'speed'"),
        ({"runner": 1}, "start: runner: expected text"),
        ({"runner": "in", "slice": "x"}, "start: slice: expected a whole number"),
    ],
)
def test_wrong_arguments_are_named(given: dict[str, object], reason: str) -> None:
    with pytest.raises(BadCall, match=reason):
        START.loaded(given)


def test_a_number_in_a_query_that_is_none_is_named() -> None:
    with pytest.raises(BadCall, match="number: expected a whole number"):
        ENTRIES.from_query({"queue": "in", "number": "many"})
