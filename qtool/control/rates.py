"""How fast a queue fills and empties, and how its depth went lately.

A rate is made of arrivals and departures that somebody counted, never of a
difference of depths: a queue through which a thousand messages a second go may
stand at the same depth all day. Where counts were lost the rate is unknown until
the gap has left the window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

SHORT_SECONDS, WINDOW_SECONDS, LONG_SECONDS = 5.0, 30.0, 300.0
"""What a rate is the mean of; the middle one where none is named."""
SHORTEST_SECONDS = 1.0
"""Watched for less than this, a queue has no rate yet."""
TREND_STEP_SECONDS = 2.0
TREND_SAMPLES = 60
"""With the step: two minutes."""
_BIN_SECONDS = 0.5
_MOST_BINS = 2 * int(LONG_SECONDS / _BIN_SECONDS)


class Counter:
    """Counts events, and tells how many a second there were.

    Args:
        now: When counting begins, on a clock that never goes back.
    """

    __slots__ = ("_before", "_began", "_count", "_lost", "_lost_before", "_starts")

    def __init__(self, now: float) -> None:
        self._began = now
        self._count = self._lost = 0
        self._starts: list[float] = []
        """When each bin begins; with how many events and gaps before it."""
        self._before: list[int] = []
        self._lost_before: list[int] = []

    def add(self, now: float, count: int, *, known: bool = True) -> None:
        """Add events; ``known`` is False where there may have been others."""
        if count == 0 and known:
            return
        if not self._starts or now - self._starts[-1] >= _BIN_SECONDS:
            self._starts.append(now)
            self._before.append(self._count)
            self._lost_before.append(self._lost)
            self._shorten()
        self._count += count
        self._lost += not known

    def _shorten(self) -> None:
        if len(self._starts) > _MOST_BINS:
            old = len(self._starts) // 2  # older than every window
            for each in (self._starts, self._before, self._lost_before):
                del each[:old]

    def watched(self, now: float) -> float:
        """Return for how many seconds events have been counted."""
        return now - self._began

    def counted(self, now: float, window: float = WINDOW_SECONDS) -> int | None:
        """Return the events in the last ``window`` seconds; None when unknown."""
        first = bisect_left(self._starts, now - window)
        if first == len(self._starts):
            return 0
        if self._lost > self._lost_before[first]:
            return None
        return self._count - self._before[first]

    def rate(self, now: float, window: float = WINDOW_SECONDS) -> float | None:
        """Return events a second over the window; None when it is unknown.

        Where counting began within the window it is the mean since then.
        """
        watched = min(self.watched(now), window)
        count = self.counted(now, window)
        if watched < SHORTEST_SECONDS or count is None:
            return None
        return count / watched


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

    def begin_again(self, now: float) -> None:
        """Forget what was counted: nobody did for a while."""
        self.arrivals, self.departures = Counter(now), Counter(now)
