"""What a daemon cannot know yet of queues that were told to be sick by the one before.

That nothing leaves takes a while to be seen: until then such a queue is neither well
again nor sick of something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.models import VerdictKind
from qtool.control.verdicts.cases import rank
from qtool.control.verdicts.verdicts import LONG_SECONDS, WATCHED_SECONDS, patience_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.control.models import Board, QueueRow, Verdict

_STARTING_SECONDS = 10.0
"""For so long runners begin, and queues are read for the first time."""
_SLACK_SECONDS = 5.0
_SEEN_LATE = frozenset(
    {
        VerdictKind.HEALTHY,
        VerdictKind.DRAINING,
        VerdictKind.FALLING_BEHIND,
        VerdictKind.WAITS_LONG,
    }
)
"""What may be said of a queue before more is known of it."""


class Afresh:
    """The queues that were told to be sick before, until something else is told.

    Args:
        told: Their verdicts, by queue.
        now: When watching begins, on a clock that never goes back.
    """

    def __init__(self, told: Mapping[str, Verdict], now: float) -> None:
        self._told = dict(told)
        self._began = now

    def is_told(self, queue: str) -> None:
        """Take note that something else was told of it."""
        self._told.pop(queue, None)

    def unsure(self, board: Board, now: float) -> set[str]:
        """Return the queues of which less is known than before."""
        seconds = now - self._began
        if seconds < _STARTING_SECONDS:
            return set(self._told)
        return {
            row.name
            for row in board.rows
            if row.name in self._told
            and row.verdict is not None
            and _is_unsure(row, row.verdict, self._told[row.name], seconds)
        }


def _is_unsure(row: QueueRow, now: Verdict, before: Verdict, seconds: float) -> bool:
    if now.kind is before.kind and rank(now) <= rank(before):
        return True  # milder, as it was before it was told
    if now.kind not in _SEEN_LATE or not (row.depth or row.in_flight):
        return row.has_queue and row.depth is None and now.kind in _SEEN_LATE
    if before.kind is VerdictKind.HUNG:  # is it at the same thing since it began?
        longest = max((each.seconds for each in row.running), default=0.0)
        return longest >= seconds - _STARTING_SECONDS
    if before.kind is VerdictKind.STALLED:
        return seconds < patience_of(row) + _SLACK_SECONDS
    if before.kind is VerdictKind.FALLING_BEHIND:
        return seconds < WATCHED_SECONDS + _SLACK_SECONDS
    is_in_flight = before.kind is VerdictKind.WAITS_LONG and not row.depth
    return is_in_flight and seconds < LONG_SECONDS + _SLACK_SECONDS
