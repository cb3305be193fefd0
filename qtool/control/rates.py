"""How fast a queue fills and empties, and how its depth went lately.

A rate is made of arrivals and departures that somebody counted, never of a
difference of depths: a queue through which a thousand messages a second go may
stand at the same depth all day. Where counts were lost the rate is unknown until
the gap has left the window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from operator import itemgetter

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

    __slots__ = ("_began", "_bins", "_count", "_lost")

    def __init__(self, now: float) -> None:
        self._began = now
        self._count = self._lost = 0
        self._bins: list[tuple[float, int, int]] = []
        """When each begins; with how many events and gaps there were before it."""

    def add(self, now: float, count: int, *, known: bool = True) -> None:
        """Add events; ``known`` is False where there may have been others."""
        if count == 0 and known:
            return
        if not self._bins or now - self._bins[-1][0] >= _BIN_SECONDS:
            if len(self._bins) > _MOST_BINS:  # the former half is past every window
                self._bins = self._bins[_MOST_BINS // 2 :]  # another may be reading
            self._bins.append((now, self._count, self._lost))
        self._count += count
        self._lost += not known

    def watched(self, now: float) -> float:
        """Return for how many seconds events have been counted."""
        return now - self._began

    def counted(self, now: float, window: float = WINDOW_SECONDS) -> int | None:
        """Return the events in the last ``window`` seconds; None when unknown."""
        bins = self._bins
        first = bisect_left(bins, now - window, key=itemgetter(0))
        if first == len(bins):
            return 0
        _, before, lost = bins[first]
        return None if self._lost > lost else self._count - before

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

    __slots__ = ("_depth", "arrivals", "departures", "growth", "trend")

    def __init__(self, now: float) -> None:
        self.arrivals = Counter(now)
        self.departures = Counter(now)
        self.growth = Counter(now)
        """By how much the depth has risen: arrivals where nobody takes any."""
        self._depth: int | None = None
        self.trend = Trend(now)

    def begin_again(self, now: float) -> None:
        """Forget what was counted: nobody did for a while."""
        self.arrivals, self.departures = Counter(now), Counter(now)
        self.growth, self._depth = Counter(now), None

    def sample(self, now: float, depth: int) -> None:
        """Take a depth."""
        before, self._depth = self._depth, depth
        self.growth.add(now, 0 if before is None else max(0, depth - before))
        self.trend.sample(now, depth)

    def arrived_lately(self, now: float) -> int | None:
        """Return how many came in the last five minutes; None when unknown.

        Of a queue that nobody empties the depth tells it where nobody has counted,
        as of one whose folder the first message has made.
        """
        counted = self.arrivals.counted(now, LONG_SECONDS)
        return counted or self.growth.counted(now, LONG_SECONDS) or counted
