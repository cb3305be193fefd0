"""A runner in a process of its own, as its master sees it.

To who starts, stops and steps it, it is a runner like one in this process: ``run``
returns when the process has ended, and raises what the runner failed of there.
"""

from __future__ import annotations

import logging
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from qtool.engine.asking import Asking
from qtool.engine.child_process import LEAVING_SECONDS, ChildProcess, log_here
from qtool.engine.elsewhere import (
    died_there,
    ended_so,
    hung_there,
    raised_there,
    silent_there,
)
from qtool.engine.holding import Held, held_by_pause
from qtool.engine.idle import Idleness
from qtool.engine.lines import WIRE, Beginning, Facts, Failed, Logged, dumped_settings
from qtool.engine.mirrored import Mirrored
from qtool.engine.overdue import Overdue, hang_of
from qtool.engine.pauses import Pauses
from qtool.engine.step import StepReport
from qtool.errors import QToolError, RunnerError, RunnerGone, RunnerSilent
from qtool.installation import is_of_process
from qtool.wire import dumped

if TYPE_CHECKING:
    from concurrent.futures import Future

    from qtool.engine.elsewhere import ChildFailed
    from qtool.engine.hangs import Hang
    from qtool.engine.lines import Said
    from qtool.engine.runner import Runner
    from qtool.engine.status import InHand
    from qtool.installation import Configuration
    from qtool.settings import Settings

_ANSWER_SECONDS = 1.0


