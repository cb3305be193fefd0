"""How a runner stands: the half of a row that is not in the queue's folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from qtool.control.models import RunningSlice, State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from qtool.control.models import DrainReport, Finishing, StepReport
    from qtool.control.verdicts.drained import Drained
    from qtool.engine.mailman_processes import MailmanProcess
    from qtool.engine.status import RunnerStatus
    from qtool.installation.specs import Chosen
    from qtool.settings import RunnerSettings

ACTIVE = frozenset({State.RUNNING, State.HUNG, State.PAUSED, State.STOPPING})
"""States of a runner slice whose claim is ours."""

_SICKEST_FIRST = (
    State.FAILED,
    State.HUNG,
    State.IMPORT_ERROR,
    State.NO_CLASS,
    State.RESTARTING,
    State.CLAIMED,
    State.STOPPING,
    State.PAUSED,
    State.STOPPED,
    State.RUNNING,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """State of one runner, and what may be asked of it; see ``QueueRow``."""

    state: State
    slices: tuple[State, ...] = ()
    """State of each runner slice; empty without a runner."""
    runner: str | None = None
    note: str = ""
    traceback: str = ""
    running: tuple[RunningSlice, ...] = ()
    snooze_seconds: float | None = None
    snooze_fixed: bool = False
    waits: bool = False
    """See ``QueueRow``."""
    refusal: str = ""
    step_refusal: str = ""
    sends_mail: bool = False
    paused: str = ""
    paused_since: float | None = None
    """When the first of its pauses on record began, in epoch seconds."""
    paused_slices: frozenset[int] = frozenset()
    """The slices that the pauses on record are about."""
    drained: Drained | None = None
    """How ``run --once`` has drained its queue; None where it has not."""
    process: MailmanProcess | None = None
    """That of Mailman's own runner, of its first slice; None where it is unknown."""
    departed: int | None = None
    """Messages that left the queue, counted by the runner; None where it is not
    ours, or shares the queue with somebody else's."""


class Runners(ABC):
    """The runners of a site, whosever they are."""

    _statuses: Mapping[str, Sequence[RunnerStatus]] = MappingProxyType({})
    # Of the runners of this process, by name, as of the last look.

    def statuses(self) -> list[RunnerStatus]:
        """Return what each runner slice of this process is doing and has done."""
        return [one for some in self._statuses.values() for one in some]

    @abstractmethod
    def standing(self, settings: RunnerSettings) -> Standing:
        """Return how one runner stands, as of the last ``look``."""

    @abstractmethod
    def look(self, *, fresh: bool = False, quick: bool = False) -> None:
        """Find out how all runners stand; writes nothing.

        Args:
            fresh: Also ask again what was asked of others a moment ago.
            quick: Put off what takes long: importing the runners' classes.
        """

    @property
    @abstractmethod
    def mailman(self) -> str:
        """``Mailman (pid N)``, ``Mailman stopped``, or ``Mailman locked out`` while
        runners of ours work there; empty elsewhere."""

    @abstractmethod
    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` when a runner's state changes; return how to stop it."""

    # --- Acts; see ``Control``

    @abstractmethod
    def act(
        self, verb: str, runner: str, number: int | None, *, waits: bool = False
    ) -> str:
        """Start, stop, restart or resume a runner; return what happened in a line.

        Args:
            verb: Which of these.
            runner: Its name.
            number: One of its slices; None is all of them.
            waits: What another runner holds is started when that lets it go.
        """

    @abstractmethod
    def start_all(self) -> str:
        """Start every runner that is not switched off."""

    @abstractmethod
    def snooze(self, runner: str, seconds: float) -> str:
        """Change a runner's sleep time."""

    @abstractmethod
    def reload(self) -> list[str]:
        """Read the configuration file again; return what changed, a line each."""

    @abstractmethod
    def step(self, runner: str, filebase: str | None, number: int | None) -> StepReport:
        """Process one file."""

    @abstractmethod
    def step_question(self, runner: str, filebase: str | None) -> str | None:
        """Return what to ask before a step; None where nothing need be asked."""

    @abstractmethod
    def drain(self, parts: Collection[Chosen]) -> DrainReport:
        """Process these until nothing is ready; all that may be without any."""

    @abstractmethod
    def is_served(self, settings: RunnerSettings) -> bool:
        """Return whether somebody runs that queue at this moment."""

    @abstractmethod
    def finishing(self) -> list[Finishing]:
        """Return what is in hand."""

    @abstractmethod
    def close(self, *, unclaim: bool) -> None:
        """Stop everything that runs here."""


def by_runner(statuses: Iterable[RunnerStatus]) -> dict[str, list[RunnerStatus]]:
    """Return the slices of each runner in their order."""
    found: dict[str, list[RunnerStatus]] = {}
    for status in sorted(statuses, key=lambda each: each.slice):
        found.setdefault(status.runner, []).append(status)
    return found


def sickest(states: Sequence[State]) -> int:
    """Return which of several slices an operator should hear of first."""
    return min(range(len(states)), key=lambda n: _SICKEST_FIRST.index(states[n]))


def running_slices(
    states: Sequence[State], statuses: Sequence[RunnerStatus]
) -> tuple[RunningSlice, ...]:
    """Return the slices that are at work here, and what they cost."""
    return tuple(
        RunningSlice(
            slice=status.slice,
            state=state,
            pid=status.pid,
            thread=status.thread,
            cpu_seconds=status.cpu_seconds,
            memory_bytes=status.memory_bytes,
            filebase=status.in_hand.filebase if status.in_hand else "",
            seconds=status.in_hand.seconds if status.in_hand else 0.0,
        )
        for state, status in zip(states, statuses, strict=False)
        if state in ACTIVE
    )


def departed(states: Sequence[State], statuses: Sequence[RunnerStatus]) -> int | None:
    """Return how many messages left the queue; None where we are not alone there."""
    if State.CLAIMED in states or not ACTIVE.intersection(states):
        return None
    counts = [status.counts for status in statuses]
    return sum(c.done + c.kept + c.shunted + c.preserved for c in counts)


def mixed_note(states: Sequence[State], note: str) -> str:
    """Return evidence for the state of a runner whose slices may differ."""
    counts: dict[State, int] = {}
    for state in states:
        counts[state] = counts.get(state, 0) + 1
    if len(counts) <= 1:
        return note
    first = sickest(states)
    others = ", ".join(
        f"{count} {state}" for state, count in counts.items() if state != states[first]
    )
    sick = [n for n, state in enumerate(states) if state == states[first]]
    alone = f"slice {first}:{len(states)}"
    which = alone if len(sick) == 1 else f"{len(sick)} slices of {len(states)}"
    line = f"{which} {states[first]}, {others}"
    return f"{line}: {note}" if note else line


def what_was_done(
    settings: RunnerSettings, asked: int | None, done: Sequence[int], verb: str
) -> str:
    """Return in a line what was done to which slices of a runner."""
    name, count = settings.name, settings.instances
    if count <= 1:
        return f"{name} {verb}"
    if asked is not None:
        return f"{name}, slice {asked}:{count}, {verb}"
    if len(done) == count:
        return f"{name}: all {count} slices {verb}"
    return f"{name}: {len(done)} of {count} slices {verb}"
