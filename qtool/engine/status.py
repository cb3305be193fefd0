"""What a master tells of its runners."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from qtool.engine.elsewhere import ChildFailed, ChildLeft, traceback_there
from qtool.engine.shunting import one_line, traceback_text
from qtool.engine.step import Outcome
from qtool.errors import (
    NoRunnerClass,
    QToolError,
    RunnerError,
    RunnerImportError,
    SliceClaimed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunnerState(StrEnum):
    """What one runner slice is doing."""

    STOPPED = "stopped"
    RUNNING = "running"
    """In its loop: processing, or snoozing."""
    PAUSED = "paused"
    STOPPING = "stopping"
    """Finishes the message in hand, then stops or pauses."""
    HUNG = "hung"
    """It has been at one message, or at something else, for too long."""
    RESTARTING = "restarting"
    """It failed, and waits until it is started again."""
    FAILED = "failed"
    CLAIMED = "claimed"
    """Somebody else holds the slice."""
    NO_CLASS = "no class"
    IMPORT_ERROR = "import error"

    @classmethod
    def after(cls, error: BaseException) -> RunnerState:
        """Return the state in which an error leaves a runner."""
        if isinstance(error, SliceClaimed):
            return cls.CLAIMED
        if isinstance(error, NoRunnerClass):
            return cls.NO_CLASS
        if isinstance(error, RunnerImportError):
            return cls.IMPORT_ERROR
        return cls.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many messages ended in which way, since the master began."""

    done: int = 0
    kept: int = 0
    shunted: int = 0
    preserved: int = 0

    @classmethod
    def of(cls, outcomes: Mapping[Outcome, int]) -> Counts:
        """Return what a runner counted."""
        return cls(
            done=outcomes.get(Outcome.DONE, 0),
            kept=outcomes.get(Outcome.KEPT, 0),
            shunted=outcomes.get(Outcome.SHUNTED, 0),
            preserved=outcomes.get(Outcome.PRESERVED, 0),
        )

    def __sub__(self, other: Counts) -> Counts:
        return Counts(
            done=self.done - other.done,
            kept=self.kept - other.kept,
            shunted=self.shunted - other.shunted,
            preserved=self.preserved - other.preserved,
        )

    def __add__(self, other: Counts) -> Counts:
        return self - (Counts() - other)


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """A message that a runner has in hand."""

    runner: str
    slice: int
    filebase: str
    seconds: float
    """For how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerStatus:
    """One slice of one runner."""

    runner: str
    slice: int
    state: RunnerState
    note: str = ""
    """Evidence for the state, in a line."""
    traceback: str = ""
    """Of the failure; where it is hung, the stack of its thread."""
    counts: Counts = Counts()
    in_hand: InHand | None = None
    sleep_seconds: float = 0.0
    """For how long it snoozes when there is nothing to do."""
    pid: int = 0
    """Of the process that it runs in; 0 while it does not."""
    thread: int = 0
    """As the system counts threads; 0 while it has none."""
    cpu_seconds: float = 0.0
    """How long its threads have computed, over all starts."""
    memory_bytes: int | None = None
    """Resident memory of the whole process; None when unknown."""
    waits: bool = False
    """It is started as soon as nobody else holds the slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one runner did in a drain."""

    runner: str
    counts: Counts
    left: int
    """Messages that still wait in what it drained."""
    next_due: float | None = None
    """When the first of those that wait for their time is due, in epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What a drain did."""

    shares: tuple[Share, ...]
    """Of each runner that was to have part in it."""
    note: str = ""
    """Why it ended although more was ready; empty when nothing was."""
    drained: tuple[str, ...] = ()
    """Runners whose whole queue was drained to the end."""
    failures: tuple[str, ...] = ()
    """Runners that could not run to the end, and why."""
    others: tuple[str, ...] = ()
    """Slices that were left to those who work them, and who that is."""

    @property
    def counts(self) -> Counts:
        """What became of messages."""
        return sum((share.counts for share in self.shares), Counts())

    @property
    def left(self) -> int:
        """Messages that still wait in what was drained."""
        return sum(share.left for share in self.shares)

    @property
    def next_due(self) -> float | None:
        """When the first of those that wait for their time is due, in epoch seconds."""
        return min((s.next_due for s in self.shares if s.next_due), default=None)


def failure_note(failure: BaseException | None) -> str:
    """Return what a runner failed of in a line."""
    if failure is None:
        return ""
    if isinstance(failure, QToolError | ChildFailed | ChildLeft):
        return str(failure)
    return one_line(failure)


def failure_traceback(failure: BaseException | None) -> str:
    """Return the traceback, but of what an operator meets without a fault in code."""
    if failure is None or isinstance(failure, SliceClaimed | NoRunnerClass):
        return ""
    there = traceback_there(failure)
    return traceback_text(failure) if there is None else there


def cannot_start(who: object, error: BaseException) -> RunnerError:
    """Return that somebody cannot start, because of an error."""
    failure = RunnerError(f"{who} cannot start: {failure_note(error)}")
    failure.__cause__ = error
    return failure
