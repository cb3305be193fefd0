"""What one look can tell of a queue whose messages have waited long.

That nothing has come into a folder, or left it, for hours is certain; so is that
something was taken a moment ago. Where the last that happened was an arrival, nobody
can tell, and the verdict says so. Files tell their times by the clock of the file
system, which on a network may be minutes off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.models import VerdictKind
from qtool.control.verdicts.cases import critical, warning
from qtool.control.verdicts.phrases import span, waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import QueueRow, Verdict
    from qtool.control.verdicts.cases import Facts
    from qtool.control.verdicts.progress import Part
    from qtool.queues.signs import Signs

_SLACK_SECONDS = 5.0
"""From the time in a name until its file is there, at most; and from that until its
folder shows it."""
_LATE = frozenset({VerdictKind.STALLED, VerdictKind.WAITS_LONG})


def glanced(
    facts: Facts, part: Part, waited: float, patience: float, evidence: str
) -> Verdict:
    """Return what is to be said of messages that wait long where somebody works.

    Args:
        facts: With what one look tells; ``signs`` is None where it was watched.
        part: The slice.
        waited: For how long the oldest has waited, in seconds.
        patience: Nothing leaves for so long: it is stalled.
        evidence: How much waits, and for how long.
    """
    signs, process, is_alone = facts.signs, facts.process, len(facts.parts) == 1
    doing = f"; {process.told}" if process else ""
    if process is not None and process.is_suspended:
        return critical(VerdictKind.STALLED, "stalled", evidence + doing)
    if signs is None:
        evidence += f"{doing}; whether any leave takes a second look"
        return warning(VerdictKind.WAITS_LONG, f"waits for {span(waited)}", evidence)
    clock, off = _clock(facts, signs)
    doing += off
    quiet, held = clock - signs.changed, None
    if part.in_flight and signs.taken is not None and is_alone:
        held = clock - signs.taken
        evidence += f", the last was taken {span(held)} ago"
    still = max(quiet, held or 0.0)
    if still >= patience:
        if quiet >= patience:
            evidence += f", nothing has come or left for {span(quiet)}"
        words = f"stalled for {span(still)}"
        found = critical(VerdictKind.STALLED, words, evidence + doing)
        return replace(found, since=facts.at - still)
    how = "slow"
    if held is None:
        how, change = _change(signs, is_alone=is_alone)
        evidence += f", {change} {span(quiet)} ago"
    if clock > facts.at:
        how = "slow or stalled"
    words = f"{how}: the oldest waits for {span(waited)}"
    return warning(VerdictKind.WAITS_LONG, words, evidence + doing)


def held_for(facts: Facts) -> float | None:
    """Return for how long all that is in flight has been; None where nobody knows.

    One look tells that of a queue with one slice: who works several takes one after
    the other.
    """
    signs = facts.signs
    if signs is None or signs.taken is None or len(facts.parts) > 1:
        return None
    return _clock(facts, signs)[0] - signs.taken


def _clock(facts: Facts, signs: Signs) -> tuple[float, str]:
    """Return what time it is by the clock of the queue's file system, as far as known.

    It is behind where an entry came before the time in its name, and ahead where what
    has happened is yet to come.

    Returns:
        Epoch seconds, and how far that is off, in words; mostly "".
    """
    latest = max(signs.changed, signs.taken or 0.0)
    told = "; the clock of its file system is"
    if latest > facts.at + _SLACK_SECONDS:
        return latest, f"{told} {span(latest - facts.at)} ahead, or more"
    if signs.came is None or signs.youngest is None or facts.row.honours_due:
        return facts.at, ""  # a name may tell when an entry is due
    behind = signs.youngest - signs.came
    if behind <= _SLACK_SECONDS:
        return facts.at, ""
    return max(facts.at - behind, latest), f"{told} {span(behind)} behind"


def _change(signs: Signs, *, is_alone: bool) -> tuple[str, str]:
    """Return what is certain of a slice, and what the last change was.

    Args:
        signs: Of the whole queue.
        is_alone: Whether that is the slice.
    """
    if signs.came is None or signs.changed <= signs.came + _SLACK_SECONDS:
        return "slow or stalled", "the last change was an arrival,"
    if not is_alone:
        return "slow or stalled", "one was taken or put back in some slice"
    return "slow", "one was taken or put back"


def with_retries(row: QueueRow, rows: Sequence[QueueRow]) -> QueueRow:
    """Return a row of Mailman's with what else tells of why it waits.

    What its relay refuses for now goes from ``out`` to ``retry``, and comes back.
    """
    found = row.verdict
    if row.name != "out" or found is None or found.kind not in _LATE:
        return row
    depth = next((each.depth for each in rows if each.name == "retry"), None)
    if not depth:
        return row
    told = replace(found, evidence=f"{found.evidence}; {waiting(depth)} in retry")
    return replace(row, verdicts=(told, *row.verdicts[1:]))
