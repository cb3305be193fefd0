"""What a drain did, as an operator sees it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from qtool.control.models import DrainReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from qtool.engine.status import Drained

_MOST_TURNS = 10


def drain_report(drained: Drained) -> DrainReport:
    """Return the report of a drain."""
    return DrainReport(
        done=drained.counts.done,
        kept=drained.counts.kept,
        shunted=drained.counts.shunted,
        preserved=drained.counts.preserved,
        left=drained.left,
        note=drained.note,
        drained=drained.drained,
        failures=drained.failures,
        others=drained.others,
        next_due=drained.next_due,
    )


def in_turns(
    drains: Sequence[Callable[[], DrainReport]], closing: Callable[[], bool]
) -> DrainReport:
    """Drain several sets of queues, again where the last has done something.

    What one puts into a queue of another is drained, too.

    Args:
        drains: Each drains its queues until nothing is ready there.
        closing: Whether to end early.
    """
    turns = [[drain() for drain in drains]]
    while (
        len(drains) > 1
        and turns[-1][-1].done
        and len(turns) < _MOST_TURNS
        and not closing()
    ):
        turns.append([drain() for drain in drains])
    every, latest = list(chain.from_iterable(turns)), turns[-1]
    return DrainReport(
        done=sum(report.done for report in every),
        kept=sum(report.kept for report in every),
        shunted=sum(report.shunted for report in every),
        preserved=sum(report.preserved for report in every),
        left=sum(report.left for report in latest),
        note="; ".join(report.note for report in latest if report.note),
        drained=_each_once(report.drained for report in latest),
        failures=_each_once(report.failures for report in every),
        others=_each_once(report.others for report in every),
        next_due=min((r.next_due for r in latest if r.next_due), default=None),
    )


def _each_once(lines: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(lines)))
