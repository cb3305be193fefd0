"""What a drain did, as an operator sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.models import DrainReport

if TYPE_CHECKING:
    from qtool.engine.status import Drained


def drain_report(drained: Drained) -> DrainReport:
    """Return the report of a drain."""
    return DrainReport(
        done=drained.counts.done,
        kept=drained.counts.kept,
        shunted=drained.counts.shunted,
        preserved=drained.counts.preserved,
        left=drained.left,
        note=drained.note,
        failures=drained.failures,
        others=drained.others,
        next_due=drained.next_due,
    )
