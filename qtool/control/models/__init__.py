"""What an operator sees: frozen values that serialise to JSON.

Times are epoch seconds; a front end turns them into ages with ``Board.at``.
None means unknown where the field says so, and is shown as ``…``.
Everything that came from a message is untrusted text.
"""

from qtool.control.models.audit import AuditPage, AuditRecord
from qtool.control.models.board import (
    ENGINE_GONE,
    RECONNECTING,
    Board,
    Cell,
    DrainReport,
    EntryView,
    Finishing,
    Injected,
    QueueEntry,
    QueueRow,
    RunningSlice,
    Site,
    State,
)
from qtool.control.models.doctor import (
    Examined,
    Finding,
    Fixed,
    FixPreview,
)
from qtool.control.models.entries import Entry, Found
from qtool.control.models.leaving import Leaving, Remaining
from qtool.control.models.mending import (
    Act,
    ActionResult,
    Missed,
    Preview,
    Trashed,
)
from qtool.control.models.shunts import Failure, FailureGroup, FailureSource
from qtool.control.models.verdicts import Severity, Verdict, VerdictKind
from qtool.engine.step import LogLine, Outcome, StepReport
from qtool.queues.switchboard import Enqueued

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
    "LogLine",
    "Missed",
    "Outcome",
    "Preview",
    "QueueEntry",
    "QueueRow",
    "Remaining",
    "RunningSlice",
    "Severity",
    "Site",
    "State",
    "StepReport",
    "Trashed",
    "Verdict",
    "VerdictKind",
]
