"""What the runners of one master get when they are made, and share."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from qtool.engine.classes import own_class
from qtool.engine.runner_thread import RunnerThread
from qtool.engine.snooze import Resting
from qtool.engine.turns import Token
from qtool.engine.wanted import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.remote import RemoteRunner
    from qtool.engine.restarts import Timer
    from qtool.engine.runner import Runner
    from qtool.installation import Configuration


class Outfit:
    """Makes runners of a configuration, in threads or in processes of their own.

    Args:
        config: Which runners there are.
        clock: Seconds that never go back.
        in_processes: Whether each slice has a process of its own.
    """

    def __init__(
        self, config: Configuration, clock: Callable[[], float], *, in_processes: bool
    ) -> None:
        self.in_processes = in_processes
        self._config = config
        self._clock = clock
        self._token = Token()
        self._resting: dict[str, Resting] = {}
        self._sleep_seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    def sleep_seconds(self, name: str) -> float:
        """Return for how long a runner snoozes when there is nothing to do."""
        if name in self._sleep_seconds:
            return self._sleep_seconds[name]
        settings = self._config.settings.runners.get(name)
        return settings.sleep_seconds if settings is not None else 0.0

    def set_snooze(self, name: str, seconds: float) -> None:
        """Have a runner snooze so long, whatever is configured."""
        self._sleep_seconds[name] = seconds

    def thread(
        self,
        name: str,
        number: int,
        check: Callable[[], None],
        on_change: Callable[[], None],
        timer: Timer,
    ) -> RunnerThread:
        """Return what starts, stops and steps one slice of a runner.

        Args:
            name: The runner.
            number: Its slice.
            check: Called before each start; raises where there is to be none.
            on_change: Called after every change of state, from any thread.
            timer: Where a restart waits.
        """
        refused = partial(refusal, self._config, name, number)
        if self.in_processes:
            from qtool.engine.runner_process import RunnerProcess  # few have any

            remote = partial(self._remote, name, number, check)
            return RunnerProcess(name, number, remote, on_change, timer, refused)
        local = partial(self._runner, name, number, check)
        return RunnerThread(name, number, local, on_change, timer, refused)

    def _runner(self, name: str, number: int, check: Callable[[], None]) -> Runner:
        check()
        runner = own_class(self._config, name)(name, number, config=self._config)
        with self._lock:
            runner.resting = self._resting.setdefault(name, Resting())
        runner.turn.token = self._token
        runner.clock = self._clock
        runner.sleep_seconds = self.sleep_seconds(name)
        return runner

    def _remote(
        self, name: str, number: int, check: Callable[[], None]
    ) -> RemoteRunner:
        from qtool.engine.remote import RemoteRunner

        check()
        kind = own_class(self._config, name)
        runner = RemoteRunner(kind, name, number, config=self._config)
        runner.clock = self._clock
        runner.sleep_seconds = self.sleep_seconds(name)
        return runner
