"""Turns at computing, among the runners of one process.

Several threads that parse at once are slower than one, and starve the thread that
answers the operator's keys. So the runners share a token around what computes;
nothing waits for the outside world while it holds it.

Who gets the token next is whoever has had least of it, in proportion to its
priority. A runner that had none for long gets no more for that: it starts level
with the others. So each gets its share while it wants it, and none starves.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Lock

WEIGHTS: Mapping[str, float] = {"high": 9.0, "normal": 3.0, "low": 1.0}
"""Shares of the token in proportion, where all want it all the time."""

AHEAD_SECONDS = 0.002
"""How much more than a waiting one a runner may have had, at normal priority, and
still go on: a change of threads after every message would cost a tenth of them."""


class Turn:
    """One runner's hold on the shared token; without a token every call is free.

    Args:
        priority: A key of ``WEIGHTS``.
    """

    __slots__ = ("_since", "had", "token", "weight")

    def __init__(self, priority: str = "normal") -> None:
        self.token: Token | None = None
        """What the runners share."""
        self.weight = WEIGHTS[priority] / WEIGHTS["normal"]
        self.had = 0.0
        """Seconds that it has had the token, divided by its weight."""
        self._since: float | None = None

    def take(self) -> None:
        """Wait for the token, unless it is held already."""
        if self.token is not None and self._since is None:
            self.token.acquire(self)
            self._since = self.token.clock()

    def give(self) -> None:
        """Let the next thread have the token, where it is held."""
        if self.token is not None and self._since is not None:
            seconds, self._since = self.token.clock() - self._since, None
            self.token.release(self, max(0.0, seconds))


class Shares:
    """Who may have the token: the rule alone, without threads and without a clock."""

    def __init__(self) -> None:
        self._level = 0.0
        """No one who waits has had less than this."""
        self._waiting: dict[Turn, None] = {}

    def may_go(self, turn: Turn) -> bool:
        """Return whether one that wants the token, which is free, may have it."""
        turn.had = max(turn.had, self._level)
        least = self.next()
        return least is None or turn.had <= least.had + AHEAD_SECONDS

    def wait(self, turn: Turn) -> None:
        """Note that one waits."""
        turn.had = max(turn.had, self._level)
        self._waiting[turn] = None

    def leave(self, turn: Turn) -> None:
        """Note that one waits no more: it has the token."""
        self._waiting.pop(turn, None)

    def next(self) -> Turn | None:
        """Return who has had least of those that wait, and waits longest."""
        return min(self._waiting, key=lambda turn: turn.had, default=None)

    def spend(self, turn: Turn, seconds: float) -> None:
        """Count what one has had."""
        # Nobody waits who had less than who got it, but for how far one may be ahead.
        self._level = max(self._level, turn.had - AHEAD_SECONDS)
        turn.had += seconds / turn.weight


class Token:
    """A lock whose holders take turns by their shares.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._shares = Shares()
        self._doors: dict[Turn, Lock] = {}
        self._busy = False
        self._lock = threading.Lock()

    def acquire(self, turn: Turn) -> None:
        """Wait until it is this one's turn."""
        door = threading.Lock()
        door.acquire()
        with self._lock:
            if not self._busy and self._shares.may_go(turn):
                self._busy = True
                return
            self._doors[turn] = door
            self._shares.wait(turn)
            if not self._busy:
                self._call_next()
        while True:
            door.acquire()
            with self._lock:
                if not self._busy:  # or else somebody was faster
                    self._busy = True
                    self._shares.leave(turn)
                    del self._doors[turn]
                    return

    def release(self, turn: Turn, seconds: float) -> None:
        """Let another have the token.

        Args:
            turn: Who has had it.
            seconds: For how long.
        """
        with self._lock:
            self._shares.spend(turn, seconds)
            self._busy = False
            self._call_next()

    def _call_next(self) -> None:
        """Open the door of whoever is next; it stays in line until it has come."""
        called = self._shares.next()
        if called is not None and self._doors[called].locked():
            self._doors[called].release()
