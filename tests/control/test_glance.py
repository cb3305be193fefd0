"""One look at messages that have waited long: what it can tell, and what it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qtool.control.mailman_work import note_of, states_of
from qtool.control.models import QueueRow, Severity, State, VerdictKind
from qtool.control.verdicts.cases import Facts
from qtool.control.verdicts.glance import with_retries
from qtool.control.verdicts.progress import Part
from qtool.control.verdicts.verdicts import judge
from qtool.engine.mailman_processes import MailmanProcess
from qtool.queues.signs import Signs
from qtool.settings import parse

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.control.models import Verdict

AT = 1_700_000_000.0
HOUR = 3600.0


def seen(
    signs: Signs | None,
    in_flight: int = 0,
    process: MailmanProcess | None = None,
    snooze: float = 1.0,
) -> Verdict:
    """The verdict on 12 messages at a Mailman site, the oldest of three hours ago."""
    part = Part(state=State.MAILMAN, depth=12, oldest=AT - 3 * HOUR,
                in_flight=in_flight)  # fmt: skip
    row = QueueRow(name="out", has_queue=True, runner="out", runner_slices=1, depth=12,
                   in_flight=in_flight, state=State.MAILMAN,
                   snooze_seconds=snooze)  # fmt: skip
    facts = Facts(row=row, parts=(part,), at=AT, signs=signs, process=process)
    return judge(facts)[0][0]


def ago(
    changed: float,
    youngest: float | None = None,
    taken: float | None = None,
    *,
    clock: float = 0.0,
) -> Signs:
    """What was so long ago looks like, where a file system's clock is so far ahead."""
    there = AT + clock
    return Signs(
        changed=there - changed,
        youngest=None if youngest is None else AT - youngest,
        came=None if youngest is None else there - youngest,
        taken=None if taken is None else there - taken,
    )


WAITS = "12 messages wait, the oldest for 3h"


@pytest.mark.parametrize(
    ("signs", "flight", "words", "more"),
    [
        # Nothing has happened at all
        (ago(2 * HOUR, 2 * HOUR), 0, "stalled for 2h",
         ", nothing has come or left for 2h"),
        (ago(2 * HOUR, 3 * HOUR, 2 * HOUR), 1, "stalled for 2h",
         ", the last was taken 2h ago, nothing has come or left for 2h"),
        # Mail comes in, and the same one is in hand for an hour
        (ago(4, 4, HOUR), 1, "stalled for 1h", ", the last was taken 1h ago"),
        # It moves
        (ago(3, 3, 3), 1, "slow: the oldest waits for 3h",
         ", the last was taken 3s ago"),
        (ago(3, 60), 0, "slow: the oldest waits for 3h",
         ", one was taken or put back 3s ago"),
        # Nobody can tell
        (ago(3, 3), 0, "slow or stalled: the oldest waits for 3h",
         ", the last change was an arrival, 3s ago"),
        (ago(3, 7), 0, "slow or stalled: the oldest waits for 3h",
         ", the last change was an arrival, 3s ago"),
        (None, 0, "waits for 3h", "; whether any leave takes a second look"),
    ],
)  # fmt: skip
def test_what_one_look_tells_is_said_with_its_evidence(
    signs: Signs | None, flight: int, words: str, more: str
) -> None:
    found = seen(signs, flight)
    is_stalled = words.startswith("stalled")
    assert (found.words, found.evidence) == (words, WAITS + more)
    assert found.kind is (VerdictKind.STALLED if is_stalled else VerdictKind.WAITS_LONG)
    assert found.severity is (Severity.CRITICAL if is_stalled else Severity.WARNING)
    assert (found.since is not None) is is_stalled


AHEAD = "; the clock of its file system is 9m ahead, or more"
BEHIND = "; the clock of its file system is 10m behind"


@pytest.mark.parametrize(
    ("signs", "flight", "words", "more"),
    [
        # It is slow, and behind
        (ago(3, 3, clock=-600), 0, "slow or stalled: the oldest waits for 3h",
         f", the last change was an arrival, 3s ago{BEHIND}"),
        (ago(3, 60, clock=-600), 0, "slow: the oldest waits for 3h",
         f", one was taken or put back 3s ago{BEHIND}"),
        (ago(3, 60, 3, clock=-600), 1, "slow: the oldest waits for 3h",
         f", the last was taken 3s ago{BEHIND}"),
        # It is stalled all the same
        (ago(HOUR, HOUR, clock=-600), 0, "stalled for 1h",
         f", nothing has come or left for 1h{BEHIND}"),
        (ago(2 * HOUR, 3 * HOUR, clock=600), 0, "stalled for 1h",
         ", nothing has come or left for 1h"),
        # How long ago it was nobody can tell
        (ago(9, 9, clock=600), 0, "slow or stalled: the oldest waits for 3h",
         f", the last change was an arrival, 0s ago{AHEAD}"),
        (ago(9, 90, clock=600), 0, "slow or stalled: the oldest waits for 3h",
         f", one was taken or put back 0s ago{AHEAD}"),
        (ago(9, 90, 9, clock=600), 1, "slow or stalled: the oldest waits for 3h",
         f", the last was taken 0s ago{AHEAD}"),
    ],
)  # fmt: skip
def test_a_file_system_whose_clock_is_off_makes_no_queue_stalled(
    signs: Signs, flight: int, words: str, more: str
) -> None:
    found = seen(signs, flight)
    assert (found.words, found.evidence) == (words, WAITS + more)


