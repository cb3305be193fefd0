"""What is known of one slice of a runner, whether it is at work or not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from qtool.engine.status import (
    Counts,
    InHand,
    RunnerState,
    RunnerStatus,
    failure_note,
    failure_traceback,
)
from qtool.errors import ClassImporting, QToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.hangs import Hang, WorkingThread
    from qtool.engine.remote import RemoteRunner
    from qtool.engine.restarts import Restarts
    from qtool.engine.runner import Runner
    from qtool.settings import RunnerSettings

AtWork: TypeAlias = "Runner | RemoteRunner"
"""A runner in this process, or in one of its own."""


class RunnerFacts:
    """What may be asked about a runner slice at any moment, by any thread.

    Args:
        name: The runner.
        number: Its slice.
        restarts: What is planned for it after a failure.
        clock: Seconds that never go back.
    """

    def __init__(
        self, name: str, number: int, restarts: Restarts, clock: Callable[[], float]
    ) -> None:
        self.name = name
        self.number = number
        self.count = 1
        """Into how many slices the queue is divided, as far as is known."""
        self.max_restarts = 0
        """How often it is restarted within a while, as far as is known."""
        self.hang_seconds = math.inf
        """After which it is hung that is at one thing, as far as is known."""
        self.runner: AtWork | None = None
        """While it is at work."""
        self._thread: WorkingThread | RemoteRunner | None = None
        """That of the runner, or its process, once it has begun."""
        self._cpu_seconds = 0.0
        """What its former threads have computed."""
        self._state = RunnerState.STOPPED
        self._failure: BaseException | None = None
        self._counts = Counts()
        self._checked: tuple[str | None, ...] = ()
        """The class that was looked up, if one was."""
        self._restarts = restarts
        self._clock = clock

    def __str__(self) -> str:
        if self.count <= 1:
            return self.name
        return f"{self.name}, slice {self.number}:{self.count}"

    def follow(self, settings: RunnerSettings) -> None:
        """Take up what is configured now, as far as that needs no new start."""
        self.count = settings.instances
        self.max_restarts = settings.max_restarts
        self.hang_seconds = settings.hang_seconds

    def check(self, class_path: str | None, look: Callable[[str], None]) -> None:
        """Show once, before any start, whether there is a class to run.

        While it is being imported that is not known, and shown meanwhile.

        Args:
            class_path: The class that is configured.
            look: Looks at the class of the runner of that name, and raises.
        """
        if self._checked == (class_path,):
            return
        state, failure = RunnerState.STOPPED, None
        try:
            look(self.name)
        except QToolError as error:
            state, failure = RunnerState.after(error), error
        known = self._checked or isinstance(self._failure, ClassImporting)
        if not self.is_up and (failure is not None or known):
            self._state, self._failure = state, failure
        if not isinstance(failure, ClassImporting):
            self._checked = (class_path,)

    @property
    def is_up(self) -> bool:
        """Whether it is at work, or will be when it is restarted."""
        return self.runner is not None or self._restarts.pending is not None

    @property
    def waits(self) -> bool:
        """Whether it will be started once nobody else holds the slice."""
        return self.runner is None and self._restarts.waits

    @property
    def is_pausing(self) -> bool:
        """Whether it is paused, or will be after the message in hand."""
        runner = self.runner
        return runner is not None and runner.gate.pausing

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
        return self._seen(runner.in_hand) if runner is not None else None

    @property
    def cpu_seconds(self) -> float:
        """How long its threads have computed, over all starts."""
        thread = self._thread
        seconds = thread.cpu_seconds() if thread is not None else 0.0
        return round(self._cpu_seconds + seconds, 3)

    def status(
        self, sleep_seconds: float, memory_bytes: int | None = None
    ) -> RunnerStatus:
        """Return everything about it, at this moment.

        Args:
            sleep_seconds: For how long it snoozes.
            memory_bytes: What the process has.
        """
        thread = self._thread if self.runner is not None else None
        failure, state, held = self._failure, self.state, self.in_hand
        note, trace = failure_note(failure), failure_traceback(failure)
        runner = self.runner
        note = note or (runner.not_idle if runner is not None else "")
        hang = self._hang()
        if hang is not None:
            note, trace = hang.told, hang.stack
            state = RunnerState.HUNG if state is RunnerState.RUNNING else state
        return RunnerStatus(
            runner=self.name,
            slice=self.number,
            state=state,
            note=self._restarts.told(state, note),
            traceback=trace,
            counts=self.counts,
            in_hand=held,
            sleep_seconds=sleep_seconds,
            pid=thread.pid if thread is not None else 0,
            thread=thread.number if thread is not None else 0,
            cpu_seconds=self.cpu_seconds,
            memory_bytes=memory_bytes,
            waits=self.waits,
        )

    def _seen(self, held: tuple[str, float] | None) -> InHand | None:
        if held is None:
            return None
        seconds = max(self._clock() - held[1], 0.0)
        return InHand(
            runner=self.name, slice=self.number, filebase=held[0], seconds=seconds
        )

    def _hang(self) -> Hang | None:
        thread, runner = self._thread, self.runner
        held = self._seen(runner.at_work) if runner is not None else None
        if held is None or thread is None or held.seconds < self.hang_seconds:
            return None
        return thread.hang(held)
