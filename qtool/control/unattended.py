"""Messages that wait where no runner is at work: said of every row, never silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.models import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import Cell

_NOBODY = frozenset(
    {
        State.STOPPED,
        State.FAILED,
        State.IMPORT_ERROR,
        State.NO_CLASS,
        State.MAILMAN_STOPPED,
    }
)
"""Nobody takes what waits there; where there is no runner by nature, that is meant."""
_MOST_NAMED = 4


def unattended(cells: Sequence[Cell]) -> dict[int, int]:
    """Return how many messages wait in each runner slice that nobody works."""
    waiting: dict[int, int] = {}
    for cell in cells:
        if cell.depth and cell.state in _NOBODY:
            waiting[cell.owner] = waiting.get(cell.owner, 0) + cell.depth
    return waiting


def is_nobody_there(cells: Sequence[Cell]) -> bool:
    """Return whether nobody works any slice, with messages or without."""
    return all(cell.state in _NOBODY for cell in cells)


def unattended_line(cells: Sequence[Cell]) -> str:
    """Return in words what waits where nobody works; empty where there is nothing."""
    waiting = unattended(cells)
    if not waiting:
        return ""
    depth, count = sum(waiting.values()), 1 + max(cell.owner for cell in cells)
    line = f"{depth} message{' waits' if depth == 1 else 's wait'}"
    if not is_nobody_there(cells):
        line += f" in {_slices(list(waiting), count)}"
    return f"{line} and no runner is at work there"


def _slices(numbers: list[int], count: int) -> str:
    more = len(numbers) - _MOST_NAMED
    listed = ", ".join(f"{number}:{count}" for number in numbers[:_MOST_NAMED])
    return (
        f"slice{'s' if len(numbers) > 1 else ''} {listed}"
        f"{f' and {more} more' if more > 0 else ''}"
    )
