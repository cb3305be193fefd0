"""How fast a queue fills and empties, and how its depth went lately.

A rate is made of arrivals and departures that somebody counted, never of a
difference of depths: a queue through which a thousand messages a second go may
stand at the same depth all day. Where counts were lost the rate is unknown until
the gap has left the window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 30.0
"""What a rate is the mean of."""
SHORTEST_SECONDS = 1.0
"""Watched for less than this, a queue has no rate yet."""
TREND_STEP_SECONDS = 2.0
TREND_SAMPLES = 60
"""With the step: two minutes."""
_BIN_SECONDS = 0.5


@dataclass(slots=True)
class _Bin:
    start: float
    count: int = 0
    known: bool = True


class Counter:
    """Counts events, and tells how many a second there were.

    Args:
        now: When counting begins, on a clock that never goes back.
    """

    __slots__ = ("_began", "_bins")

    def __init__(self, now: float) -> None:
        self._began = now
        self._bins: deque[_Bin] = deque()

    def add(self, now: float, count: int, *, known: bool = True) -> None:
        """Add events; ``known`` is False where there may have been others."""
        if count == 0 and known:
            return
        if not self._bins or now - self._bins[-1].start >= _BIN_SECONDS:
            self._bins.append(_Bin(now))
        newest = self._bins[-1]
        newest.count += count
        newest.known = newest.known and known

    def rate(self, now: float) -> float | None:
        """Return events a second over the window; None when it is unknown."""
        while self._bins and now - self._bins[0].start > WINDOW_SECONDS:
            self._bins.popleft()
        watched = min(now - self._began, WINDOW_SECONDS)
        if watched < SHORTEST_SECONDS or not all(b.known for b in self._bins):
            return None
        return sum(b.count for b in self._bins) / watched


class Trend:
    """Depths at even distances in time."""

    __slots__ = ("_depths", "_next")

    def __init__(self, now: float) -> None:
        self._next = now
        self._depths: deque[int] = deque(maxlen=TREND_SAMPLES)

    def sample(self, now: float, depth: int) -> None:
        """Take a depth, if it is time for one; a gap repeats the one before it."""
        if now < self._next:
            return
        missed = int((now - self._next) / TREND_STEP_SECONDS)
        if self._depths:
            before = self._depths[-1]
            self._depths.extend([before] * min(missed, TREND_SAMPLES))
        self._depths.append(depth)
        self._next += (missed + 1) * TREND_STEP_SECONDS

    def depths(self) -> tuple[int, ...]:
        """Return the depths of the last two minutes, oldest first."""
        return tuple(self._depths)


class Meter:
    """Rates and trend of one queue.

    Args:
        now: When watching begins, on a clock that never goes back.
    """

    __slots__ = ("arrivals", "departures", "trend")

    def __init__(self, now: float) -> None:
        self.arrivals = Counter(now)
        self.departures = Counter(now)
        self.trend = Trend(now)
