"""Whether the machine is idle, as an idle-only runner's configuration means it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool.engine.holding import Held
from qtool.engine.shunting import one_line
from qtool.errors import QToolError, RunnerImportError
from qtool.installation.classes import imported
from qtool.queues.slices import whole
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.installation import Configuration
    from qtool.settings.idle import IdleTest

ASK_SECONDS = 1.0
"""How old an answer may be while a pass goes on."""
LOOK_AGAIN_SECONDS = 5.0
"""When a runner that is held back asks again: load averages change as often."""

PRESSURE = Path("/proc/pressure")


class Idleness:
    """The tests of one runner.

    Args:
        runner: Its name.
        config: Where its tests and the queues are.
        now: Seconds since the epoch.
        load: Gives the load averages.
        pressure: The folder of the kernel's pressure stall information.

    Raises:
        RunnerImportError: A test is a callable that cannot be imported.
    """

    def __init__(
        self,
        runner: str,
        config: Configuration,
        *,
        now: Callable[[], float] = time.time,
        load: Callable[[], tuple[float, ...]] = os.getloadavg,
        pressure: Path = PRESSURE,
    ) -> None:
        self._config = config
        self._now = now
        self._load = load
        self._pressure = pressure
        tests = config.runner(runner).idle_when
        self._tests = [(test, self._check_of(runner, test)) for test in tests]
        self._asked_at = float("-inf")
        self._held: Held | None = None

    def held(self, clock: float) -> Held | None:
        """Return which test holds the runner back; None where none does.

        Args:
            clock: Seconds on a clock that never goes back.
        """
        if self._tests and clock - self._asked_at >= ASK_SECONDS:
            self._asked_at, self._held = clock, self._first()
        return self._held

    def forget(self) -> None:
        """Ask again the next time, however young the answer is."""
        self._asked_at = float("-inf")

    def _first(self) -> Held | None:
        for test, check in self._tests:
            try:
                hindrance = check()
            except (QToolError, OSError, ValueError, IndexError) as error:
                hindrance = one_line(error)
            if hindrance:
                note = f"not idle: {test.text}: {hindrance}"
                return Held(note=note, seconds=LOOK_AGAIN_SECONDS)
        return None

    def _check_of(self, runner: str, test: IdleTest) -> Callable[[], str]:
        """Return what says why a test fails; it says nothing where it holds."""
        if test.kind == "callable":
            where = f"[runner.{runner}] idle_when: {test.names[0]}"
            paths = self._config.settings.python_paths
            asked = imported(test.names[0], where, paths)
            if not callable(asked):
                raise RunnerImportError(f"{where}: that cannot be called")
            return lambda: _answer(asked)
        checks = {
            "load": self._under_load,
            "pressure": self._under_pressure,
            "empty": self._waiting,
            "between": self._outside,
        }
        check = checks[test.kind]
        return lambda: check(test)

    def _under_load(self, test: IdleTest) -> str:
        load = self._load()[0]
        return "" if load < test.limit else f"it is {load:.2f}"

    def _under_pressure(self, test: IdleTest) -> str:
        words = (self._pressure / test.names[0]).read_text("ascii").split()
        share = float(words[1].removeprefix("avg10="))  # the first line is of *some*
        return "" if share < test.limit else f"it is {share:.2f}"

    def _waiting(self, test: IdleTest) -> str:
        for name in test.names:
            queue = self._config.switchboards[name]
            count = queue.scan([whole()])
            if count.in_flight or (count.depth and queue.ready(1)):
                return f"{count.depth + count.in_flight} in {name}"
        return ""

    def _outside(self, test: IdleTest) -> str:
        local = time.localtime(self._now())
        minute, (first, last) = 60 * local.tm_hour + local.tm_min, test.minutes
        if first < last:
            inside = first <= minute < last
        else:  # over midnight; the whole day where it begins when it ends
            inside = minute >= first or minute < last
        return "" if inside else f"it is {minute // 60:02}:{minute % 60:02}"


def _answer(asked: Callable[[], Any]) -> str:
    """Ask a site's own test, whatever it does."""
    try:
        answer = asked()
    except Exception as error:  # noqa: BLE001 - it holds the runner back, visibly
        return visible(one_line(error), 200)
    return "" if answer else f"it says {visible(repr(answer), 80)}"
