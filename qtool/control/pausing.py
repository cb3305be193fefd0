"""Pauses on record, as an operator makes, ends and sees them."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.acting import acting_name
from qtool.control.models import State
from qtool.control.standing import ACTIVE, mixed_note, sickest
from qtool.errors import (
    NoRunnerClass,
    QToolError,
    Refused,
    RunnerError,
    RunnerImportError,
)
from qtool.queues.filebase import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.control.standing import Runners, Standing
    from qtool.engine.pauses import Pause, Pauses
    from qtool.installation import Configuration
    from qtool.settings import RunnerSettings

_LONGEST_REASON = 500


class Pausing:
    """Pauses and resumes runners, whichever process runs them.

    Args:
        configuration: The site.
        runners: Whoever works there.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        configuration: Configuration,
        runners: Runners,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._configuration = configuration
        self._runners = runners
        self._clock = clock
        self.changed: Callable[[], None] = lambda: None
        """Called when a pause was made or ended here."""
        self._kept: Pauses | None = None

    @property
    def _pauses(self) -> Pauses:
        from qtool.engine.pauses import Pauses  # a folder of queues needs none

        if self._kept is None:
            self._kept = Pauses(self._configuration.state_directory, self._clock)
        return self._kept

    def pause(
        self, runner: str, number: int | None, *, reason: str, until: float | None
    ) -> str:
        """Put a pause on record; return what happened in a line."""
        from qtool.engine.pauses import Pause

        now = self._clock()
        if until is not None and not now < until < float("inf"):
            raise Refused("a pause ends at a time that lies ahead")
        if len(reason) > _LONGEST_REASON:
            raise Refused(f"a reason has {_LONGEST_REASON} characters at most")
        name = self._named(runner, number)
        self._check(self._configuration.runner(runner))
        self._pauses.put(
            Pause(runner=runner, slice=number, who=acting_name(), since=now,
                  reason=reason, until=until)
        )  # fmt: skip
        self.changed()
        busy = self._busy(runner, range(self._count(runner)))
        is_busy = bool(busy) if number is None else number in busy
        return f"{name} paused{' after the message in hand' if is_busy else ''}"

    def resume(self, runner: str, number: int | None) -> str:
        """End a pause; return what happened in a line.

        Raises:
            RunnerError: It is not paused.
        """
        name = self._named(runner, number)
        self._check(self._configuration.runner(runner))
        removed = self._pauses.remove(runner, number, self._count(runner))
        if not removed:
            self._check_paused(runner, number)
        self.changed()
        try:
            return self._runners.act("resume", runner, number)
        except QToolError:
            if not removed:
                raise
            return f"{name} resumed"

    def shown(self, settings: RunnerSettings, standing: Standing) -> Standing:
        """Return how a runner stands, what is on record about it included."""
        if standing.runner is None or standing.state.is_mailmans:
            return standing
        name = settings.name
        numbers = range(len(standing.slices) or 1)
        found = {n: p for n in numbers if (p := self._pauses.of(name, n)) is not None}
        if not found:
            return standing
        busy = self._busy(name, found)
        states = tuple(
            state
            if number not in found or state is not State.RUNNING
            else State.STOPPING if number in busy else State.PAUSED
            for number, state in enumerate(standing.slices)
        )  # fmt: skip
        paused = self._described(found, len(numbers))
        others = standing.note or (mixed_note(states, "") if states else "")
        note = "; ".join(filter(None, (paused, others)))
        standing = replace(
            standing,
            paused_slices=frozenset(found),
            paused_since=min(pause.since for pause in found.values()),
        )
        if not states:
            return replace(standing, note=note, paused=paused)
        return replace(
            standing,
            state=states[sickest(states)],
            slices=states,
            note=note,
            paused=paused,
        )

    def _check(self, settings: RunnerSettings) -> None:
        """Find out whether a runner would honour a pause."""
        from qtool.engine.runner import Runner

        standing = self._runners.standing(settings)
        if standing.runner is None or standing.state.is_mailmans:
            raise Refused(standing.refusal)
        with suppress(NoRunnerClass, RunnerImportError):  # it may have one tomorrow
            found = self._configuration.runner_class(settings.name)
            if getattr(found, "run", None) is not Runner.run:
                raise RunnerError(
                    f"{settings.name} has a loop of its own: it cannot be paused"
                )

    def _check_paused(self, runner: str, number: int | None) -> None:
        """Refuse where there is nothing to end: it runs, and is on no record."""
        self._runners.look()
        states = self._runners.standing(self._configuration.runner(runner)).slices
        asked = set(states if number is None else states[number : number + 1])
        if asked & ACTIVE and not asked & {State.PAUSED, State.STOPPING}:
            if number is None and len(states) > 1:
                raise RunnerError(f"{runner}: none of {len(states)} slices is paused")
            raise RunnerError(f"{self._named(runner, number)} is not paused")

    def _described(self, found: dict[int, Pause], count: int) -> str:
        texts = {n: pause.describe(self._clock()) for n, pause in found.items()}
        if len(found) == count and len(set(texts.values())) == 1:
            return next(iter(texts.values()))
        number, text = next(iter(texts.items()))
        more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
        return f"slice {number}:{count}{more} {text}"

    def _busy(self, runner: str, numbers: Sequence[int] | dict[int, Pause]) -> set[int]:
        """Return which slices have a message in hand here."""
        held = [h.filebase for h in self._runners.finishing() if h.runner == runner]
        parts = self._configuration.slices(runner) if held else ()
        return {
            number
            for number in numbers
            if number < len(parts)
            and any(digest_of(filebase) in parts[number] for filebase in held)
        }

    def _count(self, runner: str) -> int:
        return self._configuration.runner(runner).instances

    def _named(self, runner: str, number: int | None) -> str:
        count = self._count(runner)
        if number is not None and not 0 <= number < count:
            raise RunnerError(f"{runner} has {count} slices: no {number}")
        if count <= 1:
            return runner
        if number is None:
            return f"{runner}: all {count} slices"
        return f"{runner}, slice {number}:{count},"
