"""The master: runs the configured runners, as threads or in processes of their own."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from qtool.engine.classes import Looks
from qtool.engine.drain import drain, drained_slices
from qtool.engine.duty import slice_of_file
from qtool.engine.ending import end
from qtool.engine.hangs import resident_bytes
from qtool.engine.outfit import Outfit
from qtool.engine.regrouping import Regroups, started, started_again
from qtool.engine.restarts import Timer
from qtool.engine.runner_thread import RunnerThread
from qtool.engine.wanted import once, until_free
from qtool.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from qtool.engine.regrouping import Regroup
    from qtool.engine.status import Drained, InHand, RunnerStatus
    from qtool.engine.step import StepReport
    from qtool.installation import Configuration
    from qtool.installation.specs import Chosen

log = logging.getLogger("qtool.master")


class Master:
    """Starts, stops, pauses, re-times, steps and drains runners, one by one.

    Nothing runs before somebody asks. Every call may come from any thread.

    Args:
        config: Which runners there are.
        clock: Seconds that never go back, for ages and intervals.
        in_processes: Whether each slice has a process of its own; None is what the
            configuration says.
    """

    def __init__(
        self,
        config: Configuration,
        *,
        clock: Callable[[], float] = time.monotonic,
        in_processes: bool | None = None,
    ) -> None:
        self.config = config
        if in_processes is None:
            in_processes = config.settings.in_processes
        self._outfit = Outfit(config, clock, in_processes=in_processes)
        self.timer = Timer(clock)
        """Where the restarts of all runners wait."""
        self._threads: dict[tuple[str, int], RunnerThread] = {}
        self._regroups = Regroups()
        self._looks = Looks(self.config)
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._closing = False

    # --- What there is

    def states(self) -> tuple[RunnerStatus, ...]:
        """Return every slice of every configured runner, and what still runs besides.

        The first time, classes are imported, so that a wrong one shows.
        """
        for name, settings in self.config.settings.runners.items():
            if settings.served:
                for number in range(settings.instances):
                    thread = self._thread(name, number)
                    thread.check(settings.class_path, self._looks.look)
        self._look()
        memory = resident_bytes()
        return tuple(
            thread.status(self.sleep_seconds(thread.name), memory)
            for thread in self._all()
            if thread.is_up or self._is_configured(thread)
        )

    def sleep_seconds(self, name: str) -> float:
        """Return for how long a runner snoozes when there is nothing to do."""
        return self._outfit.sleep_seconds(name)

    def finishing(self) -> tuple[InHand, ...]:
        """Return what the runners have in hand."""
        self._look()
        return tuple(held for t in self._all() if (held := t.in_hand) is not None)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after changes of state; return how to stop that.

        It is called in the thread that made the change, and must not wait.
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    # --- What may be asked

    def start(
        self,
        name: str,
        slice: int | None = None,  # noqa: A002 - the field's word
        *,
        waits: bool = False,
    ) -> tuple[int, ...]:
        """Start a slice of a runner, or all that are not running; return which.

        Args:
            name: The runner.
            slice: Which of its slices.
            waits: They are wanted until they are stopped, whether they can run now
                or not. What another runner holds is started when that lets it go.

        Raises:
            NoSuchRunner, NoRunnerClass, RunnerImportError: There is none to run.
            SliceClaimed: Somebody else holds a slice; the others are started.
            RunnerError: It runs already.
        """
        threads = [t for t in self._of(name, slice) if t.runner is None]
        if not threads:
            raise RunnerError(f"{name} runs already")
        return started(threads, insist=until_free if waits else once)

    def stop(self, name: str, slice: int | None = None) -> tuple[int, ...]:  # noqa: A002
        """Stop slices of a runner after the message in hand; return which.

        Raises:
            RunnerError: It is not running.
        """
        threads = self._of(name, slice)
        was_to_begin = self._regroups.give_up(name, slice)
        up = [thread for thread in threads if thread.is_up]
        for thread in threads:
            thread.wanted = False
        if was_to_begin and not up:
            return tuple(thread.number for thread in threads)
        return self._each(name, up, RunnerThread.stop)

    def is_wanted(self, name: str, number: int) -> bool:
        """Return whether a slice is to run, though it may not at this moment."""
        thread = self._thread(name, number)
        return thread.wanted or self._regroups.begins(name, number)

    def pause(self, name: str, slice: int | None = None) -> tuple[int, ...]:  # noqa: A002
        """Pause slices after the message in hand; return which, raise as ``stop``."""
        return self._each(name, self._running(name, slice), RunnerThread.pause)

    def resume(self, name: str, slice: int | None = None) -> tuple[int, ...]:  # noqa: A002
        """Let paused slices of a runner go on; return which.

        Raises:
            RunnerError: It is not running.
        """
        return self._each(name, self._running(name, slice), RunnerThread.resume)

    def regroup(self, name: str, number: int | None = None, **how: bool) -> Regroup:
        """Stop all slices of a runner, or one; start those configured now then.

        Args:
            name: The runner.
            number: The slice.
            how: As of ``Regroup.start``.
        """
        of_runner = [thread for thread in self._all() if thread.name == name]
        former = [each for each in of_runner if number in (None, each.number)]

        def start(paused: bool, left_out: Collection[int]) -> None:
            if not self._closing:
                started_again(self._of(name, number), left_out, paused=paused)

        return self._regroups.begin(name, former, start, number=number, **how)

    def set_snooze(self, name: str, seconds: float) -> None:
        """Change for how long a runner snoozes, at once and until this process ends."""
        self.config.runner(name)
        self._outfit.set_snooze(name, seconds)
        for thread in self._of(name, None):
            if thread.runner is not None:
                thread.runner.sleep_seconds = seconds
        self._changed()

    def step(
        self,
        name: str,
        slice: int | None = None,  # noqa: A002
        filebase: str | None = None,
    ) -> StepReport:
        """Process one file; see ``Runner.step``.

        Args:
            name: The runner.
            slice: Of which slice; None is that of the file.
            filebase: The file; None is the next.

        Raises:
            SliceClaimed: Somebody else holds the slice.
            RunnerError: It manages no queue, or the file is not of its slice.
        """
        if self.config.runner(name).queue_directory is None:
            raise RunnerError(f"{name} manages no queue")
        threads = self._of(name, slice)
        if len(threads) > 1:
            threads = self._of(name, slice_of_file(self.config, name, filebase))
        return threads[0].step(filebase)

    def drain(self, parts: Collection[Chosen] = ()) -> Drained:
        """Run runners until nothing is ready; see ``qtool.engine.drain``.

        Args:
            parts: Which; all that have part in a drain without any.
        """
        threads = [self._thread(*each) for each in drained_slices(self.config, parts)]
        return drain(self.config, threads, lambda: self._closing, parts)

    def close(self, *, unclaim: bool = False) -> None:
        """Stop all runners and wait for the messages in hand.

        Args:
            unclaim: Give the messages in hand back instead; a second call, from
                another thread, does that too. Nothing waits for ``_dispose`` then.
        """
        with self._lock:
            unclaim = unclaim or self._closing
            self._closing = True
            self.timer.close()
            threads = [t for t in self._threads.values() if t.is_up]
        end(threads, unclaim=unclaim)

    # --- Behind the scenes

    def _all(self) -> list[RunnerThread]:
        with self._lock:
            return list(self._threads.values())

    def _is_configured(self, thread: RunnerThread) -> bool:
        settings = self.config.settings.runners.get(thread.name)
        return settings is not None and thread.number < settings.instances

    def _of(self, name: str, number: int | None) -> list[RunnerThread]:
        instances = self.config.runner(name).instances
        if number is not None:
            if not 0 <= number < instances:
                raise RunnerError(f"{name} has {instances} slices: no {number}")
            return [self._thread(name, number)]
        if instances == 0:
            raise RunnerError(f"{name} is switched off: instances is 0")
        return [self._thread(name, each) for each in range(instances)]

    def _running(self, name: str, number: int | None) -> list[RunnerThread]:
        return [t for t in self._of(name, number) if t.runner is not None]

    def _each(
        self,
        name: str,
        threads: list[RunnerThread],
        act: Callable[[RunnerThread], None],
    ) -> tuple[int, ...]:
        if not threads:
            raise RunnerError(f"{name} is not running")
        for thread in threads:
            act(thread)
        return tuple(thread.number for thread in threads)

    def _thread(self, name: str, number: int) -> RunnerThread:
        with self._lock:
            found = self._threads.get((name, number))
            if found is None:
                found = self._threads[name, number] = self._outfit.thread(
                    name, number, self._check_open, self._changed, self.timer
                )
            settings = self.config.settings.runners.get(name)
            if settings is not None:
                found.follow(settings)  # an overlay may change it
            return found

    def _check_open(self) -> None:
        if self._closing:
            raise RunnerError("The master has been closed.")

    def _look(self) -> None:
        """Have what runs in other processes known here as it is now."""
        if self._outfit.in_processes:
            from qtool.engine.runner_process import look

            look(self._all(), self.config.settings)

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:
                log.exception("a listener failed")
