"""Figures and words of the board."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qtool.control.models import Severity, State, Verdict, VerdictKind
from qtool.tui.widgets.words import (
    age_of,
    depth_of,
    held_back,
    rate_of,
    short_number,
    site_lines,
    spark,
    state_spans,
    watching_spans,
)
from tests.tui.boards import AT, SITE, row


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [
        (7, 3, "  7"),
        (99, 3, " 99"),
        (420, 3, "420"),
        (12_345, 3, "12k"),
        (123_456, 3, ""),
        (2_000, 3, " 2k"),
        (420, 4, " 420"),
        (1_234, 4, "  1k"),
        (123_456, 4, "123k"),
    ],
)
def test_a_figure_fits_its_cell(value: int, width: int, shown: str) -> None:
    assert short_number(value, width) == shown


@given(st.integers(0, 10**10), st.integers(3, 6))
def test_a_figure_is_as_wide_as_its_cell_or_is_not_shown(
    value: int, width: int
) -> None:
    assert len(short_number(value, width)) in (0, width)


@given(st.lists(st.integers(0, 10**6), max_size=200), st.integers(0, 40))
def test_a_trend_fills_its_column(depths: list[int], width: int) -> None:
    assert cell_len(spark(depths, width)) == width


def test_an_empty_queue_and_a_deep_one_look_different() -> None:
    assert spark([0, 0, 0], 3) != spark([0, 0, 1], 3)


@given(st.floats(-1e12, 1e12))
def test_no_age_is_negative_or_wider_than_its_column(age: float) -> None:
    for honours_due in (False, True):
        shown = age_of(AT - age, AT, honours_due=honours_due)
        assert "-" not in shown
        assert len(shown) <= 6


def test_where_entries_wait_for_their_time_nobody_sees_an_age() -> None:
    assert age_of(AT + 3600, AT, honours_due=True) == "in 1h"
    assert age_of(AT - 3600, AT, honours_due=True) == "+1h"


def test_unknown_and_none_are_different() -> None:
    unreadable = row("in", [], depth=None, in_flight=None, rate_in=None)
    no_queue = row("lmtp", [], has_queue=False, depth=None, in_flight=None)
    assert (depth_of(unreadable), rate_of(None, unreadable)) == ("…", "…")
    assert (depth_of(no_queue), rate_of(None, no_queue)) == ("-", "-")


def test_a_stopped_queue_with_files_shows_the_start_key() -> None:
    assert ("key", " s") in state_spans(row("in", [1], state=State.STOPPED), AT)
    assert ("key", " s") not in state_spans(row("in", [0], state=State.STOPPED), AT)
    refused = row("in", [1], state=State.STOPPED, refusal="held elsewhere")
    assert ("key", " s") not in state_spans(refused, AT)


def test_a_header_that_is_too_long_keeps_the_ends_of_both_paths() -> None:
    site = replace(SITE, spool="/a" * 40 + "/queues", source="/b" * 40 + "/qtool.cfg")
    (line,) = site_lines(site, 50)
    shown = "".join(text for _, text in line)
    assert "/queues  …" in shown
    assert shown.endswith("/qtool.cfg")
    assert len(shown) == len(" qtool ") + 3 + 50
    (line,) = site_lines(SITE, 50)
    assert f"{SITE.spool}  {SITE.source}" in "".join(text for _, text in line)


@pytest.mark.parametrize(
    ("watching", "shown"),
    [
        ("", ("muted", "○ starting")),
        ("events", ("muted", "● events")),
        ("polling", ("warning", "○ polling")),
        ("polling o\x1but", ("warning", "○ polling o\\x1but")),
    ],
)
def test_the_header_warns_of_what_is_polled(
    watching: str, shown: tuple[str, str]
) -> None:
    assert watching_spans(replace(SITE, watching=watching))[-1] == shown


def test_the_header_says_what_is_wrong_with_the_spool() -> None:
    gone = Verdict(kind=VerdictKind.UNREADABLE, severity=Severity.CRITICAL,
                   words="the spool is gone", evidence="/a\x1b was there")  # fmt: skip
    _, told = site_lines(replace(SITE, verdict=gone), 60)
    assert told == [("error", "the spool is gone: /a\\x1b was there  ")]
    _, both = site_lines(replace(SITE, verdict=gone, read_only="you may not"), 60)
    assert both == [*told, ("warning", "read-only: you may not")]


def test_the_header_says_who_acts_where_that_is_another() -> None:
    (line,) = site_lines(SITE, 60, "list")
    shown = "".join(text for _, text in line)
    assert f"{SITE.spool}  as list  {SITE.source}" in shown
    (line,) = site_lines(SITE, 30, "list")
    assert len("".join(text for _, text in line)) == len(" qtool ") + 3 + 30


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"note": "not idle: load < 1.5: it is 2.31"}, "not idle: load < 1.5"),
        ({"oldest": AT + 3600, "honours_due": True}, "nothing is due for 1h"),
        ({"oldest": AT - 1, "honours_due": True}, ""),
        ({"oldest": AT + 3600, "honours_due": True, "in_flight": 1}, ""),
        ({"oldest": AT + 3600}, ""),
        ({"note": "not idle: empty: in", "state": State.STOPPED}, ""),
    ],
)
def test_a_runner_that_may_take_nothing_yet_waits(
    facts: dict[str, Any], why: str
) -> None:
    one = row("in", [1], **facts)
    assert held_back(one, AT).startswith(why)
    assert bool(held_back(one, AT)) is bool(why)
    assert (("waits", "◷ waits") in state_spans(one, AT)) is bool(why)
