"""The board: queues, slices and runners, and what one act on them returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtool.control.models.verdicts import Verdict

RECONNECTING = "reconnecting"
"""What is shown was seen before the daemon went away."""
ENGINE_GONE = "reconnecting to its engine"
"""What is shown was seen before the window's own engine went away."""


class State(StrEnum):
    """What a runner is doing."""

    STOPPED = "stopped"
    RUNNING = "running"
    """In its loop: processing, or snoozing."""
    PAUSED = "paused"
    STOPPING = "stopping"
    """Finishes the message in hand, then stops or pauses."""
    HUNG = "hung"
    """It has had one message in hand for too long; ``note`` says what it waits for."""
    RESTARTING = "restarting"
    """It failed, and will be started again; ``note`` says when."""
    FAILED = "failed"
    """Its thread died; ``note`` and the row's ``traceback`` say of what."""
    CLAIMED = "claimed"
    """Another process holds the slice; ``note`` names it."""
    NO_CLASS = "no class"
    """The configuration names no class for it."""
    IMPORT_ERROR = "import error"
    """Its class cannot be imported; ``note`` says why."""
    NO_RUNNER = "no runner"
    """A queue that has none: by nature (``shunt``, ``bad``) or under ``--root``."""
    MAILMAN = "Mailman"
    """Served by Mailman, whose master runs; ``note`` says its pid."""
    MAILMAN_STOPPED = "Mailman stopped"
    UNREADABLE = "unreadable"
    """The queue's folder cannot be read; ``note`` says why."""

    @property
    def is_mailmans(self) -> bool:
        """Whether it is Mailman's to run that runner."""
        return self in (State.MAILMAN, State.MAILMAN_STOPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Which spool this is, from which configuration, and what may be done there."""

    spool: str
    """The folder of the queues."""
    source: str
    """The configuration file, or ``built-in default``, or ``--root``."""
    kind: str
    """``own``, ``mailman3`` or ``mailman2``."""
    read_only: str
    """Why nothing may be changed here; empty when acts are allowed."""
    watching: str
    """``events``; ``polling``, and the queues where it is not all; or empty while
    nobody watches."""
    mailman: str = ""
    """``Mailman (pid N)``, ``Mailman stopped``, or ``Mailman locked out`` while runners
    of ours work there; empty elsewhere."""
    attached: str = ""
    """``attached to pid N`` or ``RECONNECTING``, where a daemon does what is asked
    for; empty or ``ENGINE_GONE`` where this process or a child of its own does."""
    strays: tuple[str, ...] = ()
    """Folders of the spool where messages wait and that no section names; only looked
    for when everything is read afresh."""
    verdict: Verdict | None = None
    """What is wrong with the spool as a whole; None for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One slice, or one view slice, of a queue."""

    depth: int
    in_flight: int
    oldest: float | None
    owner: int
    """Number of the runner slice that owns it."""
    state: State
    """State of that runner slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSlice:
    """One slice of a runner that is at work, and what it costs."""

    slice: int
    state: State
    pid: int
    thread: int
    """As the system counts threads; 0 before it has begun."""
    cpu_seconds: float
    """How long its threads have computed, over all starts."""
    memory_bytes: int | None
    """Resident memory of the whole process; None when unknown."""
    filebase: str = ""
    """The message in hand."""
    seconds: float = 0.0
    """For how long it has been in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One row of the board: a queue and its runner, or a runner without a queue."""

    name: str
    """Name of the queue, or of the runner that manages none. Unique, and stable."""
    has_queue: bool
    runner: str | None
    """Name of its runner; None where there is none."""
    runner_slices: int
    """Into how many slices the runner divides the queue; 0 without a runner."""
    cells: tuple[Cell, ...] = ()
    depth: int | None = None
    """Waiting messages; None when there is no queue or it cannot be read."""
    in_flight: int | None = None
    oldest: float | None = None
    honours_due: bool = False
    """Whether its entries wait for the time in their names: ``oldest`` is a due
    time then."""
    preserved: int = 0
    foreign: int = 0
    held: int = 0
    """Entries that an operator holds; they are in ``held:NAME``."""
    rate_in: float | None = None
    """Arrivals a second over the last 30 seconds; None when unknown."""
    rate_out: float | None = None
    """Departures a second over the last 30 seconds; None when unknown."""
    rate_in_5s: float | None = None
    """The same over five seconds."""
    rate_out_5s: float | None = None
    rate_in_5m: float | None = None
    """The same over five minutes, or since watching began."""
    rate_out_5m: float | None = None
    when_p50: float | None = None
    """Since when half of what waits has waited at least; None when nothing does, or
    entries wait for the time in their names."""
    when_p95: float | None = None
    """The same of the twentieth that has waited longest."""
    trend: tuple[int, ...] = ()
    """Depths of the last two minutes, oldest first, evenly spaced."""
    state: State = State.NO_RUNNER
    """Of the runner; of the sickest of its slices where they differ."""
    note: str = ""
    """Evidence for the state, in a line."""
    traceback: str = ""
    """Of the failure, where the state is *failed*, *restarting* or *import error*;
    the stack of its thread where it is *hung*."""
    paused: str = ""
    """Who paused the runner or slices of it, since when, until when and why; empty
    where no pause is on record. A runner that does not run can be paused, too."""
    drained: str = ""
    """How often ``run --once`` drains the queue, and when it last did, while that is
    not overdue; empty where a runner is at work, or nobody drains it."""
    running: tuple[RunningSlice, ...] = ()
    """The slices that are at work in the process that tells this."""
    snooze_seconds: float | None = None
    """Its sleep time; None without a runner."""
    snooze_fixed: bool = False
    """The sleep time belongs to somebody else and cannot be changed here."""
    waits: bool = False
    """A slice is started here as soon as nobody else holds it."""
    refusal: str = ""
    """Why the runner cannot be started, paused or re-timed here; empty if it can."""
    step_refusal: str = ""
    """Why its runner cannot be stepped here; empty if it can."""
    sends_mail: bool = False
    """Stepping it is an act of Mailman's own runner and asks first."""
    verdicts: tuple[Verdict, ...] = ()
    """What is to be said about it, the gravest first; the first is the verdict, and
    the others are worth a look, too."""
    slice_verdicts: tuple[Verdict, ...] = ()
    """One for each runner slice, in their order; empty where it has one or none."""

    @property
    def verdict(self) -> Verdict | None:
        """The gravest thing to be said; None before it was judged."""
        return self.verdicts[0] if self.verdicts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything the first screen shows, at one moment."""

    at: float
    rows: tuple[QueueRow, ...]
    site: Site

    def row(self, name: str) -> QueueRow | None:
        """Return the row of that name."""
        return next((row for row in self.rows if row.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishing:
    """A message that a stopping runner still has in hand."""

    runner: str
    filebase: str
    seconds: float
    """For how long it has been in hand."""
