"""What figures, states, metadata and reports look like."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool import render
from qtool.control.models import (
    Enqueued,
    LogLine,
    Outcome,
    QueueRow,
    State,
    StepReport,
)
from qtool.untrusted import visible


def queue_row(**facts: object) -> QueueRow:
    return QueueRow(name="in", has_queue=True, runner="in", runner_slices=1, **facts)  # type: ignore[arg-type]  # facts are whatever the test is about


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"), (0, "0s"), (3.9, "3s"), (59.9, "59s"), (240, "4m"),
        (7200, "2h"), (86399, "23h"), (5 * 86400, "5d"), (800 * 86400, "2y"),
        (1e300, ">9999y"), (math.nan, "…"), (math.inf, "…"),
        (-0.5, "0s"), (-3 * 86400, "in 3d (clock?)"), (-61, "in 1m (clock?)"),
    ],
)  # fmt: skip
def test_an_age_is_shown_in_its_largest_unit(seconds: float | None, shown: str) -> None:
    assert shown == render.age(seconds)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"), (0, "overdue 0s"), (240, "overdue 4m"), (-240, "due in 4m"),
        (-3 * 86400, "due in 3d"), (math.nan, "…"),
    ],
)  # fmt: skip
def test_what_waits_for_its_time_is_due_or_overdue(
    seconds: float | None, shown: str
) -> None:
    assert shown == render.due(seconds)


@given(st.floats())
def test_no_age_is_long_or_negative(seconds: float) -> None:
    assert len(render.age(seconds)) <= len("in >9999y (clock?)")
    assert not render.age(seconds).startswith("-")


@pytest.mark.parametrize(
    ("per_second", "shown"),
    [
        (None, "…"), (0.0, "0/s"), (0.001, "1/m"), (0.5, "30/m"), (0.97, "1.0/s"),
        (1.5, "1.5/s"), (9.96, "10/s"), (250, "250/s"), (12_345, "12k/s"),
    ],
)  # fmt: skip
def test_a_rate_unknown_is_not_zero(per_second: float | None, shown: str) -> None:
    assert shown == render.rate(per_second)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (0.012, "12ms"), (0.5, "0.5s"), (1, "1s"), (90, "90s"), (900, "15m"),
     (7200, "2h"), (432_000, "5d"), (math.inf, "…")],
)  # fmt: skip
def test_a_duration_reads_as_it_would_be_configured(
    seconds: float | None, shown: str
) -> None:
    assert shown == render.duration(seconds)


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (1023, "1023 B"), (2048, "2.0 KB"),
                         (5 << 20, "5.0 MB"), (5000 << 30, "5000.0 GB")],
)  # fmt: skip
def test_a_size_is_shown_in_its_unit(count: int, shown: str) -> None:
    assert shown == render.size(count)


@pytest.mark.parametrize("when", [1e300, -1e300, math.nan, math.inf])
def test_a_moment_that_no_clock_shows_is_unknown(when: float) -> None:
    assert render.moment(when) == "…"


def test_a_moment_is_absolute() -> None:
    assert render.moment(1_700_000_000).startswith("2023-11-1")


def test_a_depth_that_is_unknown_is_no_number() -> None:
    runner_only = QueueRow(name="lmtp", has_queue=False, runner="lmtp", runner_slices=0)
    assert render.depth(queue_row(depth=7)) == "7"
    assert render.depth(queue_row()) == "…"
    assert render.depth(runner_only) == "-"


# --- Heat and trend


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_heat_grows_with_depth_and_one_message_is_seen(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert 0 <= render.heat_level(low) <= render.heat_level(high) < render.HEAT_LEVELS
    assert (render.heat_level(one) == 0) == (one == 0)


def test_heat_uses_the_whole_ramp() -> None:
    levels = {render.heat_level(int(1.3**n)) for n in range(60)}
    assert levels == set(range(1, render.HEAT_LEVELS))


# --- States


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_glyph_a_word_and_a_style(state: State) -> None:
    glyph = render.state_glyph(state)
    assert len(glyph) == 1
    assert unicodedata.east_asian_width(glyph) not in ("W", "F")
    assert render.state_glyph(state, ascii_only=True).isascii()
    assert render.state_word(state)
    assert render.state_style(state) in render.STYLES


# --- Metadata


def test_metadata_is_shown_in_the_documented_form() -> None:
    msgdata = {"listid": "test.example.com", "_parsemsg": False, "version": 3}
    assert render.msgdata_lines(msgdata) == [
        "_parsemsg: False",
        "listid   : test.example.com",
        "version  : 3",
    ]
    assert render.msgdata_lines({}) == ["*Empty*"]


def test_a_difference_shows_both_sides_aligned() -> None:
    before = {"a": 1, "gone": True, "same": "x"}
    after = {"a": 2, "lang": "en", "same": "x"}
    assert render.msgdata_diff(before, after) == [
        ("-", "a   : 1"),
        ("+", "a   : 2"),
        ("-", "gone: True"),
        ("+", "lang: en"),
        (" ", "same: x"),
    ]


def test_a_difference_with_an_unknown_side_is_unsigned() -> None:
    assert render.msgdata_diff({"a": 1}, None) == [(" ", "a: 1")]
    assert render.msgdata_diff(None, {"a": 1}) == [(" ", "a: 1")]
    assert render.msgdata_diff(None, None) == []
    assert render.msgdata_diff({}, {}) == []


def test_a_difference_of_endlessly_shared_values_ends() -> None:
    def bomb() -> list[object]:
        value: list[object] = ["x"]
        for _ in range(60):
            value = [value, value]
        return value

    assert [sign for sign, _ in render.msgdata_diff({"a": bomb()}, {"a": bomb()})] == [
        " "
    ]


@given(st.dictionaries(st.text(), st.text() | st.binary() | st.integers(), max_size=5))
def test_no_difference_holds_a_control_character(msgdata: dict[str, object]) -> None:
    for _, line in render.msgdata_diff(msgdata, {}):
        assert line == visible(line, len(line))


# --- Reports


def report(**facts: object) -> StepReport:
    known: dict[str, object] = {
        "runner": "in", "queue": "in", "filebase": "1700000000.5+ab",
        "outcome": Outcome.DONE,
    }  # fmt: skip
    return StepReport(**{**known, **facts})  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("outcome", Outcome)
def test_a_report_begins_with_its_outcome(outcome: Outcome) -> None:
    style, text = render.step_report_lines(report(outcome=outcome))[0]
    assert text == f"{outcome.value}: 1700000000.5+ab"
    assert style in render.STYLES


def test_a_report_without_a_file_says_so() -> None:
    lines = render.step_report_lines(report(filebase=None, outcome=Outcome.NOTHING))
    assert lines[0] == ("muted", "nothing: no file")


def test_a_report_tells_everything_in_named_styles() -> None:
    lines = render.step_report_lines(
        report(
            before={"a": 1},
            after={"a": 2},
            enqueued=(Enqueued(queue="out", filebase="17+cd"),),
            log=(LogLine(number=1, when=0, level="INFO", source="x", text="said"),),
            traceback="Traceback:\n  ValueError: \x1b[31mred\n",
            note="it was shunted",
        )
    )
    text = [line for _, line in lines]
    assert "it was shunted" in text
    assert text.index("- a: 1") + 1 == text.index("+ a: 2")
    assert "  out  17+cd" in text
    titles = [line for style, line in lines if style == "title"]
    assert titles == ["enqueued", "traceback", "log", "msgdata"]
    assert "  INFO said" in text
    assert "    ValueError: \\x1b[31mred" in text
    assert {style for style, _ in lines} <= render.STYLES.keys()
    assert all("\n" not in line and "\x1b" not in line for line in text)
