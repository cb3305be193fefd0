"""What moves in each runner slice of a queue, and since when nothing has.

A verdict about a slice needs more than one look: that messages wait is no news, and
that the same ones wait as a while ago is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qtool.control.models import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.standing import Standing
    from qtool.control.views import View
    from qtool.queues.switchboard import QueueScan, SliceScan

AT_WORK = frozenset({State.RUNNING, State.STOPPING, State.CLAIMED, State.MAILMAN})
"""Somebody takes what waits in the slice, as far as is known."""
NOBODY = frozenset(
    {
        State.STOPPED,
        State.FAILED,
        State.IMPORT_ERROR,
        State.NO_CLASS,
        State.NO_RUNNER,
        State.MAILMAN_STOPPED,
    }
)
"""Nobody can have a message in hand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One runner slice of a queue; all of it where there is no runner."""

    state: State
    paused: bool = False
    depth: int = 0
    in_flight: int = 0
    oldest: float | None = None
    """Time in the oldest waiting name, in epoch seconds."""
    oldest_taken: float | None = None
    """Time in the oldest name in flight."""
    still_seconds: float | None = None
    """For how long nothing has left though something waits and somebody works, as
    far as it was watched; None where it was not."""
    has_moved: bool = False
    """Whether anything was seen leaving since watching began."""
    held_seconds: float | None = None
    """For how long the same message has been the oldest in flight, while somebody, or
    nobody, is known to work there; None as above."""
    state_seconds: float | None = None
    """For how long it has been in this state; None as above."""


def parts_of(scan: QueueScan, view: View, standing: Standing) -> tuple[Part, ...]:
    """Return the runner slices of a queue as one reading tells them."""
    parts = []
    cells: list[list[SliceScan]] = [[] for _ in range(1 + max(view.owners))]
    for cell, owner in zip(scan.slices, view.owners, strict=True):
        cells[owner].append(cell)
    for number, own in enumerate(cells):
        is_known = number < len(standing.slices)
        state = standing.slices[number] if is_known else standing.state
        oldest = [c.oldest for c in own if c.oldest is not None]
        taken = [c.oldest_taken for c in own if c.oldest_taken is not None]
        parts.append(
            Part(
                state=state,
                paused=state is State.PAUSED or number in standing.paused_slices,
                depth=sum(cell.depth for cell in own),
                in_flight=sum(cell.in_flight for cell in own),
                oldest=min(oldest, default=None),
                oldest_taken=min(taken, default=None),
            )
        )
    return tuple(parts)


class Progress:
    """What was seen of the slices of one queue while somebody watched."""

    __slots__ = ("_slices",)

    def __init__(self) -> None:
        self._slices: list[_Seen] = []

    def see(self, parts: Sequence[Part], now: float) -> None:
        """Take a look; ``now`` is on a clock that never goes back."""
        if len(parts) != len(self._slices):  # it is divided otherwise
            self._slices = [_Seen(part, now) for part in parts]
        for seen, part in zip(self._slices, parts, strict=True):
            seen.see(part, now)

    def told(self, parts: Sequence[Part], now: float) -> tuple[Part, ...]:
        """Return the slices with what is known of the time before."""
        slices = self._slices  # another thread may be looking
        if len(parts) != len(slices):
            return tuple(parts)
        return tuple(
            replace(
                part,
                still_seconds=now - seen.still_since,
                has_moved=seen.has_moved,
                held_seconds=now - seen.held_since,
                state_seconds=now - seen.state_since,
            )
            for seen, part in zip(slices, parts, strict=True)
        )


class _Seen:
    __slots__ = ("_part", "has_moved", "held_since", "state_since", "still_since")

    def __init__(self, part: Part, now: float) -> None:
        self._part = part
        self.still_since = self.held_since = self.state_since = now
        self.has_moved = False

    def see(self, part: Part, now: float) -> None:
        before, self._part = self._part, part
        if _has_left(before, part):
            self.has_moved = True
            self.still_since = now
        if not part.depth or part.paused or part.state not in AT_WORK:
            self.still_since = now
        is_same = part.in_flight and part.oldest_taken == before.oldest_taken
        if not is_same or (part.state in NOBODY) != (before.state in NOBODY):
            self.held_since = now
        if part.state is not before.state:
            self.state_since = now


def _has_left(before: Part, after: Part) -> bool:
    """Return whether something has left meanwhile; what comes is older sometimes."""
    if after.depth < before.depth or after.in_flight < before.in_flight:
        return True
    if before.oldest is None:
        return False
    return after.oldest is None or after.oldest > before.oldest