def test_a_name_that_tells_when_it_is_due_tells_of_no_clock() -> None:
    part = Part(state=State.RUNNING, depth=1, oldest=AT - 3 * HOUR)
    row = QueueRow(name="out", has_queue=True, runner="out", runner_slices=1, depth=1,
                   state=State.RUNNING, honours_due=True,
                   snooze_seconds=1.0)  # fmt: skip
    signs = Signs(changed=AT - HOUR, youngest=AT - 60, came=AT - HOUR, taken=None)
    found = judge(Facts(row=row, parts=(part,), at=AT, signs=signs))[0][0]
    assert found.words == "stalled for 1h"


def test_what_happens_in_one_slice_says_nothing_of_another() -> None:
    late = Part(state=State.MAILMAN, depth=12, oldest=AT - 3 * HOUR)
    row = QueueRow(name="out", has_queue=True, runner="out", runner_slices=2,
                   depth=12, state=State.MAILMAN, snooze_seconds=1.0)  # fmt: skip
    parts = (Part(state=State.MAILMAN), late)
    found = judge(Facts(row=row, parts=parts, at=AT, signs=ago(3, 60)))[1][1]
    assert found.words == "slow or stalled: the oldest waits for 3h"
    assert found.evidence == f"{WAITS}, one was taken or put back in some slice 3s ago"
    found = judge(Facts(row=row, parts=parts, at=AT, signs=ago(HOUR, HOUR)))[1][1]
    assert found.words == "stalled for 1h"


@pytest.mark.parametrize(
    ("signs", "slices", "words"),
    [
        (ago(HOUR, taken=HOUR), 1, "in flight for 1h"),
        (ago(600, taken=600), 1, "flowing"),  # it has waited for the rest
        (ago(HOUR, taken=HOUR), 2, "flowing"),  # by turns, maybe
        (None, 1, "flowing"),
    ],
)
def test_one_look_finds_the_message_that_somebody_has_had_for_long(
    signs: Signs | None, slices: int, words: str
) -> None:
    part = Part(state=State.CLAIMED, in_flight=1, oldest_taken=AT - 3 * HOUR)
    row = QueueRow(name="out", has_queue=True, runner="out", runner_slices=slices,
                   in_flight=1, state=State.CLAIMED)  # fmt: skip
    parts = (part, *[Part(state=State.CLAIMED)] * (slices - 1))
    found = judge(Facts(row=row, parts=parts, at=AT, signs=signs))[0][0]
    assert found.words == words


def test_who_sleeps_long_is_given_the_time() -> None:
    assert seen(ago(2000, 2000), snooze=900.0).kind is VerdictKind.STALLED
    assert seen(ago(1500, 1500), snooze=900.0).kind is VerdictKind.WAITS_LONG


def test_what_the_process_does_is_told() -> None:
    asleep = MailmanProcess(pid=7, state="S")
    found = seen(ago(3, 3), process=asleep)
    assert found.evidence.endswith(
        "; its runner (pid 7) sleeps, or waits for the network"
    )
    held = seen(ago(3, 3), process=MailmanProcess(pid=7, state="T"))
    assert (held.kind, held.severity) == (VerdictKind.STALLED, Severity.CRITICAL)
    assert held.evidence == f"{WAITS}; its runner (pid 7) is stopped by a signal"


def test_what_waits_to_be_tried_again_is_told_of_out_where_that_is_late() -> None:
    late = QueueRow(name="out", has_queue=True, runner="out", runner_slices=1,
                    verdicts=(seen(ago(3, 3)),))  # fmt: skip
    retry = replace(late, name="retry", depth=4)
    told = with_retries(late, [late, retry]).verdict
    assert told is not None
    assert told.evidence.endswith(", 3s ago; 4 messages wait in retry")
    well = replace(late, verdicts=())
    for row, rows in ((late, [late]), (retry, [late, retry]), (well, [well, retry])):
        assert with_retries(row, rows) == row


def test_a_runner_that_mailman_does_not_keep_is_not_at_work(tmp_path: Path) -> None:
    text = "[runner.out]\ninstances: 4\n[runner.in]\n"
    runners = parse(text, source="x", base=tmp_path).runners
    one = MailmanProcess(pid=7, state="S")
    kept = {("out", 0): one, ("out", 2): one, ("out", 3): one}
    works, gone = State.MAILMAN, State.MAILMAN_STOPPED
    out, into = (states_of(runners[name], True, kept) for name in ("out", "in"))
    assert (out, into) == ((works, gone, works, works), (gone,))
    assert note_of(runners["out"], "pid 4", out) == (
        "Mailman runs (pid 4), and of its runners out:1:4 does not"
    )
    assert note_of(runners["in"], "pid 4", into) == (
        "Mailman runs (pid 4), and its runner in does not"
    )
    unknown = states_of(runners["out"], True, None)
    assert note_of(runners["out"], "pid 4", unknown) == "pid 4"
    assert states_of(runners["in"], False, kept) == (gone,)
