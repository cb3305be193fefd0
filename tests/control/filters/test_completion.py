"""What a filter that is being typed can become."""

from __future__ import annotations

import pytest

from qtool.control.filters import complete, parse
from qtool.control.filters.keys import KEYS
from tests.control.filters.asked import NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("su", ["subject:"]),
        ("from:bob -s", ["-subject:", "-size<", "-slice:", "-state:"]),
        ("(fr", ["from:"]),
        ("age", ["age<", "age>", "age<=", "age>="]),
        ("age>", ["age>="]),
        ("state:", ["waiting", '"in flight"', "preserved", "edited"]),
        ('state:"in ', ['"in flight"']),
        ("a @o", ["@old"]),
        ('subject:"a su', []),
        ("nosuch", []),
        ("age>3d", []),
    ],
)
def test_completes_the_last_term(text: str, expected: list[str]) -> None:
    if text.startswith("state:"):
        expected = [f"state:{value}" for value in expected]
    found = complete(text, len(text), ["old", "mine"])
    assert sorted(found) == sorted(expected)


def test_only_what_stands_before_the_cursor_counts() -> None:
    assert complete("su from:bob", 2) == ["subject:"]


def test_every_key_and_saved_filter_is_offered_and_can_be_read() -> None:
    offered = complete("", 0, ["old"])
    assert offered[0] == "@old"
    assert len(offered) == 1 + len(KEYS)
    for term in complete("state:", 6):
        parse(term, NOW)
