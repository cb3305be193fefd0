"""The lines below the board: full figures, and why a row is as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qtool.control.models import (
    ENGINE_GONE,
    RECONNECTING,
    Severity,
    State,
    Verdict,
    VerdictKind,
)
from qtool.tui.widgets.detail import detail_lines, why
from tests.tui.boards import AT, SITE, board, row

if TYPE_CHECKING:
    from qtool.control.models import QueueRow

BASE = f"1699999588.1234567+{'a94a8fe5' * 5}"
HUNG = f"waits for the network in _lookup; in hand {BASE}; hung for 412 s: `get()`"


def figures(one: QueueRow, at_slice: int | None = None) -> str:
    """The first line."""
    lines = detail_lines(board(one), one, at_slice, 120)
    return "".join(text for _, text in lines[0])


def evidence(one: QueueRow, width: int, at_slice: int | None = None) -> str:
    """The second line; it never needs more than there is."""
    lines = detail_lines(board(one), one, at_slice, width)
    shown = "".join(text for _, text in lines[1])
    assert len(shown) <= width - 2
    return shown


def test_where_entries_wait_for_their_time_nobody_sees_an_age() -> None:
    one = row("retry", [1, 0], oldest=AT - 3600, honours_due=True)
    shown = figures(one)
    assert "next overdue 1h" in shown
    assert "oldest" not in shown


def test_the_detail_line_has_the_full_figures() -> None:
    one = row("out", [123_456, 7], owners=2, in_flight=3, rate_in=1.0, rate_out=None,
              preserved=4, foreign=5, snooze_seconds=900.0)  # fmt: skip
    shown = figures(one)
    for figure in ("depth 123463", "fly 3", "in 1.0/s", "out …", "snooze 15m",
                   "slices 2", "preserved 4", "foreign 5"):  # fmt: skip
        assert figure in shown


def test_the_detail_line_of_a_slice_names_its_owner() -> None:
    one = row("out", [1, 2, 3, 4], owners=2)
    shown = figures(one, 2)
    assert "slice 2:4, runner slice 1:2" in shown
    assert "depth 3" in shown


def test_the_cause_comes_before_the_keys_and_the_keys_go_first() -> None:
    failed = row("in", note="ValueError: x", state=State.FAILED, traceback="Traceback")
    assert evidence(failed, 80) == (
        "✗ failed  ValueError: x  e traceback  s starts it again"
    )
    assert evidence(failed, 50) == "✗ failed  ValueError: x  e traceback"
    long = replace(failed, note="x" * 200)
    assert evidence(long, 80) == f"✗ failed  {'x' * 54}…  e traceback"


def test_a_verdict_is_told_where_the_state_says_less() -> None:
    stalled = Verdict(
        kind=VerdictKind.STALLED, words="stalled for 5m", evidence="3 messages wait"
    )
    one = row("in", [3], verdicts=(stalled,))
    assert evidence(one, 80) == "► running  stalled for 5m: 3 messages wait"
    well = Verdict(kind=VerdictKind.HEALTHY, words="flowing")
    assert evidence(replace(one, verdicts=(well,)), 80) == "► running"


def test_what_does_not_fit_can_be_read() -> None:
    paused = row("in", state=State.PAUSED, note=f"paused: {'x' * 200}; by root")
    shown = evidence(paused, 80)
    assert shown.startswith("‖ paused  xxx")
    assert shown.endswith("x…  e all of it")
    assert why(paused, AT) == f"{'x' * 200}; by root"


def test_the_message_in_hand_is_seen_on_a_small_screen() -> None:
    hung = row("in", state=State.HUNG, note=HUNG, traceback="Stack")
    assert BASE in evidence(hung, 200)
    shown = evidence(hung, 80)
    assert "_lookup; in hand 1699999588.12+a94a…" in shown
    assert shown.endswith("  e stack")
    mixed = replace(hung, note=f"slice 2:4 hung, 3 running: {HUNG}")
    assert evidence(mixed, 80) == shown
    assert evidence(mixed, 124).startswith("⊗ hung  slice 2:4: waits for the network")


def test_a_reason_stands_there_once() -> None:
    reason = "in is switched off: instances is 0"
    note = f"{reason}; 3 messages wait and no runner is at work there"
    one = row("in", [3], state=State.STOPPED, note=note, refusal=reason)
    assert evidence(one, 200).count(reason) == 1


def test_the_keys_of_a_slice_are_those_of_its_state() -> None:
    states = {0: State.STOPPED}
    one = row("in", [1, 1], owners=2, states=states, state=State.STOPPED)
    assert evidence(one, 80, 0) == "■ stopped  s starts it  t steps one file"
    assert evidence(one, 80, 1) == "► running"


@pytest.mark.parametrize(
    ("attached", "said"),
    [
        (RECONNECTING, "the daemon has gone; looking for it again"),
        (ENGINE_GONE, "this window's engine has gone; starting it again"),
    ],
)
def test_what_was_seen_before_is_not_told_as_if_it_were_so(
    attached: str, said: str
) -> None:
    one = row("in", [7], in_flight=1, rate_in=2.0)
    gone = board(one, site=replace(SITE, attached=attached))
    first, second = detail_lines(gone, one, None, 80)
    assert "".join(text for _, text in first) == "in  depth 7, as last seen"
    assert f"{said}, since 2023-11-14 22:13:20" in "".join(text for _, text in second)


def test_names_from_a_spool_are_made_harmless() -> None:
    one = row("in\x1b[31m", note="\x9bboo\u202e", state=State.FAILED)
    text = "".join(
        text for line in detail_lines(board(one), one, None, 80) for _, text in line
    )
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_figures_are_whole_and_those_to_be_seen_to_go_last(width: int) -> None:
    one = row("out", depth=123_456, in_flight=8, runner_slices=16)
    one = replace(one, held=1234, preserved=56, foreign=7, rate_in=3.3, rate_out=4.4)
    text = "".join(text for _, text in detail_lines(board(one), one, None, width)[0])
    assert len(text) <= width - 2
    assert "held 1234  preserved 56  foreign 7" in text
    shown = text.removeprefix("out").split("  ")[1:]
    assert all(len(figure.split(" ")) == 2 for figure in shown)
    assert ("slices 16" in text) == (width > 100)


def test_evidence_that_is_too_long_ends_with_a_part_of_it() -> None:
    told = "414 messages wait, the oldest for 3h; whether any leave takes a second look"
    waits = Verdict(
        kind=VerdictKind.WAITS_LONG, severity=Severity.WARNING,
        words="slice 5:8 waits for 3h", evidence=told,
    )  # fmt: skip
    one = row("out", [3, 414], owners=2, state=State.RUNNING, verdicts=(waits,))
    shown = evidence(one, 80)
    assert "414 messages wait, the oldest for 3h; …  e all of it" in shown
    assert told in evidence(one, 140)
