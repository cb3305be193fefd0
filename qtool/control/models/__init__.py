"""What an operator sees: frozen values that serialise to JSON.

Times are epoch seconds; a front end turns them into ages with ``Board.at``.
None means unknown where the field says so, and is shown as ``…``.
Everything that came from a message is untrusted text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtool.control.models.board import (
    ENGINE_GONE,
    RECONNECTING,
    Board,
    Cell,
    Finishing,
    QueueRow,
    RunningSlice,
    Site,
    State,
)
from qtool.control.models.verdicts import Severity, Verdict, VerdictKind
from qtool.engine.step import LogLine, Outcome, StepReport
from qtool.queues.switchboard import Enqueued

if TYPE_CHECKING:
    from qtool.control.models.audit import AuditPage, AuditRecord
    from qtool.control.models.doctor import Examined, Finding, Fixed, FixPreview
    from qtool.control.models.entries import Entry, EntryView, Found, QueueEntry
    from qtool.control.models.leaving import Leaving, Left, Remaining
    from qtool.control.models.mending import (
        Act,
        ActionResult,
        Missed,
        Preview,
        Trashed,
        UnderWay,
    )
    from qtool.control.models.metrics import Sample
    from qtool.control.models.runs import DrainedRunner, DrainReport, Injected
    from qtool.control.models.shunts import Failure, FailureGroup, FailureSource

__all__ = [
    "ENGINE_GONE",
    "RECONNECTING",
    "Act",
    "ActionResult",
    "AuditPage",
    "AuditRecord",
    "Board",
    "Cell",
    "DrainReport",
    "DrainedRunner",
    "Enqueued",
    "Entry",
    "EntryView",
    "Examined",
    "Failure",
    "FailureGroup",
    "FailureSource",
    "Finding",
    "Finishing",
    "FixPreview",
    "Fixed",
    "Found",
    "Injected",
    "Leaving",
    "Left",
    "LogLine",
    "Missed",
    "Outcome",
    "Preview",
    "QueueEntry",
    "QueueRow",
    "Remaining",
    "RunningSlice",
    "Sample",
    "Severity",
    "Site",
    "State",
    "StepReport",
    "Trashed",
    "UnderWay",
    "Verdict",
    "VerdictKind",
]

_LATER = {
    "Act": "mending",
    "ActionResult": "mending",
    "AuditPage": "audit",
    "AuditRecord": "audit",
    "DrainReport": "runs",
    "DrainedRunner": "runs",
    "Entry": "entries",
    "EntryView": "entries",
    "Examined": "doctor",
    "Failure": "shunts",
    "FailureGroup": "shunts",
    "FailureSource": "shunts",
    "Finding": "doctor",
    "FixPreview": "doctor",
    "Fixed": "doctor",
    "Found": "entries",
    "Injected": "runs",
    "Leaving": "leaving",
    "Left": "leaving",
    "Missed": "mending",
    "Preview": "mending",
    "QueueEntry": "entries",
    "Remaining": "leaving",
    "Sample": "metrics",
    "Trashed": "mending",
    "UnderWay": "mending",
}


def __getattr__(name: str) -> Any:
    """Import a model's module when it is first asked for: a board needs few of them."""
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = found
    return found
