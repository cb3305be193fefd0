"""What the operator asks for, done in threads of its own.

A runner that is stuck in ``_dispose`` may hold an act for minutes, so no act
runs on the event loop or in asyncio's small pool: each has its own daemon
thread, and its result comes back as a message.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, TypeVar

from qtool.control.models import State
from qtool.errors import QToolError
from qtool.tui.messages import ActDone
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import QueueRow, StepReport
    from qtool.tui.app import QToolApp

_log = logging.getLogger("qtool.console")
T = TypeVar("T")

_NOTICE_SECONDS = 0.6
"""After which a step that goes on says so."""

SNOOZES = (
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0,
    1800.0, 3600.0,
)  # fmt: skip
"""Sleep times, in seconds, that the shorter and longer keys go through."""


def in_thread(
    app: QToolApp,
    what: str,
    work: Callable[[], T],
    then: Callable[[T], object],
    instead: Callable[[str], object] | None = None,
) -> None:
    """Run ``work`` in a thread of its own, and ``then`` on the event loop.

    Args:
        app: Where the result goes.
        what: What the operator asked for, for the message if it fails.
        work: May block.
        then: Takes the result.
        instead: Takes the reason of a failure; the app complains of it without one.
    """
    complain = instead or app.complain

    def body() -> None:
        try:
            result = work()
        except (QToolError, OSError) as error:
            reason = visible(error)
            app.post_message(ActDone(lambda: complain(reason)))
        except Exception as error:  # noqa: BLE001 - the edge of the front end
            _log.error("%s failed: %s", what, type(error).__name__)
            reason = visible(f"{what} failed: {type(error).__name__}, see the log")
            app.post_message(ActDone(lambda: complain(reason)))
        else:
            app.post_message(ActDone(lambda: then(result)))

    threading.Thread(target=body, name=f"act {what}", daemon=True).start()


class Acts:
    """Every act of the screens and of the palette."""

    def __init__(self, app: QToolApp, control: Control) -> None:
        self._app = app
        self._control = control

    def _say(self, what: str, work: Callable[[], str]) -> None:
        in_thread(self._app, what, work, self._app.say)

    def _runner_of(self, row: QueueRow) -> str | None:
        if row.runner is None:
            self._app.complain(row.refusal or f"{visible(row.name)} has no runner.")
        return row.runner

    def start(self, row: QueueRow, owner: int | None = None) -> None:
        """Start the row's runner, or the one of its slices."""
        if (runner := self._runner_of(row)) is not None:
            self._say(f"start {runner}", lambda: self._control.start(runner, owner))

    def stop(self, row: QueueRow, owner: int | None = None) -> None:
        """Stop the row's runner after the message in hand."""
        if (runner := self._runner_of(row)) is not None:
            self._say(f"stop {runner}", lambda: self._control.stop(runner, owner))

    def toggle_pause(self, row: QueueRow, owner: int | None = None) -> None:
        """Pause the row's runner, or resume it if it is paused."""
        if (runner := self._runner_of(row)) is None:
            return
        states = [c.state for c in row.cells if owner is None or c.owner == owner]
        paused = State.PAUSED in states or (not states and row.state is State.PAUSED)
        if paused or row.paused:
            self._say(f"resume {runner}", lambda: self._control.resume(runner, owner))
        else:
            self._say(f"pause {runner}", lambda: self._control.pause(runner, owner))

    def start_all(self) -> None:
        """Start every runner that can be started."""
        self._say("start all", self._control.start_all)

    def snooze(self, row: QueueRow, seconds: float) -> None:
        """Set the sleep time of the row's runner."""
        if (runner := self._runner_of(row)) is not None:
            self._say(f"snooze {runner}", lambda: self._control.snooze(runner, seconds))

    def snooze_by(self, row: QueueRow, steps: int) -> None:
        """Make the sleep time shorter (-1) or longer (1)."""
        now = row.snooze_seconds
        if now is None or row.runner is None:
            self._runner_of(row)
            return
        if steps < 0:
            others = [seconds for seconds in reversed(SNOOZES) if seconds < now]
        else:
            others = [seconds for seconds in SNOOZES if seconds > now]
        self.snooze(row, others[0] if others else now)

    def step(
        self, row: QueueRow, filebase: str | None = None, owner: int | None = None
    ) -> None:
        """Step the row's runner through one file, after its question if it has one."""
        if (runner := self._runner_of(row)) is None:
            return

        def asked(question: str | None) -> None:
            if question is None:
                self._step(runner, filebase, owner)
            else:
                self._app.ask(
                    question, "Step", lambda: self._step(runner, filebase, owner)
                )

        in_thread(
            self._app,
            f"step {runner}",
            lambda: self._control.step_question(runner, filebase),
            asked,
        )

    def _step(self, runner: str, filebase: str | None, owner: int | None) -> None:
        done = threading.Event()
        touched = self._app.touched

        def work() -> StepReport:
            try:
                return self._control.step(runner, filebase, owner)
            finally:
                done.set()

        def notice() -> None:
            if not done.is_set():
                self._app.say(f"Stepping {visible(runner)} …")

        self._app.set_timer(_NOTICE_SECONDS, notice)
        in_thread(
            self._app,
            f"step {runner}",
            work,
            lambda report: self._app.show_report(report, touched),
        )
