"""When a runner is started again that failed, or that found its slice held by
somebody else; and the one place where that waits."""

from __future__ import annotations

import heapq
import math
import threading
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from qtool.engine.status import RunnerState
from qtool.errors import SliceClaimed

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_SECONDS = 1.0
"""The first wait; each further one is twice as long."""
LONGEST_SECONDS = 60.0
WELL_SECONDS = 60.0
"""Each time it runs well for so long, one doubling is taken back."""
WINDOW_SECONDS = 900.0
"""Restarts longer ago than this do not count any more."""

CLAIM_SECONDS = 1.0
"""How often it is looked whether a slice that somebody else holds is free."""

_MOST_DOUBLINGS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A restart that is to come."""

    due: float
    """When, by the master's clock."""
    number: int
    """Which it is within the window."""
    most: int

    def told(self, now: float) -> str:
        """Return it in words."""
        seconds = max(1, math.ceil(self.due - now))
        return f"restarts in {seconds} s ({self.number} of {self.most})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look whether who holds the slice has let it go, and a start then."""

    due: float
    """When, by the master's clock."""


class Backoff:
    """How long one runner slice waits before it is started again, and how often."""

    def __init__(self) -> None:
        self._granted: deque[float] = deque()
        self._doublings = 0

    @property
    def granted(self) -> int:
        """How many restarts there were within the window, as of the latest failure."""
        return len(self._granted)

    def next(self, now: float, well_seconds: float, most: int) -> Restart | None:
        """Return the next restart; None where there were enough of them.

        Args:
            now: When the runner failed.
            well_seconds: For how long it had run before.
            most: How many restarts there may be within the window.
        """
        while self._granted and now - self._granted[0] >= WINDOW_SECONDS:
            self._granted.popleft()
        if len(self._granted) >= most:
            return None
        self._doublings = max(0, self._doublings - int(well_seconds / WELL_SECONDS))
        seconds = min(FIRST_SECONDS * 2**self._doublings, LONGEST_SECONDS)
        self._doublings = min(self._doublings + 1, _MOST_DOUBLINGS)
        self._granted.append(now)
        return Restart(due=now + seconds, number=len(self._granted), most=most)

    def forget(self) -> None:
        """Begin anew: a person has started the runner."""
        self._granted.clear()
        self._doublings = 0


class Timer:
    """Has things done when their time has come.

    One thread waits for all of them, and there is none while nothing is to come.
    Each is done in a thread of its own: what takes long holds up nobody else.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.closed = False
        """Nothing that was to come will come any more."""
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._waiting = False
        self._changed = threading.Condition()

    def at(self, due: float, act: Callable[[], None]) -> Callable[[], None]:
        """Have ``act`` done once; return how to prevent it while it has not begun."""
        with self._changed:
            if self.closed:
                return lambda: None
            number = next(self._numbers)
            heapq.heappush(self._coming, (due, number, act))
            if self._waiting:
                self._changed.notify_all()
            else:
                self._waiting = True
                threading.Thread(
                    target=self._wait, name="qtool-timer", daemon=True
                ).start()
        return lambda: self._cancel(number)

    def look(self) -> None:
        """Look at the clock again, which may have jumped."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Have nothing done any more."""
        with self._changed:
            self.closed = True
            self._coming.clear()
            self._changed.notify_all()

    def _cancel(self, number: int) -> None:
        with self._changed:
            self._coming = [each for each in self._coming if each[1] != number]
            heapq.heapify(self._coming)
            self._changed.notify_all()

    def _wait(self) -> None:
        with self._changed:
            while self._coming:
                seconds = self._coming[0][0] - self.clock()
                if seconds > 0:
                    self._changed.wait(seconds)
                    continue
                _, _, act = heapq.heappop(self._coming)
                threading.Thread(target=act, name="qtool-timed", daemon=True).start()
            self._waiting = False


class Restarts:
    """The restarts of one runner slice, whatever they wait for.

    Args:
        timer: Waits for them.
        begin: Starts the runner; called in a thread of its own.
    """

    def __init__(self, timer: Timer, begin: Callable[[], None]) -> None:
        self.pending: Restart | Look | None = None
        """What is to come."""
        self.cause: BaseException | None = None
        """What the runner failed of, the latest time, or was refused for."""
        self._timer = timer
        self._begin = begin
        self._backoff = Backoff()
        self._cancel: Callable[[], None] = lambda: None

    @property
    def is_over(self) -> bool:
        """Whether the master has been closed, and starts nothing any more."""
        return self._timer.closed

    @property
    def waits(self) -> bool:
        """Whether it is started once nobody else holds the slice."""
        return isinstance(self.pending, Look)

    @property
    def state(self) -> RunnerState:
        """That of a runner which waits for what is to come."""
        return RunnerState.CLAIMED if self.waits else RunnerState.RESTARTING

    def told(self, state: RunnerState, note: str) -> str:
        """Return the note to a state, with what is to come or has been tried."""
        pending, tried = self.pending, self._backoff.granted
        if state is RunnerState.CLAIMED and self.waits:
            return f"waits: {note}"
        if state is RunnerState.RESTARTING and isinstance(pending, Restart):
            return f"{note}; {pending.told(self._timer.clock())}"
        if state is RunnerState.FAILED and tried:
            return f"{note} (restarted {tried}x in {WINDOW_SECONDS / 60:.0f} minutes)"
        return note

    def after(self, error: BaseException, began: float, most: int) -> bool:
        """Plan the next restart; return whether there is one.

        Who holds the slice may do so for as long as he likes.

        Args:
            error: What the runner failed of, or was refused for.
            began: When it was started.
            most: How many restarts there may be within the window.
        """
        if self._timer.closed:
            return False
        now = self._timer.clock()
        self.cause = error
        if isinstance(error, SliceClaimed):
            self.pending = Look(due=now + CLAIM_SECONDS)
        else:
            self.pending = self._backoff.next(now, now - began, most)
        return self.wait()

    def wait(self) -> bool:
        """Have what is pending done when it is due; return whether there is any.

        One whose time is past is done at once.
        """
        if self.pending is None:
            return False
        self._cancel()
        self._cancel = self._timer.at(self.pending.due, self._begin)
        return True

    def cancel(self) -> bool:
        """Plan none any more; return whether one was to come."""
        pending, self.pending = self.pending, None
        self._cancel()
        return pending is not None

    def forget(self) -> None:
        """Begin anew: a person has started the runner."""
        self.cancel()
        self._backoff.forget()
