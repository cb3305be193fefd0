"""One runner slice of a master that gives each a process of its own."""

from __future__ import annotations

from concurrent.futures import wait
from typing import TYPE_CHECKING, ClassVar

from qtool.engine.child_process import LEAVING_SECONDS
from qtool.engine.classes import has_own_loop
from qtool.engine.remote import RemoteRunner
from qtool.engine.runner_thread import RunnerThread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtool.engine.facts import AtWork
    from qtool.engine.status import RunnerStatus
    from qtool.settings import RunnerSettings, Settings

_ANSWER_SECONDS = 0.5


class RunnerProcess(RunnerThread):
    """Starts, stops and steps one slice of a runner in a process of its own.

    A thread of this process waits for the other, and hears what it says.
    """

    is_apart: ClassVar[bool] = True

    def follow(self, settings: RunnerSettings) -> None:
        """Take up what is configured now, as far as that needs no new start."""
        super().follow(settings)
        if self._remote is not None:
            self._remote.hang_seconds = self.hang_seconds

    def status(
        self, sleep_seconds: float, memory_bytes: int | None = None
    ) -> RunnerStatus:
        """Return everything about it; the memory is that of its own process."""
        memory_bytes = self._remote.memory_bytes if self._remote is not None else None
        return super().status(sleep_seconds, memory_bytes)

    def give_up(self, seconds: float) -> None:
        """Give the message in hand back, and see its process end."""
        remote = self._remote
        try:
            super().give_up(seconds)
        finally:
            if remote is not None:
                remote.gone.wait(2 * LEAVING_SECONDS)

    @property
    def _remote(self) -> RemoteRunner | None:
        runner = self.runner
        return runner if isinstance(runner, RemoteRunner) else None

    def _has_own_loop(self, runner: AtWork) -> bool:
        assert isinstance(runner, RemoteRunner)
        return has_own_loop(runner.kind)

    def _worker(self, runner: AtWork) -> RemoteRunner:
        assert isinstance(runner, RemoteRunner)
        return runner


def look(threads: Iterable[RunnerThread], settings: Settings) -> None:
    """Have the processes say how they stand; not for long, where one is silent.

    Args:
        threads: Of a master.
        settings: What is configured now, which they learn of.
    """
    looks = []
    for thread in threads:
        runner = thread.runner
        if isinstance(runner, RemoteRunner):
            runner.use(settings)
            looks.append(runner.look())
    wait([each for each in looks if each is not None], timeout=_ANSWER_SECONDS)
