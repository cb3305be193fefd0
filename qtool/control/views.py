"""Slices for the eye: how a queue is cut into the cells of its row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qtool.queues.slices import Slice, equal


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The cells of one queue, in the order of the hash space."""

    parts: tuple[Slice, ...]
    """One range for each cell."""
    per_slice: int
    """Into how many cells each runner slice is cut."""

    def owner(self, cell: int) -> int:
        """Return the number of the runner slice that owns a cell."""
        return cell // self.per_slice


@cache
def view_of(runner_slices: int, view_slices: int) -> View:
    """Return the cells of a queue.

    A runner slice is a cell, or is cut into equal ones where the queue would have
    fewer than ``view_slices``: so no cell ever has two owners.

    Args:
        runner_slices: Into how many the runner divides the queue; 0 without one.
        view_slices: How many cells there are to be, at least.
    """
    slices = max(1, runner_slices)
    per_slice = -(-view_slices // slices) if slices < view_slices else 1
    return View(parts=equal(slices * per_slice), per_slice=per_slice)
