"""Thresholds as monitoring plugins write them: ``depth=1000``, ``oldest=5m:1h``."""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.settings.ini import duration_seconds
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.control.models import QueueRow

COUNTS = ("depth", "flight", "foreign", "preserved")
TIMES = ("oldest", "p50", "p95")
_RANGE = re.compile(r"(@?)(?:([^:@]*):)?([^:@]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a figure of a queue may be."""

    name: str
    low: float
    high: float
    is_inside: bool = False
    """Whether it is a value between the two that is wrong, not one beyond."""

    def is_broken_by(self, value: float) -> bool:
        """Return whether a value is to be alarmed about."""
        return (self.low <= value <= self.high) is self.is_inside

    def __str__(self) -> str:
        """Return the range as plugins write it."""
        low = "" if self.low == 0 else "~:" if self.low < 0 else f"{self.low:g}:"
        high = "" if self.high == math.inf else f"{self.high:g}"
        if not high and not low:
            low = "0:"
        return f"{'@' if self.is_inside else ''}{low}{high}"


def limit(text: str) -> Limit:
    """Return a threshold; without a name a number is a depth, and a time an age.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    name, is_named, ends = text.rpartition("=")
    if not is_named:
        name = "depth" if re.fullmatch(r"[@~:0-9.]+", ends) else "oldest"
    match = _RANGE.fullmatch(ends)
    wrong = argparse.ArgumentTypeError(
        f"expected a threshold (depth=1000, oldest=15m, 10:), not {visible(text, 80)!r}"
        f"; there are {', '.join((*COUNTS, *TIMES))}"
    )
    if name not in (*COUNTS, *TIMES) or match is None or not ends.strip("@"):
        raise wrong
    inside, start, end = match.groups()
    value = _count if name in COUNTS else duration_seconds
    low = -math.inf if start == "~" else value(start) if start else 0.0
    high = value(end) if end else math.inf
    if low is None or high is None or low > high:
        raise wrong
    return Limit(name=name, low=low, high=high, is_inside=bool(inside))


def _count(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) else None


def figure(row: QueueRow, name: str, at: float) -> float | None:
    """Return a figure of a queue; None when it is unknown.

    Of what nothing waits for the time is 0; so is what is not due yet.
    """
    if row.depth is None:
        return None
    if name in COUNTS:
        found = {
            "depth": row.depth,
            "flight": row.in_flight,
            "foreign": row.foreign,
            "preserved": row.preserved,
        }[name]
        return None if found is None else float(found)
    when = {"oldest": row.oldest, "p50": row.when_p50, "p95": row.when_p95}[name]
    return 0 if when is None else max(0, round(at - when))
