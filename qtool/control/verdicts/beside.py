"""What else is worth a look in a queue, however it flows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.models import State, Verdict, VerdictKind
from qtool.control.verdicts.cases import warning
from qtool.control.verdicts.phrases import span, waiting
from qtool.control.verdicts.progress import NOBODY, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.verdicts.cases import Facts

STALE_SECONDS = 60.0
"""For less than this a file may be in flight of somebody who tells nobody."""


def besides(facts: Facts) -> Iterator[Verdict]:
    """Yield what else is worth a look."""
    row = facts.row
    alone = [part for part in facts.parts if _is_alone(part)]
    if alone:
        yield _stale(facts, alone)
    lately = facts.arrived_lately
    if row.name == "shunt" and row.runner is None and lately:
        words = f"{lately} shunted in 5 min"
        yield warning(VerdictKind.SHUNTED, words, f"{waiting(row.depth or 0)} there")
    if row.foreign:
        one = row.foreign == 1
        evidence = f"{row.foreign} name{' is' if one else 's are'} no entry's: " + (
            "it is left alone" if one else "they are left alone"
        )
        yield warning(VerdictKind.FOREIGN, "foreign files", evidence)


def _is_alone(part: Part) -> bool:
    held = part.held_seconds
    # Whoever works where no runner is named tells nobody: one look cannot tell.
    is_named = part.state is not State.NO_RUNNER
    is_long = is_named if held is None else held >= STALE_SECONDS
    return bool(part.in_flight) and part.state in NOBODY and is_long


def _stale(facts: Facts, alone: Sequence[Part]) -> Verdict:
    count = sum(part.in_flight for part in alone)
    evidence = f"{count} in flight and nobody is known to work there"
    taken = [part.oldest_taken for part in alone if part.oldest_taken is not None]
    if taken:
        evidence += f"; the oldest came {span(facts.at - min(taken))} ago"
    seconds = [p.held_seconds for p in alone if p.held_seconds is not None]
    since = facts.at - max(seconds) if seconds else None
    return replace(warning(VerdictKind.STALE, "stale .bak", evidence), since=since)
