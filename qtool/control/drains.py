"""What a drain did, as an operator sees it."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from qtool.control.models import DrainedRunner, DrainReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from qtool.engine.status import Drained

_MOST_TURNS = 10
_NOTHING = DrainedRunner(runner="", done=0, kept=0, shunted=0, preserved=0, left=0)


def drain_report(drained: Drained) -> DrainReport:
    """Return the report of a drain."""
    runners = tuple(
        DrainedRunner(
            runner=share.runner,
            done=share.counts.done,
            kept=share.counts.kept,
            shunted=share.counts.shunted,
            preserved=share.counts.preserved,
            left=share.left,
            next_due=share.next_due,
        )
        for share in drained.shares
    )
    return _summed(
        runners,
        note=drained.note,
        drained=drained.drained,
        failures=drained.failures,
        others=drained.others,
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
    return _summed(
        _merged(chain.from_iterable(report.runners for report in every)),
        note="; ".join(report.note for report in latest if report.note),
        drained=_each_once(report.drained for report in latest),
        failures=_each_once(report.failures for report in every),
        others=_each_once(report.others for report in every),
    )


def _merged(turns: Iterable[DrainedRunner]) -> tuple[DrainedRunner, ...]:
    """Return what each runner did in all turns, and left in the last."""
    found: dict[str, DrainedRunner] = {}
    for each in turns:
        former = found.get(each.runner, _NOTHING)
        found[each.runner] = replace(
            each,
            done=each.done + former.done,
            kept=each.kept + former.kept,
            shunted=each.shunted + former.shunted,
            preserved=each.preserved + former.preserved,
        )
    return tuple(found.values())


def _summed(runners: tuple[DrainedRunner, ...], **facts: Any) -> DrainReport:
    return DrainReport(
        done=sum(each.done for each in runners),
        kept=sum(each.kept for each in runners),
        shunted=sum(each.shunted for each in runners),
        preserved=sum(each.preserved for each in runners),
        left=sum(each.left for each in runners),
        next_due=min((r.next_due for r in runners if r.next_due), default=None),
        runners=runners,
        **facts,
    )


def _each_once(lines: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(lines)))
