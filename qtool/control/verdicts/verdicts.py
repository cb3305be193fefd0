"""What is to be said about a queue, from frozen facts: a pure function.

Nothing is guessed: where one reading cannot tell whether messages move, the verdict
says that they wait long, and that it takes a second look. What is paused, or waits
for its time, is never sick for that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.models import Severity, State, Verdict, VerdictKind
from qtool.control.unattended import unattended_line
from qtool.control.verdicts.beside import besides
from qtool.control.verdicts.cases import Facts, critical, rank, waits, warning
from qtool.control.verdicts.glance import glanced, held_for
from qtool.control.verdicts.phrases import per_time, span, waiting
from qtool.control.verdicts.progress import AT_WORK, NOBODY, Part
from qtool.settings import WITHOUT_RUNNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import QueueRow

STALLED_SECONDS = 60.0
"""Nothing leaves for longer than this and two sleep times: it is stalled."""
LONG_SECONDS = 900.0
"""What has waited longer than this asks for a second look; or for a runner, now."""
FLOWING_SECONDS = 30.0
"""What is gone within this time flows, and is no backlog."""
WATCHED_SECONDS = 60.0
"""Watched for less than this, a queue is not falling behind yet."""
_FEWEST = 20
"""So many messages are a backlog; and so many more have to have come than left."""
_LEAST_SHARE = 0.05
"""It drains where less comes than leaves, by so large a share."""
_NOT_IDLE = "not idle: "
"""So begins the note of a runner that is held back by its idle test."""

_SICK = frozenset({State.FAILED, State.IMPORT_ERROR, State.RESTARTING, State.HUNG})
"""Of itself, whatever waits."""
_EMPTY = Verdict(kind=VerdictKind.HEALTHY, words="empty")
_FLOWING = Verdict(kind=VerdictKind.HEALTHY, words="flowing")


def judge(facts: Facts) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]]:
    """Return what is to be said about a queue, and about each of its runner slices.

    Returns:
        The verdicts about the queue, the gravest first; all but that one are worth a
        look. Then one for each slice, if there are several.
    """
    row = facts.row
    if row.state is State.UNREADABLE:
        return (critical(VerdictKind.UNREADABLE, "unreadable", row.note),), ()
    parts = facts.parts or (Part(state=row.state),)
    slices = tuple(_of_slice(facts, part) for part in parts)
    found = [_of_queue(facts, slices), *besides(facts)]
    found.sort(key=rank, reverse=True)  # stable
    return tuple(found), slices if len(slices) > 1 else ()


def patience_of(row: QueueRow) -> float:
    """Return for how many seconds nothing may leave before a queue is stalled."""
    return STALLED_SECONDS + 2 * (row.snooze_seconds or 0)


# --- A slice


def _of_slice(facts: Facts, part: Part) -> Verdict:
    if part.state in _SICK:
        return _of_sick(facts, part)
    if part.paused:
        told = facts.row.paused.removeprefix("paused").lstrip(": ")
        return Verdict(
            kind=VerdictKind.PAUSED, words="paused", evidence=told,
            since=facts.paused_since,
        )  # fmt: skip
    if not part.depth:
        return _in_hand(facts, part)
    if facts.row.honours_due and part.oldest is not None and part.oldest > facts.at:
        due = (
            f"{waiting(part.depth)}, the next is due in {span(part.oldest - facts.at)}"
        )
        return waits("waits for its time", due)
    if part.state is State.NO_RUNNER:
        return _without_runner(facts, part)
    if part.state in NOBODY:
        return _unserved(facts, part)
    return _moving(facts, part)


def _of_sick(facts: Facts, part: Part) -> Verdict:
    row = facts.row
    note = row.note if part.state is row.state else ""
    began = None if part.state_seconds is None else facts.at - part.state_seconds
    if part.state is State.HUNG:
        held = [each.seconds for each in row.running if each.state is State.HUNG]
        seconds = max(held, default=0.0)
        words = f"hung for {span(seconds)}" if seconds else "hung"
        since = facts.at - seconds if seconds else None
        return replace(critical(VerdictKind.HUNG, words, note), since=since)
    if part.state is State.RESTARTING:
        found = warning(VerdictKind.FAILED, "failed, starts again", note)
    elif part.state is State.IMPORT_ERROR:
        how = critical if part.depth else warning
        found = how(VerdictKind.FAILED, "cannot be imported", note)
    else:
        found = critical(VerdictKind.FAILED, "failed", note)
    return replace(found, since=began)


def _in_hand(facts: Facts, part: Part) -> Verdict:
    """Judge a slice where nothing waits, but something may be in flight."""
    if not part.in_flight or part.state in NOBODY:
        return _EMPTY
    held = part.held_seconds
    if held is None:
        held = held_for(facts)
    if held is None or held < LONG_SECONDS:
        return _FLOWING
    evidence = f"{part.in_flight} in flight, the oldest of them for {span(held)} now"
    found = warning(VerdictKind.WAITS_LONG, f"in flight for {span(held)}", evidence)
    return replace(found, since=facts.at - held)


def _without_runner(facts: Facts, part: Part) -> Verdict:
    """Judge a slice that has no runner here, as far as is known."""
    if facts.row.name in WITHOUT_RUNNER:
        return waits("waits for a person", _waiting(facts, part))
    if part.has_moved:  # so somebody works whom nobody has named
        return _FLOWING
    return waits("waits", _waiting(facts, part))


def _unserved(facts: Facts, part: Part) -> Verdict:
    if facts.row.drained:
        return _drained(facts, part)
    evidence = f"{_waiting(facts, part)}, and no runner is at work there"
    is_late = part.oldest is not None and facts.at - part.oldest >= LONG_SECONDS
    is_meant = part.state is State.NO_CLASS or not facts.row.runner_slices
    how = critical if is_late and not is_meant else warning
    since = None
    if part.state_seconds is not None:
        since = max(facts.at - part.state_seconds, part.oldest or 0.0)
    return replace(how(VerdictKind.NO_RUNNER, "no runner", evidence), since=since)


def _drained(facts: Facts, part: Part) -> Verdict:
    """Judge a slice where nobody works now, and somebody does now and then."""
    evidence = f"{_waiting(facts, part)}; {facts.row.drained}"
    began = facts.drained.began if facts.drained else 0.0
    waited = facts.at - part.oldest if part.oldest is not None else 0.0
    if part.oldest is not None and part.oldest < began and waited >= LONG_SECONDS:
        evidence += ": that has left it, or it was put there since"
        return warning(VerdictKind.WAITS_LONG, f"waits for {span(waited)}", evidence)
    return waits("drained now and then", evidence)


def _moving(facts: Facts, part: Part) -> Verdict:
    """Judge a slice where messages wait and somebody works."""
    row = facts.row
    if part.state is State.RUNNING and row.note.startswith(_NOT_IDLE):
        return waits("held back", row.note)
    waited = facts.at - part.oldest if part.oldest is not None else 0.0
    still, patience = part.still_seconds, patience_of(row)
    if still is not None and row.honours_due:
        still = min(still, waited)  # before that it was not due
    evidence = _waiting(facts, part)
    if still is not None and still >= patience:
        evidence += f", none has left for {span(still)}"
        if part.in_flight:
            evidence += f", {part.in_flight} in flight"
        stalled = critical(VerdictKind.STALLED, f"stalled for {span(still)}", evidence)
        return replace(stalled, since=facts.at - still)
    # The rates are the queue's; they may have been counted before it was watched.
    moves = part.has_moved or (len(facts.parts) == 1 and bool(row.rate_out))
    if not moves and waited >= max(LONG_SECONDS, 2 * patience):
        return glanced(facts, part, waited, patience, evidence)
    return _FLOWING


def _waiting(facts: Facts, part: Part) -> str:
    line = waiting(part.depth)
    if part.oldest is None:
        return line
    seconds = facts.at - part.oldest
    if facts.row.honours_due:
        return f"{line}, the oldest {span(seconds)} overdue"
    oldest = f"the oldest for {span(seconds)}" if part.depth > 1 else span(seconds)
    return f"{line}, {oldest}" if part.depth > 1 else f"{line} for {oldest}"


# --- A queue


def _of_queue(facts: Facts, slices: Sequence[Verdict]) -> Verdict:
    number, worst = max(enumerate(slices), key=lambda each: rank(each[1]))
    if worst.severity is not Severity.OK:
        return _named(facts, worst, number, slices)
    if worst.kind is VerdictKind.PAUSED:
        return worst
    depth = sum(part.depth for part in facts.parts)
    is_served = _FLOWING in slices or any(p.state in AT_WORK for p in facts.parts)
    flow = _flow(facts, depth) if depth and is_served else None
    if flow is not None:
        return flow
    if len(slices) > 1 and worst.kind is VerdictKind.WAITING:
        return _of_slice(facts, _together(facts.parts, slices, number))
    if worst.kind is VerdictKind.WAITING:
        return worst
    return _FLOWING if depth or _FLOWING in slices else _EMPTY


def _together(parts: Sequence[Part], slices: Sequence[Verdict], number: int) -> Part:
    """Return the slices that wait as if they were one."""
    waits = [
        part
        for part, verdict in zip(parts, slices, strict=True)
        if verdict.kind is VerdictKind.WAITING
    ]
    oldest = [part.oldest for part in waits if part.oldest is not None]
    return replace(
        parts[number],
        depth=sum(part.depth for part in waits),
        oldest=min(oldest, default=None),
    )


def _named(
    facts: Facts, worst: Verdict, number: int, slices: Sequence[Verdict]
) -> Verdict:
    """Return the verdict of the gravest slice as that of the queue."""
    if worst.kind is VerdictKind.NO_RUNNER:
        oldest = [p.oldest for p in facts.parts if p.depth and p.oldest is not None]
        age = f"; the oldest for {span(facts.at - min(oldest))}" if oldest else ""
        told = facts.row.note or unattended_line(facts.row.cells)
        drained = f"; {facts.drained.told(facts.at)}" if facts.drained else ""
        return replace(worst, evidence=told + age + drained)
    if len(slices) == 1:
        return worst
    alike = sum(each.kind is worst.kind for each in slices)
    which = (
        f"slice {number}:{len(slices)}"
        if alike == 1
        else f"{alike} slices of {len(slices)}"
    )
    verb, space, rest = worst.words.partition(" ")
    if verb == "waits" and alike > 1:
        verb = "wait"
    return replace(worst, words=f"{which} {verb}{space}{rest}")


def _flow(facts: Facts, depth: int) -> Verdict | None:
    """Judge a backlog by its rates; None where they say nothing."""
    row, watched = facts.row, facts.watched_seconds
    into, out = row.rate_in_5m, row.rate_out_5m
    if row.rate_in is None or row.rate_out is None:
        return None
    if watched >= WATCHED_SECONDS and into is not None and out is not None:
        more = (into - out) * min(watched, 300.0)
        if more >= max(_FEWEST, depth / 10) and row.rate_in > row.rate_out:
            evidence = (
                f"{waiting(depth)}; in {per_time(into)}, out {per_time(out)} over"
                f" {span(min(watched, 300.0))}: {(into - out) * 60:.0f} more a minute"
            )
            return warning(VerdictKind.FALLING_BEHIND, "falling behind", evidence)
    net = row.rate_out - row.rate_in
    is_backlog = depth >= _FEWEST and net > _LEAST_SHARE * row.rate_out
    if not is_backlog or depth / net < FLOWING_SECONDS:
        return None
    evidence = (
        f"{waiting(depth)}; in {per_time(row.rate_in)}, out {per_time(row.rate_out)}"
    )
    words = f"draining, empty in {span(depth / net)}"
    return Verdict(kind=VerdictKind.DRAINING, words=words, evidence=evidence)
