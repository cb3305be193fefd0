"""The runner that a process of its own is for: what may be asked of it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.engine.classes import has_own_loop, own_class
from qtool.engine.hangs import WorkingThread, resident_bytes
from qtool.engine.lines import Facts, Failed, Stack, loaded_settings
from qtool.engine.shunting import traceback_text
from qtool.engine.status import Counts, InHand, failure_note
from qtool.errors import QToolError
from qtool.installation import Configuration, adopt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qtool.engine.lines import Beginning, Said
    from qtool.engine.runner import Runner
    from qtool.engine.step import StepReport


class Charge:
    """A runner that is to be made, is at work, or has ended.

    Args:
        beginning: Which it is.
        settings: The master's.
    """

    def __init__(self, beginning: Beginning, settings: Said) -> None:
        self.config = Configuration(loaded_settings(settings))
        self.runner: Runner | None = None
        """Once it has been made."""
        self._beginning = beginning
        self._worker: WorkingThread | None = None

    def make(self, on_change: Callable[[], None]) -> Runner:
        """Make the runner, in the thread that it will work in."""
        self._worker = WorkingThread()
        beginning = self._beginning
        if beginning.is_common:
            adopt(self.config)
        kind = own_class(self.config, beginning.name)
        runner = kind(beginning.name, beginning.slice, config=self.config)
        runner.only_asked = beginning.only_asked
        runner.sleep_seconds = beginning.sleep_seconds
        if runner.is_queue_runner:
            # In another slice nobody knows for how long a requeued message rests.
            runner.switchboard.keeps_slice = True
        if beginning.pauses:
            runner.pause()
        if beginning.stops:
            runner.stop()
        runner.gate.on_change = on_change
        self.runner = runner
        return runner

    def facts(self, seen: int) -> Facts:
        """Return how the runner stands.

        Args:
            seen: The last of what was asked that has been begun with.
        """
        runner, worker = self.runner, self._worker
        facts = Facts(
            seen=seen,
            thread=worker.number if worker is not None else 0,
            cpu_seconds=time.process_time(),
            memory_bytes=resident_bytes(),
        )
        if runner is None:
            return facts
        gate, held = runner.gate, runner.at_work
        return replace(
            facts,
            # With a loop of its own it claims nothing, and opens nothing.
            is_open=gate.is_open or has_own_loop(type(runner)),
            stopping=gate.stopping,
            pausing=gate.pausing,
            waiting=gate.waiting,
            not_idle=runner.not_idle,
            counts=Counts.of(runner.counts),
            filebase=(held[0] or None) if held is not None else None,
            at_work=held is not None,
            seconds=runner.clock() - held[1] if held is not None else 0.0,
        )

    # --- What may be asked of one that has been made

    def stop(self) -> None:
        """End after the message in hand."""
        self._made.stop()

    def pause(self) -> None:
        """Pause after the message in hand."""
        self._made.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._made.resume()

    def snooze(self, *, seconds: float) -> None:
        """Change for how long it snoozes."""
        self._made.sleep_seconds = seconds

    def use(self, *, settings: Said) -> None:
        """Follow what the master has pushed, or read again."""
        self.config.use(loaded_settings(settings))

    def look(self) -> None:
        """Do nothing: the facts come before every answer."""

    def stack(self) -> Stack | None:
        """Return where it stands with what it is at; None where it rests."""
        held, worker = self._made.at_work, self._worker
        if held is None or worker is None:
            return None
        name = self._beginning.name
        in_hand = InHand(runner=name, slice=0, filebase=held[0], seconds=0.0)
        hang = worker.hang(in_hand)
        return Stack(waits_for=hang.waits_for, where=hang.where, stack=hang.stack)

    def step(self, *, filebase: str | None) -> StepReport:
        """Process one file."""
        return self._made.step(filebase)

    def one_pass(self, *, retake: bool, periodic: bool) -> int:
        """Process every file once; return how many were taken."""
        return self._made.one_pass(retake=retake, periodic=periodic)

    def give_up(self, *, seconds: float) -> str | None:
        """Give the message in hand back; return which."""
        return self._made.give_up(seconds)

    @property
    def _made(self) -> Runner:
        assert self.runner is not None
        return self.runner


QUICK: Mapping[str, Callable[..., object]] = {
    act.__name__: act
    for act in (Charge.pause, Charge.resume, Charge.snooze, Charge.use, Charge.look,
                Charge.stack)
}  # fmt: skip
"""What is done at once, in the order in which it is asked."""
SLOW: Mapping[str, Callable[..., object]] = {
    act.__name__: act
    for act in (Charge.stop, Charge.step, Charge.one_pass, Charge.give_up)
}  # fmt: skip
"""What may wait for the runner, or for a class of a site's."""


def failed(error: BaseException) -> Failed:
    """Return what a runner failed of, for the master."""
    return Failed(
        kind=type(error).__name__ if isinstance(error, QToolError) else "",
        note=failure_note(error),
        traceback=traceback_text(error),
        is_final=not isinstance(error, Exception),
    )
