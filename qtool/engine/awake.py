"""How long something takes by who watches it, and may be stopped himself meanwhile."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LATE_SECONDS = 1.0
"""Who looks so much later than he meant to was stopped, as by Ctrl-Z."""
_MOST_STOPS = 64


class Awake:
    """The time in which this process ran.

    Args:
        clock: Seconds that never go back, and go on while it is stopped.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._meant = clock()
        self._stops: deque[tuple[float, float]] = deque(maxlen=_MOST_STOPS)
        """From when until when it did not run."""

    def look(self) -> None:
        """Note that it runs."""
        now = self._clock()
        if now - self._meant > _LATE_SECONDS:
            self._stops.append((self._meant, now))
        self._meant = now

    def rest(self, seconds: float) -> None:
        """Note that it means to look again within so many seconds."""
        self._meant = self._clock() + seconds

    def seconds(self, since: float) -> float:
        """Return for how long it has run since then, as of the last look."""
        stopped = sum(max(0.0, to - max(at, since)) for at, to in self._stops)
        return self._clock() - since - stopped
