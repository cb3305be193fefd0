"""Slices of the hash space: integers only, half-open, each digest owned once."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from qtool.queues.filebase import DIGEST_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SPACE = 1 << 160
"""Number of digests there are: SHA-1 has 160 bits."""

_BELOW_PREFIX = 152
"""Bits of a digest after its first two hex digits."""

_BEYOND = "g"
"""Sorts after every hex digit: the upper bound of the last slice, as text."""


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """One part of the hash space: digests from ``lower`` up to, not with, ``upper``."""

    lower: int
    upper: int
    number: int
    """Counts from 0 within ``count`` slices."""
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper <= SPACE:
            raise ValueError("a slice needs 0 <= lower < upper <= 2**160")
        if not 0 <= self.number < self.count:
            raise ValueError(f"no slice {self.number}:{self.count}")

    def __contains__(self, digest: str) -> bool:
        return self.lower <= int(digest, 16) < self.upper

    def __str__(self) -> str:
        return f"slice {self.number}:{self.count}"

    @property
    def is_whole(self) -> bool:
        """Whether the slice is the whole space."""
        return self.lower == 0 and self.upper == SPACE

    @property
    def bounds(self) -> tuple[str, str]:
        """Both ends as text to compare digests with: first <= digest < second."""
        return bound_text(self.lower), bound_text(self.upper)


def bound_text(bound: int) -> str:
    """Return a boundary as text that compares with digests as the number does."""
    return _BEYOND if bound >= SPACE else f"{bound:0{DIGEST_LENGTH}x}"


def whole() -> Slice:
    """Return the one slice that owns every digest."""
    return Slice(0, SPACE, 0, 1)


def equal(count: int) -> tuple[Slice, ...]:
    """Return the space in ``count`` slices that differ by one digest at most.

    Raises:
        ValueError: ``count`` is not positive.
    """
    return weighted([1] * count)


def weighted(weights: Iterable[float]) -> tuple[Slice, ...]:
    """Return slices whose sizes are in proportion to ``weights``.

    Raises:
        ValueError: There is no weight, one is not positive and finite, or one is
            so small beside the others that its slice would be empty.
    """
    parts = _as_integers(list(weights))
    total = sum(parts)
    slices = []
    seen = lower = 0
    for number, part in enumerate(parts):
        seen += part
        upper = SPACE * seen // total
        if upper == lower:
            raise ValueError(f"slice {number} would be empty")
        slices.append(Slice(lower, upper, number, len(parts)))
        lower = upper
    return tuple(slices)


def chosen(
    part: int | Slice | None, count: int, weights: Sequence[float] | None = None
) -> Slice:
    """Return the slice that the arguments of a switchboard mean.

    Raises:
        ValueError: They mean none.
    """
    if isinstance(part, Slice):
        return part
    slices = weighted(weights) if weights else equal(count)
    if count not in (1, len(slices)):
        raise ValueError(f"{len(slices)} weights for {count} slices")
    if part is None and len(slices) == 1:
        return slices[0]
    if part is None or not 0 <= part < len(slices):
        raise ValueError(f"no slice {part} of {len(slices)}")
    return slices[part]


def _as_integers(weights: list[float]) -> list[int]:
    """Return whole numbers in exactly the same proportion."""
    if not weights:
        raise ValueError("at least one slice is needed")
    if not all(math.isfinite(weight) and weight > 0 for weight in weights):
        raise ValueError(f"weights must be positive numbers, not {weights}")
    ratios = [weight.as_integer_ratio() for weight in weights]
    denominator = math.lcm(*(below for _, below in ratios))
    return [above * denominator // below for above, below in ratios]


class Spread:
    """The space cut at the ends of some slices, to find a digest's place as text.

    The parts are numbered from 0 in the order of their digests; each lies within
    one of the 256 prefixes of two hex digits, most fill it.
    """

    def __init__(self, slices: Iterable[Slice]) -> None:
        bounds = {prefix << _BELOW_PREFIX for prefix in range(256)}
        for part in slices:
            bounds |= {part.lower, part.upper}
        self._starts = sorted(map(bound_text, bounds - {SPACE}))
        self._by_prefix: dict[str, int | None] = {}
        for number, start in enumerate(self._starts):
            prefix = start[:2]
            self._by_prefix[prefix] = None if prefix in self._by_prefix else number

    def __len__(self) -> int:
        return len(self._starts)

    def parts_of(self, part: Slice) -> range:
        """Return the numbers of the parts that make up one of the slices."""
        lower, upper = part.bounds
        return range(bisect_left(self._starts, lower), bisect_left(self._starts, upper))

    def part_of(self, digest: str) -> int:
        """Return the number of the part that holds a digest."""
        return bisect_right(self._starts, digest) - 1

    def by_prefix(self) -> Mapping[str, int | None]:
        """Return the part that is a whole prefix; None for a prefix that is cut."""
        return self._by_prefix


@lru_cache(maxsize=64)
def spread_of(slices: tuple[Slice, ...]) -> Spread:
    """Return the space cut at the ends of these slices.

    It is kept: cutting takes longer than counting a short queue, and all queues
    that are divided alike are cut alike, whenever they are looked at.
    """
    return Spread(slices)
