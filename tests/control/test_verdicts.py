"""Verdicts from facts: who is sick, who is not, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.control.models import Cell, QueueRow, RunningSlice, Severity, State, Verdict
from qtool.control.models import VerdictKind as Kind
from qtool.control.verdicts.cases import Facts
from qtool.control.verdicts.disk import Disk, judge_disk
from qtool.control.verdicts.progress import NOBODY, Part, Progress
from qtool.control.verdicts.verdicts import judge

AT = 1_700_000_000.0
OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL


def facts(*parts: Part, **more: Any) -> Facts:
    """Facts about a queue of these slices; what is no field is about its row."""
    ours = ("watched_seconds", "arrived_lately", "paused_since")
    own = {name: more.pop(name) for name in ours if name in more}
    row: dict[str, Any] = {
        "name": "in", "has_queue": True, "runner": "in", "runner_slices": len(parts),
        "depth": sum(part.depth for part in parts),
        "in_flight": sum(part.in_flight for part in parts),
        "state": parts[0].state if parts else State.RUNNING, "snooze_seconds": 1.0,
        "cells": tuple(
            Cell(depth=p.depth, in_flight=p.in_flight, oldest=p.oldest, owner=number,
                 state=p.state)
            for number, p in enumerate(parts)
        ),
    }  # fmt: skip
    return Facts(row=QueueRow(**{**row, **more}), parts=parts, at=AT, **own)


def part(
    depth: int = 0, age: float = 1.0, state: State = State.RUNNING, **more: Any
) -> Part:
    return Part(state=state, depth=depth, oldest=AT - age if depth else None, **more)


def verdict(*parts: Part, **more: Any) -> Verdict:
    """The verdict about the queue."""
    return judge(facts(*parts, **more))[0][0]


def said(*parts: Part, **more: Any) -> tuple[Kind, Severity, str]:
    found = verdict(*parts, **more)
    return found.kind, found.severity, found.words


MOVES: dict[str, Any] = {"still_seconds": 2.0, "has_moved": True}
STILL: dict[str, Any] = {"still_seconds": 300.0, "has_moved": False}
RATES = {"rate_in": 1.0, "rate_out": 1.0, "rate_in_5m": 1.0, "rate_out_5m": 1.0}
HOUR = 3600.0


@pytest.mark.parametrize(
    ("parts", "row", "kind", "severity", "words"),
    [
        ([part()], {}, Kind.HEALTHY, OK, "empty"),
        ([part(state=State.STOPPED)], {}, Kind.HEALTHY, OK, "empty"),
        ([part(5, **MOVES)], {}, Kind.HEALTHY, OK, "flowing"),
        ([part(5)], {}, Kind.HEALTHY, OK, "flowing"),
        ([part(5, HOUR, **MOVES)], {}, Kind.HEALTHY, OK, "flowing"),
        ([part(5, state=State.CLAIMED, **MOVES)], {}, Kind.HEALTHY, OK, "flowing"),
        ([part(5, state=State.MAILMAN, **MOVES)], {}, Kind.HEALTHY, OK, "flowing"),
        # Nothing leaves
        ([part(5, HOUR, **STILL)], {}, Kind.STALLED, CRITICAL, "stalled for 5m"),
        ([part(5, HOUR, State.CLAIMED, **STILL)], {}, Kind.STALLED, CRITICAL,
         "stalled for 5m"),
        ([part(5, HOUR, **STILL)], {"snooze_seconds": 900.0}, Kind.HEALTHY, OK,
         "flowing"),
        ([part(5, 1, still_seconds=30.0)], {}, Kind.HEALTHY, OK, "flowing"),
        # One reading cannot tell
        ([part(5, HOUR)], {}, Kind.WAITS_LONG, WARNING, "waits for 1h"),
        ([part(5, HOUR, still_seconds=5.0)], {}, Kind.WAITS_LONG, WARNING,
         "waits for 1h"),
        ([part(5, -HOUR)], {}, Kind.HEALTHY, OK, "flowing"),
        # Nobody there
        ([part(5, 60, State.STOPPED)], {}, Kind.NO_RUNNER, WARNING, "no runner"),
        ([part(5, HOUR, State.STOPPED)], {}, Kind.NO_RUNNER, CRITICAL, "no runner"),
        ([part(5, HOUR, State.MAILMAN_STOPPED)], {}, Kind.NO_RUNNER, CRITICAL,
         "no runner"),
        ([part(5, HOUR, State.NO_CLASS)], {}, Kind.NO_RUNNER, WARNING, "no runner"),
        ([part(5, HOUR, State.STOPPED)], {"runner_slices": 0}, Kind.NO_RUNNER, WARNING,
         "no runner"),
        ([part(5, HOUR, State.NO_RUNNER)], {"name": "bad", "runner": None},
         Kind.WAITING, OK, "waits for a person"),
        ([part(5, HOUR, State.NO_RUNNER, has_moved=True)],
         {"name": "bad", "runner": None}, Kind.WAITING, OK, "waits for a person"),
        ([part(5, HOUR, State.NO_RUNNER)], {"runner": None}, Kind.WAITING, OK, "waits"),
        ([part(5, HOUR, State.NO_RUNNER, **MOVES)], {"runner": None}, Kind.HEALTHY, OK,
         "flowing"),
        ([part(0, state=State.NO_RUNNER, in_flight=1)], {"runner": None}, Kind.HEALTHY,
         OK, "empty"),
        ([part(0, state=State.NO_RUNNER, in_flight=1, held_seconds=99.0)],
         {"runner": None}, Kind.STALE, WARNING, "stale .bak"),
        # Paused
        ([part(5, HOUR, State.PAUSED, paused=True, **STILL)], {}, Kind.PAUSED, OK,
         "paused"),
        ([part(5, HOUR, State.STOPPED, paused=True)], {}, Kind.PAUSED, OK, "paused"),
        # Waits as it should
        ([part(5, -300)], {"honours_due": True}, Kind.WAITING, OK,
         "waits for its time"),
        ([part(5, -300, State.STOPPED)], {"honours_due": True}, Kind.WAITING, OK,
         "waits for its time"),
        ([part(5, 10, **STILL)], {"honours_due": True}, Kind.HEALTHY, OK, "flowing"),
        ([part(5, HOUR, **STILL)], {"honours_due": True}, Kind.STALLED, CRITICAL,
         "stalled for 5m"),
        ([part(5, HOUR, **STILL)], {"note": "not idle: load 4"}, Kind.WAITING, OK,
         "held back"),
        # Sick of itself
        ([part(state=State.FAILED)], {}, Kind.FAILED, CRITICAL, "failed"),
        ([part(state=State.FAILED, paused=True)], {}, Kind.FAILED, CRITICAL, "failed"),
        ([part(state=State.RESTARTING)], {}, Kind.FAILED, WARNING,
         "failed, starts again"),
        ([part(state=State.IMPORT_ERROR)], {}, Kind.FAILED, WARNING,
         "cannot be imported"),
        ([part(1, state=State.IMPORT_ERROR)], {}, Kind.FAILED, CRITICAL,
         "cannot be imported"),
        ([part(state=State.HUNG)], {}, Kind.HUNG, CRITICAL, "hung"),
        ([], {"state": State.UNREADABLE}, Kind.UNREADABLE, CRITICAL, "unreadable"),
        ([], {"state": State.FAILED, "has_queue": False}, Kind.FAILED, CRITICAL,
         "failed"),
        ([], {"has_queue": False}, Kind.HEALTHY, OK, "empty"),
        # Several slices
        ([part(), part(9, HOUR, **STILL)], {}, Kind.STALLED, CRITICAL,
         "slice 1:2 stalled for 5m"),
        ([part(9, HOUR, **STILL)] * 2 + [part()], {}, Kind.STALLED, CRITICAL,
         "2 slices of 3 stalled for 5m"),
        ([part(5, HOUR)] * 2 + [part()], {}, Kind.WAITS_LONG, WARNING,
         "2 slices of 3 wait for 1h"),
        ([part(), part(9, HOUR, State.STOPPED)], {}, Kind.NO_RUNNER, CRITICAL,
         "no runner"),
        ([part(3, **MOVES), part(9, paused=True)], {}, Kind.PAUSED, OK, "paused"),
        ([part(3, -60), part(9, -99)], {"honours_due": True}, Kind.WAITING, OK,
         "waits for its time"),
        # Beside
        ([part(state=State.STOPPED, in_flight=2)], {}, Kind.STALE, WARNING,
         "stale .bak"),
        ([part(state=State.STOPPED, in_flight=2, held_seconds=9.0)], {}, Kind.HEALTHY,
         OK, "empty"),
        ([part(in_flight=2)], {}, Kind.HEALTHY, OK, "flowing"),
        ([part(), part(in_flight=1)], {}, Kind.HEALTHY, OK, "flowing"),
        ([part(in_flight=1, held_seconds=800.0)], {}, Kind.HEALTHY, OK, "flowing"),
        ([part(state=State.MAILMAN, in_flight=1, held_seconds=HOUR)], {},
         Kind.WAITS_LONG, WARNING, "in flight for 1h"),
        ([part()], {"foreign": 3}, Kind.FOREIGN, WARNING, "foreign files"),
        ([part(state=State.NO_RUNNER)],
         {"name": "shunt", "runner": None, "arrived_lately": 12},
         Kind.SHUNTED, WARNING, "12 shunted in 5 min"),
        ([part()], {"name": "shunt", "arrived_lately": 12}, Kind.HEALTHY, OK, "empty"),
    ],
)  # fmt: skip
def test_a_verdict_follows_from_the_facts(
    parts: list[Part],
    row: dict[str, Any],
    kind: Kind,
    severity: Severity,
    words: str,
) -> None:
    assert said(*parts, **row) == (kind, severity, words)


@pytest.mark.parametrize(
    ("rates", "watched", "kind", "words"),
    [
        ({"rate_in_5m": 3.0, "rate_in": 2.0}, 300.0, Kind.FALLING_BEHIND,
         "falling behind"),
        ({"rate_in_5m": 3.0, "rate_in": 2.0}, 30.0, Kind.HEALTHY, "flowing"),
        ({"rate_in_5m": 3.0, "rate_in": 0.0}, 300.0, Kind.DRAINING,
         "draining, empty in 1m"),
        ({"rate_in_5m": 1.05, "rate_in": 2.0}, 300.0, Kind.HEALTHY, "flowing"),
        ({"rate_out": 2.0}, 300.0, Kind.DRAINING, "draining, empty in 1m"),
        ({"rate_out": 1.02}, 300.0, Kind.HEALTHY, "flowing"),
        ({"rate_out": 90.0}, 300.0, Kind.HEALTHY, "flowing"),
        ({"rate_out": None}, 300.0, Kind.HEALTHY, "flowing"),
        ({"rate_in": None, "rate_in_5m": None}, 300.0, Kind.HEALTHY, "flowing"),
    ],
)  # fmt: skip
def test_a_backlog_is_judged_by_what_was_counted(
    rates: dict[str, Any], watched: float, kind: Kind, words: str
) -> None:
    found = verdict(part(100, **MOVES), watched_seconds=watched, **{**RATES, **rates})
    assert (found.kind, found.words) == (kind, words)


def test_the_evidence_says_how_much_and_how_long() -> None:
    stalled = verdict(part(12, 2 * HOUR, in_flight=1, **STILL))
    assert stalled.evidence == (
        "12 messages wait, the oldest for 2h, none has left for 5m, 1 in flight"
    )
    assert stalled.since == AT - 300
    assert verdict(part(1, HOUR)).evidence == (
        "1 message waits for 1h; whether any leave takes a second look"
    )
    assert verdict(part(1, HOUR), rate_out=0.1).words == "flowing"
    assert verdict(part(1, HOUR), part(), rate_out=0.1).words != "flowing"
    nobody = verdict(part(), part(2, 70, State.STOPPED))
    assert nobody.evidence == (
        "2 messages wait in slice 1:2 and no runner is at work there; the oldest for 1m"
    )
    behind = verdict(part(100, **MOVES), watched_seconds=400.0,
                     **{**RATES, "rate_in_5m": 12.0, "rate_in": 4.0})  # fmt: skip
    assert behind.evidence == (
        "100 messages wait; in 12/s, out 1/s over 5m: 660 more a minute"
    )
    due = verdict(part(5, -300), part(1, -60), honours_due=True)
    assert due.evidence == "6 messages wait, the next is due in 1m"
    why = "paused: relay is down; by anne since 10:00, until 12:00"
    paused = verdict(part(5, state=State.PAUSED, paused=True), paused=why)
    assert paused.evidence == "relay is down; by anne since 10:00, until 12:00"
    stale = verdict(part(state=State.STOPPED, in_flight=1, held_seconds=90.0,
                         oldest_taken=AT - HOUR))  # fmt: skip
    assert stale.evidence == (
        "1 in flight and nobody is known to work there; the oldest came 1h ago"
    )
    assert stale.since == AT - 90


def test_a_hang_and_a_failure_quote_the_runner() -> None:
    hand = RunningSlice(slice=0, state=State.HUNG, pid=1, thread=1, cpu_seconds=0.0,
                        memory_bytes=None, filebase="x", seconds=720.0)  # fmt: skip
    note = "waits for the network in recv_into; in hand x: `...` (socket.py:718)"
    hung = verdict(part(state=State.HUNG), running=(hand,), note=note)
    assert (hung.words, hung.evidence, hung.since) == ("hung for 12m", note, AT - 720)
    assert verdict(part(state=State.FAILED), note="ValueError: x").evidence == (
        "ValueError: x"
    )


def test_since_when_it_is_so_is_told_as_far_as_it_is_known() -> None:
    lately: dict[str, Any] = {"state_seconds": 90.0}
    assert verdict(part(state=State.FAILED)).since is None
    assert verdict(part(state=State.FAILED, **lately)).since == AT - 90
    assert verdict(part(state=State.RESTARTING, **lately)).since == AT - 90
    assert verdict(part(5, HOUR, State.STOPPED)).since is None
    assert verdict(part(5, HOUR, State.STOPPED, **lately)).since == AT - 90
    assert verdict(part(5, 30.0, State.STOPPED, **lately)).since == AT - 30
    paused = part(5, state=State.PAUSED, paused=True)
    assert verdict(paused, paused_since=AT - 7).since == AT - 7
    held = part(state=State.MAILMAN, in_flight=1, held_seconds=HOUR)
    assert verdict(held).since == AT - HOUR


def test_all_that_is_worth_a_look_is_said_the_gravest_first() -> None:
    (*verdicts,), slices = judge(
        facts(part(3, HOUR, State.STOPPED, in_flight=1), part(), foreign=1)
    )
    kinds = [each.kind for each in verdicts]
    assert kinds == [Kind.NO_RUNNER, Kind.STALE, Kind.FOREIGN]
    assert [each.kind for each in slices] == [Kind.NO_RUNNER, Kind.HEALTHY]
    assert judge(facts(part()))[1] == ()


def test_a_foreign_file_hides_nothing_else() -> None:
    for state, kind in (
        (State.STOPPED, Kind.NO_RUNNER), (State.MAILMAN, Kind.WAITS_LONG),
    ):  # fmt: skip
        age = HOUR if state is State.MAILMAN else 30.0
        (first, second), _ = judge(facts(part(3, age, state), foreign=1))
        assert (first.kind, first.severity) == (kind, Severity.WARNING)
        assert (second.kind, second.severity) == (Kind.FOREIGN, Severity.WARNING)


ANY_PART = st.builds(
    part,
    st.integers(0, 10**6),
    st.floats(-1e7, 1e7),
    st.sampled_from(State),
    in_flight=st.integers(0, 3),
    still_seconds=st.none() | st.floats(0, 1e6),
    has_moved=st.booleans(),
    held_seconds=st.none() | st.floats(0, 1e6),
    state_seconds=st.none() | st.floats(0, 1e6),
)
FEW = settings(max_examples=40)
RATE = st.none() | st.floats(0, 1e5)


@FEW
@given(
    parts=st.lists(ANY_PART, max_size=4),
    rates=st.tuples(RATE, RATE, RATE, RATE),
    watched=st.floats(0, 1e6),
    honours_due=st.booleans(),
)
def test_there_is_always_a_verdict_with_the_gravest_first(
    parts: list[Part],
    rates: tuple[float | None, ...],
    watched: float,
    honours_due: bool,
) -> None:
    into, out, into_5m, out_5m = rates
    found, slices = judge(
        facts(*parts, rate_in=into, rate_out=out, rate_in_5m=into_5m,
              rate_out_5m=out_5m, watched_seconds=watched, honours_due=honours_due)
    )  # fmt: skip
    order = [list(Severity).index(each.severity) for each in found]
    assert order
    assert order == sorted(order, reverse=True)
    assert all(each.words and "\n" not in each.words for each in (*found, *slices))


@FEW
@given(ANY_PART)
def test_a_pause_is_never_an_alarm(one: Part) -> None:
    paused = part(one.depth, state=State.PAUSED, paused=True,
                  still_seconds=one.still_seconds)  # fmt: skip
    assert verdict(paused).severity is OK


# --- What moves


def told(progress: Progress, now: float, *looks: Part) -> Part:
    return progress.told(looks, now)[0]


def test_a_slice_is_still_from_when_the_last_one_left() -> None:
    progress = Progress()
    for now, (depth, oldest) in enumerate(
        [(3, 1.0), (4, 1.0), (3, 2.0), (5, 2.0), (5, 1.5), (5, 1.5)]
    ):
        look = Part(state=State.RUNNING, depth=depth, oldest=oldest)
        progress.see([look], float(now))
    found = told(progress, 9.0, look)
    assert (found.still_seconds, found.has_moved) == (7.0, True)


@pytest.mark.parametrize(
    "look",
    [
        Part(state=State.RUNNING),
        Part(state=State.RUNNING, depth=3, oldest=1.0, paused=True),
        Part(state=State.STOPPED, depth=3, oldest=1.0),
    ],
)
def test_who_has_nothing_to_take_is_not_still(look: Part) -> None:
    progress = Progress()
    for now in range(100):
        progress.see([look], float(now))
    found = told(progress, 99.0, look)
    assert (found.still_seconds, found.has_moved) == (0.0, False)


@pytest.mark.parametrize("state", sorted(NOBODY))
def test_what_is_in_flight_where_nobody_works_is_alone(state: State) -> None:
    progress = Progress()
    taken = Part(state=state, in_flight=1, oldest_taken=1.0)
    progress.see([replace(taken, state=State.RUNNING)], 0.0)
    for now in (1.0, 50.0):
        progress.see([taken], now)
    assert told(progress, 60.0, taken).held_seconds == 59.0
    assert told(progress, 60.0, taken).state_seconds == 59.0
    progress.see([replace(taken, oldest_taken=2.0)], 70.0)  # somebody works there
    assert told(progress, 75.0, taken).held_seconds == 5.0


def test_slices_that_are_divided_otherwise_begin_anew() -> None:
    progress = Progress()
    one = Part(state=State.RUNNING, depth=3, oldest=1.0)
    progress.see([one], 0.0)
    assert progress.told([one, one], 90.0) == (one, one)
    progress.see([one, one], 100.0)
    assert told(progress, 101.0, one, one).still_seconds == 1.0


# --- The disk


@pytest.mark.parametrize(
    ("disk", "said"),
    [
        (Disk(size=1 << 40, free=3 << 30, inodes=0, free_inodes=0), None),
        (Disk(size=1 << 34, free=1 << 30, inodes=0, free_inodes=0),
         (WARNING, "disk nearly full", "1 GB of 16 GB free (6.2%)")),
        (Disk(size=1 << 40, free=1 << 27, inodes=0, free_inodes=0),
         (CRITICAL, "disk nearly full", "128 MB of 1 TB free (0.0%)")),
        (Disk(size=1 << 40, free=1 << 39, inodes=1000, free_inodes=50),
         (WARNING, "inodes nearly full", "50 of 1000 free (5.0%)")),
        (Disk(size=1 << 34, free=1 << 30, inodes=1000, free_inodes=0),
         (CRITICAL, "inodes nearly full", "0 of 1000 free (0.0%)")),
        (Disk(size=0, free=0, inodes=0, free_inodes=0), None),
    ],
)  # fmt: skip
def test_a_disk_is_nearly_full_by_a_share_and_a_number(disk: Disk, said: Any) -> None:
    found = judge_disk(disk)
    assert (found and (found.severity, found.words, found.evidence)) == said
