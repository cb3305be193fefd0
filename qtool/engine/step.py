"""What one processing did: the values behind a step's report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.queues.switchboard import Enqueued


class Outcome(StrEnum):
    """How the processing of one file ended."""

    DONE = "done"
    """Disposed of; the file is gone."""
    KEPT = "kept"
    """``_dispose`` asked for it to be kept: it waits in the queue again."""
    SHUNTED = "shunted"
    """Processing raised; the message is in ``shunt``."""
    PRESERVED = "preserved"
    """The file could not be read; it is in ``bad``, unchanged."""
    NOTHING = "nothing"
    """No file was there to take."""
    NOT_TAKEN = "not taken"
    """The chosen file is still where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One log record."""

    number: int
    """Counts up within one process."""
    when: float
    """Epoch seconds."""
    level: str
    """``INFO``, ``WARNING``, ..."""
    source: str
    """Which runner or part of qtool wrote it."""
    text: str
    """The message, untrusted."""
    traceback: str = ""
    """Of the exception that was logged, where there was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What one processing of one file did."""

    runner: str
    queue: str
    filebase: str | None
    """The file that was processed; None when there was none."""
    outcome: Outcome
    before: Mapping[str, Any] | None = None
    """msgdata as the file held it; None when it could not be read."""
    after: Mapping[str, Any] | None = None
    """msgdata as processing left it; None when it is not known."""
    enqueued: tuple[Enqueued, ...] = ()
    """What was put where, in order."""
    log: tuple[LogLine, ...] = ()
    traceback: str = ""
    """The traceback, where processing raised."""
    seconds: float = 0.0
    note: str = ""
    """One line more for the operator: the reason, the place of the message."""
