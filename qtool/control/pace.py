"""How often something may be done that costs time: at once, but not all the time."""

from __future__ import annotations


class Pace:
    """Allows a share of the time, and more in a burst.

    Args:
        share: Of all the time, how much may be spent.
        burst: Seconds that may be spent at once after a rest.
    """

    __slots__ = ("_burst", "_left", "_share", "_spent_at", "allowed_at")

    def __init__(self, share: float, burst: float) -> None:
        self.allowed_at = float("-inf")
        """When it may be done next."""
        self._share = share
        self._burst = burst
        self._left = burst
        self._spent_at = 0.0

    def spend(self, now: float, seconds: float) -> None:
        """Count what was spent until ``now``, on a clock that never goes back."""
        saved = (now - self._spent_at) * self._share
        self._left = min(self._burst, self._left + saved) - seconds
        self._spent_at = now
        self.allowed_at = now - min(0.0, self._left) / self._share
