"""The runners of a Mailman 3 site: Mailman's own, which are only looked at and
stepped, and ours, which run while Mailman does not."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.drains import drain_report, in_turns
from qtool.control.mailman_work import note_of, states_of
from qtool.control.models import Finishing, Outcome, State, StepReport
from qtool.control.own import OwnRunners
from qtool.control.questions import step_question
from qtool.control.standing import ACTIVE, Runners, Standing
from qtool.errors import Refused
from qtool.installation.classes import no_runner_reason
from qtool.installation.specs import Chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from qtool.control.mailman_work import Processes
    from qtool.control.models import DrainReport
    from qtool.engine.foreign import MailmanRunners
    from qtool.engine.status import RunnerStatus
    from qtool.installation import Configuration
    from qtool.settings import RunnerSettings

_MASTER_SECONDS = 0.5
"""How old the answer may be to whether Mailman runs."""
_REFUSALS_SECONDS = 5.0
_EMPTY_SECONDS = 5.0
"""How long a queue counts as empty after it was asked about."""
_CLOSE_SECONDS = 0.05
_THEIRS = "Mailman runs these itself: use mailman start and mailman stop"
_NOTHING_OURS = f"{_THEIRS}; `qtool run --once` lets them process what waits"


class MailmanSite(Runners):
    """Shows Mailman's runners and steps them by Mailman's own program; runs ours."""

    def __init__(self, configuration: Configuration, foreign: MailmanRunners) -> None:
        self._configuration = configuration
        self._foreign = foreign
        self._own = OwnRunners(configuration)
        self._judged: dict[str, tuple[RunnerSettings, str]] = {}
        """Why each runner is Mailman's; empty for ours."""
        self._pid: str | None = None
        self._processes: Processes | None = None
        self._looked_at = float("-inf")
        self._refusals: dict[str, tuple[float, str]] = {}
        self._asked: dict[str, tuple[float, str | None]] = {}
        """When each runner was last asked about, and of which file; None for none."""
        self._closing = threading.Event()
        self._abandoned = threading.Event()

    # --- How they stand

    def look(self, *, fresh: bool = False, quick: bool = False) -> None:
        """Find out whether Mailman runs; writes nothing."""
        if self._ours():
            self._own.look(fresh=fresh, quick=quick)
        now = time.monotonic()
        if fresh or now - self._looked_at >= _MASTER_SECONDS:
            self._looked_at = now
            self._pid = self._foreign.master_state()
            self._processes = self._foreign.processes() if self._pid else None

    def standing(self, settings: RunnerSettings) -> Standing:
        """Return how one runner stands, as of the last ``look``."""
        if not settings.served:
            reason = self._no_runner(settings)
            return Standing(state=State.NO_RUNNER, refusal=reason, step_refusal=reason)
        if self._is_ours(settings):
            return self._our_standing(settings)
        switched_off = not (settings.start and settings.instances)
        runs = self._pid is not None and not switched_off
        states = states_of(settings, runs, self._processes)
        gone = State.MAILMAN_STOPPED
        note = note_of(settings, self._pid, states) if runs and self._pid else ""
        if switched_off:
            note = "switched off in mailman.cfg"
        if not settings.foreign:
            note = self._why_mailmans(settings)
        return Standing(
            state=gone if gone in states else State.MAILMAN,
            slices=states,
            process=(self._processes or {}).get((settings.name, 0)),
            runner=settings.name,
            note=note,
            snooze_seconds=settings.sleep_seconds,
            snooze_fixed=True,
            refusal=_THEIRS,
            step_refusal=self._step_refusal(settings.name),
            sends_mail=settings.queue_directory is not None,
        )

    @property
    def mailman(self) -> str:
        """Whether Mailman's master runs, or could, as of the last ``look``."""
        if self._pid:
            return f"Mailman ({self._pid})"
        if any(State(status.state) in ACTIVE for status in self.statuses()):
            return "Mailman locked out"
        return "Mailman stopped"

    def is_served(self, settings: RunnerSettings) -> bool:
        """Return whether Mailman runs that queue at this moment."""
        if self._is_ours(settings):
            return self._own.is_served(settings)
        self.look(fresh=True)
        return self.standing(settings).state is State.MAILMAN

    def statuses(self) -> list[RunnerStatus]:
        """Return what each slice of our own runners is doing and has done."""
        ours = {settings.name for settings in self._ours()}
        return [status for status in self._own.statuses() if status.runner in ours]

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Tell of changes of our own runners: Mailman tells nobody of its own."""
        return self._own.on_change(callback) if self._ours() else lambda: None

    def _our_standing(self, settings: RunnerSettings) -> Standing:
        """Return how a runner of ours stands: Mailman has to be stopped for it."""
        standing = self._own.standing(settings)
        if self._pid is None or ACTIVE.intersection(standing.slices):
            return standing
        reason = f"Mailman runs ({self._pid}), and its queues are its own"
        return replace(
            standing, state=State.CLAIMED, step_refusal=reason,
            note=f"waits: {reason}" if standing.waits else reason,
            refusal="" if standing.waits else reason,
            slices=(State.CLAIMED,) * len(standing.slices),
        )  # fmt: skip

    def _ours(self) -> list[RunnerSettings]:
        runners = self._configuration.settings.runners.values()
        return [each for each in runners if each.served and self._is_ours(each)]

    def _is_ours(self, settings: RunnerSettings) -> bool:
        return not self._why_mailmans(settings)

    def _why_mailmans(self, settings: RunnerSettings) -> str:
        from qtool.engine.classes import why_mailmans

        known, reason = self._judged.get(settings.name, (None, ""))
        if known != settings:
            reason = why_mailmans(self._configuration, settings.name)
            self._judged[settings.name] = settings, reason
        return reason

    def _step_refusal(self, runner: str) -> str:
        now = time.monotonic()
        at, refusal = self._refusals.get(runner, (float("-inf"), ""))
        if now - at >= _REFUSALS_SECONDS:
            refusal = self._foreign.step_refusal(runner)
            self._refusals[runner] = now, refusal
        return refusal

    def _no_runner(self, settings: RunnerSettings) -> str:
        return no_runner_reason(self._configuration.settings, settings.name)

    # --- Acts

    def act(
        self, verb: str, runner: str, number: int | None, *, waits: bool = False
    ) -> str:
        """Start, stop, restart or resume a runner of ours.

        Raises:
            Refused: It is Mailman's.
        """
        self._check_ours(runner)
        return self._own.act(verb, runner, number, waits=waits)

    def start_all(self) -> str:
        """Start every runner of ours that is not switched off.

        Raises:
            Refused: All are Mailman's.
        """
        if not self._ours():
            raise Refused(_NOTHING_OURS)
        return self._own.start_all()

    def reload(self) -> list[str]:
        """Read the configuration file again; return what changed, a line each."""
        lines = self._own.reload()
        self._judged.clear()  # a class may be there now
        return lines

    def snooze(self, runner: str, seconds: float) -> str:
        """Change the sleep time of a runner of ours; refuse as ``act`` does."""
        self._check_ours(runner)
        return self._own.snooze(runner, seconds)

    def _check_ours(self, runner: str) -> None:
        settings = self._configuration.runner(runner)
        if not settings.served:
            raise Refused(self._no_runner(settings))
        if not self._is_ours(settings):
            raise Refused(_THEIRS)

    def drain(self, parts: Collection[Chosen]) -> DrainReport:
        """Process until nothing is ready, Mailman's queues by its own program."""
        from qtool.engine.foreign_drain import MailmanDrain  # a console needs none

        ours = {each.name: max(1, each.instances) for each in self._ours()}
        our_parts = [part for part in parts if part.name in ours]
        their_parts = [part for part in parts if part.name not in ours]
        if not parts:
            our_parts = [Chosen(name=n, slice=None, count=c) for n, c in ours.items()]
        closing = self._closing.is_set
        theirs = MailmanDrain(self._configuration, self._foreign, closing)
        acts = []
        if their_parts or not parts:
            acts.append(lambda: drain_report(theirs.drain(their_parts)))
        if our_parts:
            acts.append(lambda: self._own.drain(our_parts))
        return in_turns(acts, closing)

    def step_question(self, runner: str, filebase: str | None) -> str | None:
        """Return what is asked before one of Mailman's runners is stepped.

        A step that names no file afterwards takes the file asked about.

        Raises:
            Refused: The runner cannot be stepped.
        """
        if self._is_ours(self._configuration.runner(runner)):
            return self._own.step_question(runner, filebase)
        refusal = self._foreign.step_refusal(runner)
        if refusal:
            raise Refused(refusal)
        queue = self._configuration.switchboards[runner]
        chosen = filebase or next(iter(queue.oldest(1)), None)
        if filebase is None:
            self._asked[runner] = time.monotonic(), chosen
        if chosen is None:
            return None
        return step_question(self._configuration.runner(runner), queue, chosen)

    def step(self, runner: str, filebase: str | None, number: int | None) -> StepReport:
        """Process one file: for Mailman's runners Mailman's own program does.

        Raises:
            Refused: The runner cannot be stepped.
            NoSuchEntry: The file asked about is not there any more.
        """
        if self._is_ours(self._configuration.runner(runner)):
            return self._own.step(runner, filebase, number)
        if filebase is None:
            is_known, filebase = self._choice(runner, number)
            if is_known and filebase is None:
                return StepReport(
                    runner=runner, queue=runner, filebase=None, outcome=Outcome.NOTHING
                )
        return self._foreign.step(runner, runner, filebase)

    def _choice(self, runner: str, number: int | None) -> tuple[bool, str | None]:
        """Return whether it is settled which file is the next, and that file.

        What was asked about is what is stepped: never a message that came since.
        """
        asked_at, asked = self._asked.pop(runner, (float("-inf"), None))
        if asked is not None or time.monotonic() - asked_at < _EMPTY_SECONDS:
            return True, asked
        if number is None:
            return False, None
        parts = self._configuration.slices(runner)
        if not 0 <= number < len(parts):
            raise Refused(f"{runner} has {len(parts)} slices: no {number}")
        queue = self._configuration.switchboards[runner]
        return True, next(iter(queue.for_slice(parts[number]).oldest(1)), None)

    def finishing(self) -> list[Finishing]:
        """Return the files that are being stepped, and what our runners have."""
        now = time.time()
        return (self._own.finishing() if self._ours() else []) + [
            Finishing(runner=runner, filebase=filebase, seconds=max(0.0, now - since))
            for runner, filebase, since in self._foreign.in_hand
        ]

    def close(self, *, unclaim: bool) -> None:
        """Wait for the steps under way, and for our own runners.

        Args:
            unclaim: Wait no more: what is not done by then goes on without us, and
                the next start puts back what survives.
        """
        self._closing.set()
        if unclaim:
            self._abandoned.set()
        self._own.close(unclaim=unclaim)
        while self._foreign.in_hand and not self._abandoned.wait(_CLOSE_SECONDS):
            pass
