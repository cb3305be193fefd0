"""One runner slice of a master: its runner, and the thread that the runner has.

A thread of its own, not one of a pool: a runner may stay in ``_dispose`` for as
long as it likes, and a daemon thread that hangs there holds nobody up.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from qtool.engine.hand import GivenBack
from qtool.engine.runner import Runner
from qtool.engine.shunting import one_line, traceback_text
from qtool.engine.status import Counts, InHand, RunnerState, RunnerStatus
from qtool.errors import (
    NoRunnerClass,
    QToolError,
    RunnerError,
    RunnerImportError,
    SliceClaimed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.step import StepReport
    from qtool.installation import Configuration

_PATIENCE = 10.0
"""Seconds to wait for the end of a thread that has nothing in hand."""


class RunnerThread:
    """Starts, stops and steps one slice of a runner.

    Args:
        name: The runner.
        number: Its slice.
        make: Makes the runner anew, for each start.
        on_change: Called after every change of state, from any thread.
    """

    def __init__(
        self,
        name: str,
        number: int,
        make: Callable[[], Runner],
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.number = number
        self.count = 1
        """Into how many slices the queue is divided, as far as is known."""
        self.runner: Runner | None = None
        """While it is at work."""
        self._make = make
        self._on_change = on_change
        self._state = RunnerState.STOPPED
        self._failure: BaseException | None = None
        self._counts = Counts()
        self._ended = threading.Event()
        self._ended.set()
        self._at_work = threading.Event()
        """The present runner holds its claim, or has ended."""
        self._lock = threading.Lock()
        self._stepping = threading.Lock()

    def __str__(self) -> str:
        if self.count == 1:
            return self.name
        return f"{self.name}, slice {self.number}:{self.count}"

    # --- What it is doing

    @property
    def state(self) -> RunnerState:
        """What it is doing now."""
        runner = self.runner
        if runner is None:
            return self._state
        gate = runner.gate
        if gate.stopping:
            return RunnerState.STOPPING
        if gate.pausing:
            return RunnerState.PAUSED if gate.waiting else RunnerState.STOPPING
        return RunnerState.RUNNING

    @property
    def counts(self) -> Counts:
        """What became of its messages, over all its starts."""
        runner = self.runner
        return self._counts + Counts.of(runner.counts) if runner else self._counts

    @property
    def in_hand(self) -> InHand | None:
        """The message in hand."""
        runner = self.runner
        held = runner.in_hand if runner is not None else None
        if runner is None or held is None:
            return None
        filebase, since = held
        return InHand(
            runner=self.name,
            slice=self.number,
            filebase=filebase,
            seconds=max(runner.clock() - since, 0.0),
        )

    def status(self, sleep_seconds: float) -> RunnerStatus:
        """Return everything about it, at this moment."""
        failure = self._failure
        return RunnerStatus(
            runner=self.name,
            slice=self.number,
            state=self.state,
            note=_note(failure),
            traceback=_traceback(failure),
            counts=self.counts,
            in_hand=self.in_hand,
            sleep_seconds=sleep_seconds,
        )

    # --- What may be asked

    def check(self, find_class: Callable[[], type[Runner]]) -> None:
        """Show, before any start, where there is no class to run."""
        try:
            find_class()
        except QToolError as error:
            if self.runner is None:
                self._state, self._failure = RunnerState.after(error), error

    def start(self, *, only_asked: bool = False) -> Runner:
        """Start a thread, and return its runner once that holds the claim.

        Args:
            only_asked: The runner takes nothing by itself.

        Raises:
            NoRunnerClass, RunnerImportError: There is no class to run.
            SliceClaimed: Somebody else holds the slice.
            RunnerError: It runs already.
        """
        with self._lock:
            if self.runner is not None:
                raise RunnerError(f"{self} runs already")
            runner = self._made(only_asked=only_asked)
            self._at_work = at_work = threading.Event()
            self.runner, self._failure = runner, None
            self._ended.clear()
        runner.gate.on_change = lambda: self._changed(runner, at_work)
        if type(runner).run is not Runner.run:
            at_work.set()  # it has a loop of its own, and claims nothing
        threading.Thread(
            target=self._work, args=(runner, at_work), name=str(self), daemon=True
        ).start()
        self._on_change()
        at_work.wait()
        if self.runner is not runner and isinstance(self._failure, QToolError):
            raise self._failure
        return runner

    def stop(self) -> None:
        """Stop after the message in hand."""
        self._running().stop()

    def pause(self) -> None:
        """Pause after the message in hand."""
        runner = self._running()
        if type(runner).run is not Runner.run:
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
            runner.give_up(seconds)
            self._end(runner, RunnerState.STOPPED, None)

    # --- Behind the scenes

    def _running(self) -> Runner:
        runner = self.runner
        if runner is None:
            raise RunnerError(f"{self} is not running")
        return runner

    def _made(self, *, only_asked: bool) -> Runner:
        try:
            runner = self._make()
        except (Exception, SystemExit) as error:
            self._state, self._failure = RunnerState.after(error), error
            self._on_change()
            if isinstance(error, QToolError):
                raise
            raise self._cannot_start(error) from error
        if only_asked and type(runner).run is not Runner.run:
            raise RunnerError(f"{self} has a loop of its own: it can only be started")
        runner.only_asked = only_asked
        return runner

    def _cannot_start(self, error: BaseException) -> RunnerError:
        failure = RunnerError(f"{self} cannot start: {one_line(error)}")
        failure.__cause__ = error
        return failure

    def _work(self, runner: Runner, at_work: threading.Event) -> None:
        state, failure = RunnerState.STOPPED, None
        try:
            runner.run()
        except GivenBack:
            pass
        except BaseException as error:
            begun = at_work.is_set() or isinstance(error, QToolError)
            state, reason = RunnerState.after(error), _note(error)
            failure = error if begun else self._cannot_start(error)
            if state is RunnerState.FAILED:
                runner.log.exception("%s failed: %s", self, reason)
        self._end(runner, state, failure)
        at_work.set()

    def _end(
        self, runner: Runner, state: RunnerState, failure: BaseException | None
    ) -> None:
        with self._lock:
            if self.runner is not runner:
                return  # it was given up before
            self._counts += Counts.of(runner.counts)
            self._state, self._failure, self.runner = state, failure, None
            self._ended.set()
        self._on_change()

    def _changed(self, runner: Runner, at_work: threading.Event) -> None:
        if runner.gate.is_open:
            at_work.set()
        if self.runner is runner:
            self._on_change()


def own_class(config: Configuration, name: str) -> type[Runner]:
    """Return the class that the configuration names for a runner.

    Raises:
        NoRunnerClass: It names none.
        RunnerImportError: It cannot be imported, or is no runner.
    """
    found = config.runner_class(name)
    if not issubclass(found, Runner):
        raise RunnerImportError(
            f"[runner.{name}] class: {config.runner(name).class_path}:"
            " expected a subclass of qtool.Runner"
        )
    return found


def _note(failure: BaseException | None) -> str:
    if failure is None:
        return ""
    return str(failure) if isinstance(failure, QToolError) else one_line(failure)


def _traceback(failure: BaseException | None) -> str:
    """Return the traceback, but of what an operator meets without a fault in code."""
    if failure is None or isinstance(failure, SliceClaimed | NoRunnerClass):
        return ""
    return traceback_text(failure)
