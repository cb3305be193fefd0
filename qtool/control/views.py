"""Slices for the eye: how a queue is cut into the cells of its row."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

from qtool.queues.slices import SPACE, Slice, weighted


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The cells of one queue, in the order of the hash space."""

    parts: tuple[Slice, ...]
    """One range for each cell."""
    owners: tuple[int, ...]
    """Number of the runner slice that owns each cell."""

    def owner(self, cell: int) -> int:
        """Return the number of the runner slice that owns a cell."""
        return self.owners[cell]


@lru_cache(maxsize=64)
def view_of(proportions: tuple[float, ...], view_slices: int) -> View:
    """Return the cells of a queue.

    A runner slice is a cell, or is cut into equal ones where it is wider than one
    of ``view_slices``: so no cell ever has two owners, and a slice with a greater
    weight looks as wide as it is.

    Args:
        proportions: The sizes of the runner's slices; none without a runner.
        view_slices: How many cells there are to be, at least.
    """
    ranges: list[tuple[int, int]] = []
    owners: list[int] = []
    for part in weighted(proportions or (1,)):
        size = part.upper - part.lower
        # Slices of one weight differ by a digest, and are to look alike.
        count = -(-view_slices * (size - 1) // SPACE)
        ends = [part.lower + size * number // count for number in range(count + 1)]
        ranges += itertools.pairwise(ends)
        owners += [part.number] * count
    parts = tuple(
        Slice(lower, upper, number, len(ranges))
        for number, (lower, upper) in enumerate(ranges)
    )
    return View(parts=parts, owners=tuple(owners))
