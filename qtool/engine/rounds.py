"""Rounds over queues until nothing is ready, or until no end is in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 10
"""How many rounds, and one more for each queue, may go by without fewer waiting."""


def until_quiescent(
    one_round: Callable[[], bool], waiting: Callable[[], int], queues: int
) -> str:
    """Do rounds until nothing is taken any more; return why it ended before.

    Args:
        one_round: Works all queues once; tells whether anything was taken.
        waiting: Counts what waits in them.
        queues: How many they are: in as many rounds a message has passed each.
    """
    fewest, fruitless = None, 0
    while one_round():
        count = waiting()
        if not count:
            break
        if fewest is None or count < fewest:
            fewest, fruitless = count, 0
        else:
            fruitless += 1
        if fruitless >= queues + _PATIENCE:
            return (
                f"no end is in sight: in {fruitless} rounds those that wait have"
                " not become fewer; do messages go round in a circle?"
            )
    return ""
