"""Nothing from a message reaches a terminal as a command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.untrusted import visible, visible_block

any_text = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\n\r\t\u202e\u200b\U000e0041\udcff"),
    max_size=300,
)

OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What a terminal obeys, hides, or reorders by; line ends apart."""


@given(any_text)
def test_a_line_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = visible(text)
    assert "\n" not in shown
    assert OBEYED.search(shown) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\nb\r\tc", "a\\x0ab\\x0d\\x09c"),
        ("\x9b31m", "\\x9b31m"),
        ("x\u202ey\u2066z", "x\\u202ey\\u2066z"),
        ("pay\u200bpal", "pay\\u200bpal"),
        ("\U000e0068", "\\U000e0068"),
        ("\udc80\udcff\ud800", "\\x80\\xff\\ud800"),
        ("a\u034fb\u17b4\u180b", "a\\u034fb\\u17b4\\u180b"),
        ("\U0001bca0\U0001d173", "\\U0001bca0\\U0001d173"),
        ("日本語 é", "日本語 é"),
        ("[bold]x[/]", "[bold]x[/]"),
    ],
)
def test_a_control_character_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_anything_can_be_made_visible() -> None:
    assert visible(5) == "5"
    assert visible(ValueError("a\nb")) == "a\\x0ab"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert visible("abcdef", 3) == "abc…"
    assert visible("abc", 3) == "abc"


def test_a_block_keeps_its_lines() -> None:
    assert visible_block("a\nb\r\nc\rd\x1b\n") == "a\nb\nc\\x0dd\\x1b\n"


def test_tabs_of_a_block_reach_their_columns() -> None:
    assert visible_block("a\tb\n\tc\x1b") == "a       b\n        c\\x1b"


def test_lines_of_a_block_are_cut_at_the_width() -> None:
    assert visible_block("abcdef\n\ta\nb", width=3) == "abc\n   \nb"


def test_a_block_is_cut_at_its_limit() -> None:
    assert visible_block("abcdef", limit=3) == "abc"


@given(any_text, st.none() | st.integers(1, 40))
def test_a_block_holds_nothing_that_a_terminal_obeys(
    text: str, width: int | None
) -> None:
    assert OBEYED.search(visible_block(text, width=width)) is None


@settings(max_examples=25)  # of 150,000 characters each
@given(st.lists(any_text, max_size=5))
def test_a_long_block_is_shown_as_a_short_one_is(parts: list[str]) -> None:
    text = "\n".join(parts)
    long = "x\x1b\n" * 30_000 + text
    assert visible_block(long) == "x\\x1b\n" * 30_000 + visible_block(text)
