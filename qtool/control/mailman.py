"""The runners of a Mailman 3 site: Mailman's own, which are only looked at and
stepped."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from qtool.control.drains import drain_report
from qtool.control.models import Finishing, Outcome, State, StepReport
from qtool.control.reloading import reloaded
from qtool.control.standing import Runners, Standing
from qtool.errors import QToolError, Refused
from qtool.qfile import QFile
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from qtool.control.models import DrainReport
    from qtool.engine.foreign import MailmanRunners
    from qtool.installation import Configuration
    from qtool.installation.specs import Chosen
    from qtool.settings import RunnerSettings

_MASTER_SECONDS = 0.5
"""How old the answer may be to whether Mailman runs."""
_REFUSALS_SECONDS = 5.0
_EMPTY_SECONDS = 5.0
"""How long a queue counts as empty after it was asked about."""
_CLOSE_SECONDS = 0.05
_THEIRS = "Mailman runs these itself: use mailman start and mailman stop"
_NOT_OURS_YET = "qtool runs no runner of its own at a Mailman site yet"


class MailmanSite(Runners):
    """Shows Mailman's runners and steps them by Mailman's own program."""

    def __init__(self, configuration: Configuration, foreign: MailmanRunners) -> None:
        self._configuration = configuration
        self._foreign = foreign
        self._pid: str | None = None
        self._looked_at = float("-inf")
        self._refusals: dict[str, tuple[float, str]] = {}
        self._asked: dict[str, tuple[float, str | None]] = {}
        """When each runner was last asked about, and of which file; None for none."""
        self._closing = threading.Event()
        self._abandoned = threading.Event()

    # --- How they stand

    def look(self, *, fresh: bool = False, quick: bool = False) -> None:
        """Find out whether Mailman runs; writes nothing."""
        del quick  # it never takes long
        now = time.monotonic()
        if fresh or now - self._looked_at >= _MASTER_SECONDS:
            self._looked_at = now
            self._pid = self._foreign.master_state()

    def standing(self, settings: RunnerSettings) -> Standing:
        """Return how one runner stands, as of the last ``look``."""
        if not (settings.foreign and settings.served):
            reason = self._no_runner(settings)
            return Standing(state=State.NO_RUNNER, refusal=reason, step_refusal=reason)
        switched_off = not (settings.start and settings.instances)
        runs = self._pid is not None and not switched_off
        state = State.MAILMAN if runs else State.MAILMAN_STOPPED
        note = self._pid or ""
        if switched_off:
            note = "switched off in mailman.cfg"
        return Standing(
            state=state,
            slices=(state,) * max(1, settings.instances),
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
        """Whether Mailman's master runs, as of the last ``look``."""
        return f"Mailman ({self._pid})" if self._pid else "Mailman stopped"

    def is_served(self, settings: RunnerSettings) -> bool:
        """Return whether Mailman runs that queue at this moment."""
        self.look(fresh=True)
        return self.standing(settings).state is State.MAILMAN

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Do nothing: Mailman tells nobody of its changes."""
        del callback
        return lambda: None

    def _step_refusal(self, runner: str) -> str:
        now = time.monotonic()
        at, refusal = self._refusals.get(runner, (float("-inf"), ""))
        if now - at >= _REFUSALS_SECONDS:
            refusal = self._foreign.step_refusal(runner)
            self._refusals[runner] = now, refusal
        return refusal

    def _no_runner(self, settings: RunnerSettings) -> str:
        if not settings.foreign and settings.served:
            return _NOT_OURS_YET
        return f"{settings.name} has no runner: messages wait there for a person"

    # --- Acts

    def act(self, verb: str, runner: str, number: int | None) -> str:
        """Refuse: Mailman's runners are Mailman's.

        Raises:
            Refused: Always.
        """
        del verb, number
        settings = self._configuration.runner(runner)
        theirs = settings.foreign and settings.served
        raise Refused(_THEIRS if theirs else self._no_runner(settings))

    def start_all(self) -> str:
        """Refuse, as ``act`` does."""
        raise Refused(_THEIRS)

    def reload(self) -> list[str]:
        """Read the configuration file again; return what changed, a line each."""
        return reloaded(self._configuration, lambda _changes: {})

    def snooze(self, runner: str, seconds: float) -> str:
        """Refuse, as ``act`` does."""
        del seconds
        return self.act("snooze", runner, None)

    def drain(self, parts: Collection[Chosen]) -> DrainReport:
        """Let Mailman's own program process until nothing is ready."""
        from qtool.engine.foreign_drain import MailmanDrain  # a console needs none

        closing = self._closing.is_set
        drain = MailmanDrain(self._configuration, self._foreign, closing)
        return drain_report(drain.drain(parts))

    def step_question(self, runner: str, filebase: str | None) -> str | None:
        """Return what is asked before one of Mailman's runners is stepped.

        A step that names no file afterwards takes the file asked about.

        Raises:
            Refused: The runner cannot be stepped.
        """
        refusal = self._foreign.step_refusal(runner)
        if refusal:
            raise Refused(refusal)
        queue = self._configuration.switchboards[runner]
        chosen = filebase or next(iter(queue.oldest(1)), None)
        if filebase is None:
            self._asked[runner] = time.monotonic(), chosen
        if chosen is None:
            return None
        try:
            what = _described(queue.peek(chosen))
        except QToolError as error:
            what = f"{visible(chosen)}, which cannot be read ({visible(error)})"
        sends = "outgoing" in (self._configuration.runner(runner).class_path or "")
        return (
            f"Step Mailman's own runner through one file of the queue {runner}?"
            f" It really processes {what}{', and sends it' if sends else ''}."
        )

    def step(self, runner: str, filebase: str | None, number: int | None) -> StepReport:
        """Let Mailman's own program process one file.

        Raises:
            Refused: The runner cannot be stepped.
            NoSuchEntry: The file asked about is not there any more.
        """
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
        """Return the files that are being stepped."""
        now = time.time()
        return [
            Finishing(runner=runner, filebase=filebase, seconds=max(0.0, now - since))
            for runner, filebase, since in self._foreign.in_hand
        ]

    def close(self, *, unclaim: bool) -> None:
        """Wait for the steps under way.

        Args:
            unclaim: Wait no more: what is not done by then goes on without us, and
                the next start puts back what survives.
        """
        self._closing.set()
        if unclaim:
            self._abandoned.set()
        while self._foreign.in_hand and not self._abandoned.wait(_CLOSE_SECONDS):
            pass


def _described(held: QFile) -> str:
    """Return subject and number of recipients of a message, in words."""
    subject = visible(held.message.get("subject") or "", 80)
    recipients = held.msgdata.get("recipients")
    if isinstance(recipients, list | tuple | set | frozenset):
        count = len(recipients)
        to = f"for {count} recipient{'' if count == 1 else 's'}"
    else:
        to = "whose recipients are not known yet"
    return f"“{subject}”, {to}" if subject else f"a message without a subject, {to}"