class RemoteRunner(Mirrored):
    """One runner slice in a process of its own, from ``run`` to its end.

    Args:
        kind: Its class.
        name: The runner.
        slice: Which of its slices.
        config: The configuration that it works by, as it is when it begins.
    """

    def __init__(
        self,
        kind: type[Runner],
        name: str,
        slice: int,  # noqa: A002 - the field's word
        *,
        config: Configuration,
    ) -> None:
        super().__init__()
        self.kind, self.name, self.slice, self._config = kind, name, slice, config
        self.log = logging.getLogger(f"qtool.runner.{name}")
        self.only_asked = False
        self.hang_seconds = config.runner(name).hang_seconds
        """After which its process is killed, where it is at one thing for so long."""
        self.pid = 0
        """Of its process, once it has one."""
        self.gone = threading.Event()
        """Its process has ended."""
        self._sleep_seconds = config.runner(name).sleep_seconds
        self._used = config.settings
        self._asking = Asking(name)
        self._look: Future[Any] | None = None
        self._looked_at = 0.0
        self._child: ChildProcess | None = None
        self._ended: list[Failed | None] = []
        """How the runner has ended, once it has said so."""
        self._killed_for: ChildFailed | None = None
        """What its process was killed for, if it was."""
        self._lock, self._looking = threading.Lock(), threading.Lock()

    # --- Looking

    @property
    def silent_since(self) -> float | None:
        """When it was asked how it stands, by ``clock``, if it has not answered."""
        look = self._look
        return None if look is None or look.done() else self._looked_at

    def look(self) -> Future[Any] | None:
        """Have it say how it stands; None where it has been asked, and is silent."""
        with self._looking:
            since = self.silent_since
            if since is not None:
                return self._look if self.clock() - since < _ANSWER_SECONDS else None
            self._looked_at = self.clock()
            try:
                self._look = self.ask("look")
            except RunnerError:
                self._look = None  # it has not begun, or has ended
            return self._look

    def hang(self, held: InHand) -> Hang:
        """Return where it stands, with a message that it does not get done with."""
        try:
            return hang_of(held, self._asking.answer("stack", _ANSWER_SECONDS))
        except (QToolError, OSError):
            return hang_of(held, None)

    # --- What may be asked, by any thread

    @property
    def sleep_seconds(self) -> float:
        """For how long it snoozes when there is nothing to do."""
        return self._sleep_seconds

    @sleep_seconds.setter
    def sleep_seconds(self, seconds: float) -> None:
        with self._lock:
            self._sleep_seconds = seconds
            self._told("snooze", seconds=seconds)

    def stop(self) -> None:
        """End ``run`` after the message in hand."""
        self._steer("stop", stopping=True)

    def pause(self) -> None:
        """Pause after the message in hand, until ``resume``."""
        self._steer("pause", pausing=True)

    def resume(self) -> None:
        """Go on after a pause."""
        self._steer("resume", pausing=False)

    def use(self, settings: Settings) -> None:
        """Work by other settings from now on, as far as that needs no new start."""
        with self._lock:
            if settings is not self._used:
                self._used = settings
                self._told("use", settings=dumped_settings(settings))

    def step(self, filebase: str | None = None) -> StepReport:
        """Process one file; see ``Runner.step``."""
        said = self.ask("step", filebase=filebase).result()
        report: StepReport = WIRE.loaded(StepReport, said)
        return report

    def one_pass(self, *, retake: bool = True, periodic: bool = True) -> int:
        """Process every file of the slice once; see ``Runner.one_pass``."""
        answer = self.ask("one_pass", retake=retake, periodic=periodic)
        return int(answer.result())

    def held_back(self) -> Held | None:
        """Return why it takes nothing by itself now, though messages may wait."""
        pauses = Pauses(self._config.state_directory)
        held = held_by_pause(pauses, self.name, self.slice)
        return held or Idleness(self.name, self._config).held(self.clock())

    def give_up(self, seconds: float) -> str | None:
        """Give the message in hand back to the queue, whatever the runner does.

        Args:
            seconds: How long to wait while the runner settles a message itself.

        Returns:
            The filebase that was given back; None when there was none to give.

        Raises:
            QToolError, OSError: It cannot, or does not answer. Its process is killed,
                and the message stays in flight.
        """
        self.gate.stopping, child = True, self._child
        within = seconds + _ANSWER_SECONDS
        try:
            filebase: str | None = self._asking.answer(
                "give_up", within, seconds=seconds
            )
        except RunnerGone:
            return None  # it has ended meanwhile
        except (QToolError, OSError):
            self._kill(None)
            raise
        if child is not None:
            child.leave_within(LEAVING_SECONDS)
        return filebase

    def ask(self, do: str, **words: Any) -> Future[Any]:
        """Have something done there; return what will have the answer, as it comes.

        Raises:
            RunnerGone: Its process has not begun, or has ended.
            RunnerSilent: It does not listen, and is killed.
        """
        try:
            return self._asking.ask(do, **words)
        except RunnerSilent:
            self._kill(silent_there())
            raise

    def _steer(self, do: str, **flags: bool) -> None:
        with self._lock:
            self.steered = sys.maxsize  # what is said meanwhile is from before
            for flag, value in flags.items():
                setattr(self.gate, flag, value)
            self._told(do)
            self.steered = self._asking.latest
        self.gate.on_change()

    def _told(self, do: str, **words: Any) -> None:
        """Tell it something, if it is there; what it is told first says it as well."""
        try:
            self.ask(do, **words)
        except RunnerError:
            return

    # --- From its begin to its end

    def run(self) -> None:
        """Work the slice in a process of its own; return when that has ended.

        Raises:
            BaseException: What the runner failed of there, or how the process died.
        """
        try:
            child = self._child = ChildProcess(f"{self.name}:{self.slice}")
            try:
                self._begin(child)
                overdue = Overdue(self, lambda hang: self._kill(hung_there(hang)))
                status = child.listen(partial(self._hear, child), overdue.check)
                words = child.last_words()
            finally:
                self._asking.end()
                child.close()
        finally:
            self.gone.set()
        error = self._ending(status, words)
        if error is not None:
            raise error

    def _begin(self, child: ChildProcess) -> None:
        """Tell it who it is; from then on it can be asked."""
        config = self._config
        with self._lock:
            self._used = config.settings
            level = logging.getLogger("qtool").getEffectiveLevel()
            beginning = Beginning(
                name=self.name,
                slice=self.slice,
                is_common=is_of_process(config),
                path=tuple(sys.path),
                log_level=min(level, logging.INFO),
                sleep_seconds=self._sleep_seconds,
                only_asked=self.only_asked,
                stops=self.gate.stopping,
                pauses=self.gate.pausing,
            )
            settings = dumped_settings(self._used)
            try:
                child.line.say(begin=dumped(beginning), settings=settings)
            except TimeoutError:
                self._kill(silent_there())
            except ConnectionError:
                pass  # it has ended; how, is known in a moment
            self.pid = child.pid
            self._asking.begin(child.line)

    def _hear(self, child: ChildProcess, said: Said) -> None:
        if "facts" in said:
            self.learn(WIRE.loaded(Facts, said["facts"]))
        elif "answer" in said:
            self._asking.answered(said)
        elif "log" in said:
            log_here(WIRE.loaded(Logged, said["log"]))
        elif "ended" in said:
            failed = said["ended"]
            self._ended.append(None if failed is None else WIRE.loaded(Failed, failed))
            child.leave_within(LEAVING_SECONDS)

    def _kill(self, failure: ChildFailed | None) -> None:
        self._killed_for, child = failure, self._child
        if child is not None:
            child.kill()

    def _ending(self, status: int, words: str) -> BaseException | None:
        if self._killed_for is not None:
            return self._killed_for
        if not self._ended:
            failure = died_there(status, words)
            if failure is None:
                self.log.warning("%s:%s %s", self.name, self.slice, ended_so(status))
            return failure
        failed = self._ended[0]
        return raised_there(failed) if failed is not None else None
