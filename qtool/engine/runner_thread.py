"""One runner slice of a master: its runner, and the thread that the runner has.

Not one of a pool: it may hang in ``_dispose``, and as a daemon it holds nobody up.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from qtool.engine.classes import has_own_loop
from qtool.engine.elsewhere import log_failure
from qtool.engine.hand import GivenBack
from qtool.engine.hangs import WorkingThread
from qtool.engine.status import Counts, RunnerState, cannot_start, failure_note
from qtool.engine.wanted import Begun, WantedRunner, again, once
from qtool.errors import QToolError, RunnerError, SliceClaimed

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.facts import AtWork
    from qtool.engine.remote import RemoteRunner
    from qtool.engine.restarts import Timer
    from qtool.engine.step import StepReport
    from qtool.engine.wanted import Insistence

_PATIENCE = 10.0
"""Seconds to wait for the end of a thread that has nothing in hand."""


class RunnerThread(WantedRunner):
    """Starts, stops and steps one slice of a runner.

    Args:
        name: The runner.
        number: Its slice.
        make: Makes the runner anew, for each start.
        on_change: Called after every change of state, from any thread.
        timer: Where a restart waits.
        refusal: Returns why the slice cannot be had now; None where it can.
    """

    is_apart: ClassVar[bool] = False
    """Whether the runner has a process of its own, which says when it is at work."""

    def __init__(
        self,
        name: str,
        number: int,
        make: Callable[[], AtWork],
        on_change: Callable[[], None],
        timer: Timer,
        refusal: Callable[[], SliceClaimed | None],
    ) -> None:
        super().__init__(name, number, on_change, timer, refusal)
        self._make = make
        self._stop_asked = False
        self._ended = threading.Event()
        self._ended.set()
        self._lock = threading.Lock()
        self._stepping = threading.Lock()

    # --- What may be asked

    def start(self, *, only_asked: bool = False) -> AtWork:
        """Start a thread, and return its runner once that holds the claim.

        Args:
            only_asked: The runner takes nothing by itself.

        Raises:
            NoRunnerClass, RunnerImportError: There is no class to run.
            SliceClaimed: Somebody else holds the slice.
            RunnerError: It runs already.
        """
        return self.begin(only_asked=only_asked)()

    def begin(
        self,
        *,
        only_asked: bool = False,
        paused: bool = False,
        insist: Insistence = once,
    ) -> Callable[[], AtWork]:
        """Do as ``start`` does, but return what waits and raises as that does.

        Args:
            only_asked: The runner takes nothing by itself.
            paused: It is paused from the beginning.
            insist: After which errors it is tried again, by itself.
        """
        try:
            with self._lock:
                if self.runner is not None:
                    raise RunnerError(f"{self} runs already")
                if not only_asked:
                    insist = again if self.wanted and insist is once else insist
                    self.wanted = True
                    self._restarts.forget()
                if insist is not once:
                    self._check_free(insist)
                runner, at_work = self._begun(only_asked, insist, paused=paused)
        finally:
            self._tell()

        def begun() -> AtWork:
            at_work.wait()
            if isinstance(at_work.refusal, QToolError):
                raise at_work.refusal
            return runner

        return begun

    def stop(self) -> None:
        """Stop after the message in hand; it is wanted no more.

        Raises:
            RunnerError: It is not running.
        """
        with self._lock:
            runner, self._stop_asked, self.wanted = self.runner, True, False
            self._said_waiting = False
            if runner is None and self._restarts.pending is None:
                raise RunnerError(f"{self} is not running")
            self._restarts.cancel()
            if runner is None:
                self._state, self._failure = RunnerState.STOPPED, None
        if runner is not None:
            runner.stop()
        self._on_change()

    def pause(self) -> None:
        """Pause after the message in hand."""
        runner = self._running()
        if self._has_own_loop(runner):
            raise RunnerError(f"{self} has a loop of its own: it cannot be paused")
        runner.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._running().resume()

    def step(self, filebase: str | None) -> StepReport:
        """Process one file; see ``Runner.step``."""
        # One at a time: the step that started the runner will stop it, too.
        with self._stepping:
            if self.runner is not None:
                self._at_work.wait()
            runner = self.runner
            if runner is not None:
                return runner.step(filebase)
            runner = self.start(only_asked=True)
            try:
                return runner.step(filebase)
            finally:
                runner.stop()
                self.wait(_PATIENCE)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended; return whether it has."""
        return self._ended.wait(seconds)

    def give_up(self, seconds: float) -> None:
        """Give the message in hand back, and leave the thread to itself.

        Args:
            seconds: How long to wait while the runner settles a message itself.
        """
        runner = self.runner
        if runner is not None:
            try:
                runner.give_up(seconds)
            finally:
                self._end(runner, RunnerState.STOPPED)

    # --- Behind the scenes

    def _has_own_loop(self, runner: AtWork) -> bool:
        return has_own_loop(type(runner))  # type: ignore[arg-type]  # see subclass

    def _worker(self, runner: AtWork) -> WorkingThread | RemoteRunner:  # noqa: ARG002
        return WorkingThread()

    def _running(self) -> AtWork:
        runner = self.runner
        if runner is None:
            raise RunnerError(f"{self} is not running")
        return runner

    def _begun(
        self, only_asked: bool, insist: Insistence, *, paused: bool = False
    ) -> tuple[AtWork, Begun]:
        """Make the runner and its thread; it is locked."""
        runner = self._made(only_asked, insist)
        if paused:
            runner.pause()
        self._at_work = at_work = Begun()
        self.runner, self._failure, self._stop_asked = runner, None, False
        self._thread = None
        self._ended.clear()
        if self._restarts.is_over:
            runner.stop()  # it was not there to be stopped when the master closed
        runner.gate.on_change = lambda: self._changed(runner, at_work)
        if self._has_own_loop(runner) and not self.is_apart:
            at_work.set()  # it claims nothing
        work = partial(self._work, runner, at_work, insist)
        threading.Thread(target=work, name=str(self), daemon=True).start()
        return runner, at_work

    def _made(self, only_asked: bool, insist: Insistence) -> AtWork:
        try:
            runner = self._make()
        except (Exception, SystemExit) as error:
            self._state, self._failure = RunnerState.after(error), error
            if not only_asked:
                self._refused(error, insist)
            if isinstance(error, QToolError):
                raise
            raise cannot_start(self, error) from error
        if only_asked and self._has_own_loop(runner):
            raise RunnerError(f"{self} has a loop of its own: it can only be started")
        runner.only_asked = only_asked
        return runner

    def _restart(self) -> None:
        """Start again after a failure: the time for it has come."""
        with self._lock:
            if self.runner is not None or self._restarts.pending is None:
                return  # a step is under way, and plans anew; or it was stopped
            with suppress(SliceClaimed):  # it is planned anew
                self._check_free(again)
                try:
                    self._begun(only_asked=False, insist=again)
                except QToolError:
                    self._plan(self._clock())
                else:
                    self._restarts.cancel()
        self._tell()

    def _work(self, runner: AtWork, at_work: Begun, insist: Insistence) -> None:
        working = self._thread = self._worker(runner)
        began, planned = self._clock(), False
        state, failure = RunnerState.STOPPED, None
        try:
            runner.run()
        except GivenBack:
            pass
        except BaseException as error:  # noqa: BLE001 - it is told, and logged at the end
            state, failure = RunnerState.after(error), error
            planned = at_work.is_set() or insist(error)
            if not at_work.is_set():  # whoever starts it is told
                if not runner.only_asked:
                    self._refused(error, insist)
                is_told = isinstance(error, QToolError)
                failure = error if is_told else cannot_start(self, error)
                at_work.refusal = failure
        if self._thread is working:
            self._thread = None
        self._cpu_seconds += working.cpu_seconds()
        self._end(runner, state, failure, began if planned else None)
        at_work.set()

    def _end(
        self,
        runner: AtWork,
        state: RunnerState,
        failure: BaseException | None = None,
        began: float | None = None,
    ) -> None:
        """Note the end; with ``began`` it is started again where that is of use."""
        with self._lock:
            if self.runner is not runner:
                return  # it was given up before
            self._state, self._failure = state, failure
            is_well = failure is None or isinstance(failure, SliceClaimed)
            if runner.only_asked and is_well and self._restarts.wait():
                self._state = self._restarts.state
                self._failure = self._restarts.cause
            elif began is not None and not (runner.only_asked or self._stop_asked):
                self._plan(began)
            else:
                self._restarts.cancel()
                if failure is None and not runner.only_asked:
                    self.wanted = False
            self._counts += Counts.of(runner.counts)
            self.runner = None
            self._ended.set()
        if state is RunnerState.FAILED:
            note = self._restarts.told(self._state, failure_note(failure))
            log_failure(runner.log, f"{self} failed: {note}", failure)
        self._tell()

    def _changed(self, runner: AtWork, at_work: Begun) -> None:
        if runner.gate.is_open:
            at_work.set()
        if self.runner is runner:
            self._tell()
