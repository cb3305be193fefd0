"""What other threads ask of a runner, and where the runner's thread waits.

A runner looks here between two messages and nowhere else. So whatever is asked
(stop, pause, a step) takes effect after the message in hand, and at once while
the runner snoozes or is paused.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from qtool.engine.pulse import Pulse
from qtool.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Request:
    """One act that is to be done in the runner's thread."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.answer: Future[Any] = Future()
        self._act = act

    def perform(self) -> None:
        """Do it; who asked gets its result or its error."""
        try:
            result = self._act()
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            self.refuse(error)
        except BaseException as error:
            self.refuse(error)
            raise
        else:
            with suppress(InvalidStateError):
                self.answer.set_result(result)

    def refuse(self, error: BaseException) -> None:
        """Answer with an error, where there is no answer yet."""
        with suppress(InvalidStateError):
            self.answer.set_exception(error)


def _nobody() -> None:
    """Stand in for a listener."""


class Gate:
    """Stop, pause, wake and requests, for one runner.

    Args:
        pulse: Rests while the runner's thread waits here.
    """

    def __init__(self, pulse: Pulse | None = None) -> None:
        self.attention = False
        """Something is asked; the loop reads this after each message, unlocked."""
        self.stopping = False
        self.pausing = False
        self.waiting = False
        """The runner's thread stands here, paused."""
        self.on_change: Callable[[], None] = _nobody
        """Called after every change of these, from whatever thread made it."""
        self.is_open = False
        """The runner is at work, and does what is requested."""
        self._pulse = pulse or Pulse(time.monotonic)
        self._woken = False
        self._is_past = False
        """Stop and pause were asked of a run that has ended."""
        self._requests: deque[Request] = deque()
        self._last: Request | None = None
        """The request that is being done, or was the last."""
        self._condition = threading.Condition()

    # --- For any thread

    def stop(self) -> None:
        """Ask the runner to stop after the message in hand."""
        self._ask(stopping=True)

    def pause(self) -> None:
        """Ask the runner to pause after the message in hand."""
        self._ask(pausing=True)

    def resume(self) -> None:
        """Let a paused runner go on."""
        self._ask(pausing=False)

    def wake(self) -> None:
        """End a snooze, the present one or the next."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def request(self, act: Callable[[], T], *, pause: bool = False) -> Future[T]:
        """Have ``act`` done in the runner's thread, after the message in hand.

        Args:
            act: What to do; its result or error is the future's.
            pause: Whether the runner is paused from then on.

        Raises:
            RunnerError: The runner has stopped.
        """
        request = Request(act)
        with self._condition:
            if not self.is_open:
                raise RunnerError("The runner has stopped.")
            self._requests.append(request)
            self.attention = True
            self.pausing = self.pausing or pause
            self._condition.notify_all()
        self.on_change()
        return request.answer

    def abandon(self) -> None:
        """Stop, and let nobody wait for what the runner may never finish."""
        self.stop()
        with self._condition:
            last = self._last
        if last is not None:
            last.refuse(RunnerError("The runner was given up."))

    # --- For the runner's thread

    def open(self) -> None:
        """Accept requests from now on."""
        with self._condition:
            self._forget_past()
            self.is_open = True
        self.on_change()

    def next_request(self) -> Request | None:
        """Return what is to be done now; wait for it while paused.

        None means: go on, or stop where ``stopping`` says so.
        """
        while True:
            with self._condition:
                if self.stopping or not (self._requests or self.pausing):
                    self.attention = self.stopping
                    request = None
                    break
                if self._requests:
                    request = self._last = self._requests.popleft()
                    self.attention = bool(self._requests) or self.pausing
                    break
                if self.waiting:
                    with self._pulse.resting():
                        self._condition.wait()
                    continue
            self._set_waiting(waiting=True)
        self._set_waiting(waiting=False)
        return request

    def snooze(self, seconds: float | None) -> None:
        """Wait for a wake-up, for something asked, or for ``seconds`` to pass."""
        with self._condition, self._pulse.resting():
            self._condition.wait_for(
                lambda: self._woken or self.attention, timeout=seconds
            )
            self._woken = False

    def close(self) -> None:
        """Do no more of what was asked; who still waits for an answer is told so."""
        with self._condition:
            self.is_open = self.attention = self.waiting = False
            unanswered, self._requests = self._requests, deque()
            self._is_past = True  # it shows until the runner has ended
        for request in unanswered:
            request.refuse(RunnerError("The runner has stopped."))
        self.on_change()

    def _ask(
        self, *, stopping: bool | None = None, pausing: bool | None = None
    ) -> None:
        with self._condition:
            self._forget_past()
            if stopping is not None:
                self.stopping = stopping
            if pausing is not None:
                self.pausing = pausing
            self.attention = True
            self._condition.notify_all()
        self.on_change()

    def _forget_past(self) -> None:
        if self._is_past:
            self._is_past = self.stopping = self.pausing = False

    def _set_waiting(self, *, waiting: bool) -> None:
        if self.waiting != waiting:
            self.waiting = waiting
            self.on_change()
