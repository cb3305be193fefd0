"""The runners of our own engine: what its master says, and who else holds slices."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from qtool.control.following import follow
from qtool.control.holders import Holders
from qtool.control.models import Finishing, State
from qtool.control.reloading import Reloading
from qtool.control.restarting import restarted
from qtool.control.standing import (
    ACTIVE,
    Runners,
    Standing,
    by_runner,
    departed,
    mixed_note,
    running_slices,
    sickest,
    what_was_done,
)
from qtool.control.starting import start_all
from qtool.errors import MailmanRuns, Refused, SliceClaimed
from qtool.installation.classes import no_class_reason, no_runner_reason
from qtool.settings import RunnerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from qtool.control.models import DrainReport
    from qtool.control.reloading import Change
    from qtool.engine.master import Master
    from qtool.engine.status import RunnerStatus
    from qtool.engine.step import StepReport
    from qtool.installation import Configuration
    from qtool.installation.specs import Chosen

_LONGEST_SNOOZE = 31 * 86400.0
_DONE = {"start": "started", "stop": "stopped", "resume": "resumed"}


class OwnRunners(Runners):
    """Runs, shows and steps the runners of a configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._statuses: dict[str, list[RunnerStatus]] = {}
        self._holders = Holders(configuration)
        self._made: Master | None = None
        self._all_started = False
        self._lock = threading.Lock()
        self._reloading = Reloading(configuration, self._follow)

    @property
    def _master(self) -> Master:
        from qtool.engine.master import Master  # a folder of queues needs none

        with self._lock:
            if self._made is None:
                self._made = Master(self._configuration)
            return self._made

    # --- How they stand

    def look(self, *, fresh: bool = False, quick: bool = False) -> None:
        """Find out how all runners stand; writes nothing."""
        if not any(r.served for r in self._configuration.settings.runners.values()):
            self._statuses = {}
            return
        at_work = dict if quick and self._made is None else self._look
        self._holders.look(at_work(), at_work, fresh=fresh)

    def standing(self, settings: RunnerSettings) -> Standing:
        """Return how one runner stands, as of the last ``look``."""
        name = settings.name
        if not settings.served:
            reason = self._no_runner(settings)
            return Standing(state=State.NO_RUNNER, refusal=reason, step_refusal=reason)
        if not settings.instances:
            reason = f"{name} is switched off: instances is 0"
            return Standing(
                state=State.STOPPED, runner=name, note=reason, refusal=reason,
                step_refusal=reason, snooze_seconds=settings.sleep_seconds,
            )  # fmt: skip
        statuses = self._statuses.get(name, [])[: settings.instances]
        states = tuple(map(self._state, statuses)) or self._presumed(settings)
        first = sickest(states)
        sick = statuses[first] if statuses else None
        note = sick.note if sick else no_class_reason(settings)
        waits = any(status.waits for status in statuses)
        held = self._holders.get(name, first)
        if states[first] is State.CLAIMED and held:
            note = f"{'waits for' if sick and sick.waits else 'claimed by'} {held}"
        if states[first] is State.STOPPED:
            note = ""
        refused = set(states) <= {State.CLAIMED, State.NO_CLASS}
        return Standing(
            state=states[first],
            slices=states,
            runner=name,
            note=mixed_note(states, note),
            traceback=sick.traceback if sick else "",
            snooze_seconds=sick.sleep_seconds if sick else settings.sleep_seconds,
            waits=waits,
            refusal=note if refused and not waits else "",
            step_refusal=note if refused else "",
            departed=departed(states, statuses),
            running=running_slices(states, statuses),
        )

    @property
    def mailman(self) -> str:
        """Empty: Mailman has nothing to do with these."""
        return ""

    def is_served(self, settings: RunnerSettings) -> bool:
        """Return whether somebody runs that queue at this moment."""
        self.look()
        if self._ours(settings.name):
            return True
        queue = self._configuration.switchboards.get(settings.name)
        return settings.served and queue is not None and queue.holder() is not None

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` when a runner's state changes; return how to stop it."""
        if not any(r.served for r in self._configuration.settings.runners.values()):
            return lambda: None
        return self._master.on_change(callback)

    def _state(self, status: RunnerStatus) -> State:
        state = State(status.state)
        if state in ACTIVE or status.waits:
            return state
        if self._holders.get(status.runner, status.slice):
            return State.CLAIMED
        # It was held when it was last started; now it is free.
        return State.STOPPED if state is State.CLAIMED else state

    def _presumed(self, settings: RunnerSettings) -> tuple[State, ...]:
        """Return the states of a runner that the master was not asked about yet."""
        free = State.NO_CLASS if no_class_reason(settings) else State.STOPPED
        return tuple(
            State.CLAIMED if self._holders.get(settings.name, number) else free
            for number in range(settings.instances)
        )

    def _look(self) -> Mapping[str, Collection[int]]:
        """Ask the master; return which slices are at work here, by the runner."""
        self._statuses = by_runner(self._master.states())
        return {name: self._ours(name) for name in self._statuses}

    def _ours(self, name: str) -> list[int]:
        """Return which slices of a runner are at work here."""
        statuses = self._statuses.get(name, [])
        return [s.slice for s in statuses if State(s.state) in ACTIVE]

    def _no_runner(self, settings: RunnerSettings) -> str:
        return no_runner_reason(self._configuration.settings, settings.name)

    # --- Acts

    def act(
        self, verb: str, runner: str, number: int | None, *, waits: bool = False
    ) -> str:
        """Start, stop, restart or resume a runner; return what happened in a line."""
        settings = self._served(runner)
        if waits:
            ours, held = self._started(settings, number)
            line = what_was_done(settings, number, ours, _DONE[verb]) if ours else ""
            return "; ".join(filter(None, (line, held)))
        free, held = self._free(settings, number, verb)
        if not free:
            raise SliceClaimed(held)
        if verb == "restart":
            return restarted(self._master, settings, free, number, held)
        method: Callable[[str, int | None], Sequence[int]] = getattr(self._master, verb)
        asked = free if held else [number]
        done = [n for each in asked for n in method(runner, each)]
        busy = verb == "stop" and any(
            hand.runner == runner and hand.slice in done
            for hand in self._master.finishing()
        )
        line = what_was_done(settings, number, done, _DONE[verb])
        line += " after the message in hand" if busy else ""
        return f"{line}; {held}" if held else line

    def start_all(self) -> str:
        """Start every runner that is not switched off."""
        self.look(fresh=True)
        self._all_started = True
        return start_all(
            self._configuration.settings,
            lambda settings: self.standing(settings).slices,
            lambda settings: self._started(settings, None),
        )

    def reload(self) -> list[str]:
        """Read the configuration file again; return what changed, a line each."""
        return self._reloading.once()

    def snooze(self, runner: str, seconds: float) -> str:
        """Change a runner's sleep time."""
        if not 0 <= seconds <= _LONGEST_SNOOZE:
            raise Refused(f"a sleep time is 0 s to 31 days, not {seconds:g} s")
        settings = self._served(runner)
        free, held = self._free(settings, None, "snooze")
        if not free:
            raise SliceClaimed(held)
        before = self._master.sleep_seconds(runner)
        self._master.set_snooze(runner, seconds)
        return f"{runner} snoozes {seconds:g} s, before: {before:g} s"

    def step(self, runner: str, filebase: str | None, number: int | None) -> StepReport:
        """Process one file."""
        self._served(runner)
        return self._master.step(runner, number, filebase)

    def step_question(self, runner: str, filebase: str | None) -> str | None:
        """Nothing need be asked: it is our own runner that does it."""
        del filebase
        self._served(runner)
        return None

    def drain(self, parts: Collection[Chosen]) -> DrainReport:
        """Process until nothing is ready."""
        from qtool.control.drains import drain_report  # a console drains nothing

        return drain_report(self._master.drain(parts))

    def finishing(self) -> list[Finishing]:
        """Return what is in hand."""
        return [
            Finishing(runner=h.runner, filebase=h.filebase, seconds=h.seconds)
            for h in self._master.finishing()
        ]

    def close(self, *, unclaim: bool) -> None:
        """Stop everything that runs here."""
        if self._made is not None:
            self._made.close(unclaim=unclaim)

    def _started(
        self, settings: RunnerSettings, number: int | None
    ) -> tuple[Sequence[int], str]:
        """Start what is free, and have the rest wait; return which, and a line on it.

        Raises:
            QToolError: Something else is in the way.
        """
        name = settings.name
        try:
            return self._master.start(name, number, waits=True), ""
        except SliceClaimed as error:
            if isinstance(error, MailmanRuns):
                raise
            self.look()
            done = [n for n in self._ours(name) if number in (None, n)]
            return done, f"{name} waits: {error}"

    def _follow(self, changes: Sequence[Change]) -> Mapping[str, str]:
        if self._made is None:
            return {}
        self._made.states()  # each has what is configured now
        return follow(self._made, changes, begin=self._all_started)

    def _served(self, runner: str) -> RunnerSettings:
        settings = self._configuration.runner(runner)
        if not settings.served:
            raise Refused(self._no_runner(settings))
        return settings

    def _free(
        self, settings: RunnerSettings, number: int | None, verb: str
    ) -> tuple[list[int], str]:
        """Return which slices nobody else holds, and a line about those held."""
        self.look(fresh=True)
        name, count = settings.name, max(1, settings.instances)
        asked = range(count) if number is None else [number]
        held = {n: w for n in asked if (w := self._holders.get(name, n))}
        wanted = [n for n in held if self._master.is_wanted(name, n)]
        if verb == "stop":
            held = {n: who for n, who in held.items() if n not in wanted}
        free = [n for n in asked if n not in held]
        if verb != "start" and held and number is None:
            ours = [*self._ours(name), *wanted]
            free = [n for n in free if n in ours]
        lines = [
            what_was_done(settings, n, [n], f"is claimed by {who}")
            for n, who in held.items()
        ]
        return free, lines[0] if lines else ""
