"""Entries that get other metadata on their way: many of them share a group commit."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from qtool.errors import QToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from qtool.control.acts.records import Moved
    from qtool.queues.changing import Msgdata
    from qtool.queues.mending import Prepared
    from qtool.queues.switchboard import Switchboard

TOGETHER = 64
"""How many entries have what they are to hold written before the first of them goes."""


class Groups:
    """Prepares the next moves of an act.

    Args:
        place: Returns a place by its name.
        msgdata: Returns what makes the metadata of an entry from then on, if anything.
    """

    def __init__(
        self,
        place: Callable[[str], Switchboard],
        msgdata: Callable[[Moved], Msgdata | None],
    ) -> None:
        self._place = place
        self._msgdata = msgdata
        self.prepared: dict[str, Prepared] = {}
        """What the source of a move has prepared, by its name."""

    def each(self, moves: Sequence[Moved]) -> Generator[Moved, None, None]:
        """Yield each move, once it is prepared; what cannot be tells why when it goes.

        Until this is closed, what was prepared and did not go is left over.
        """
        for start in range(0, len(moves), TOGETHER):
            group = moves[start : start + TOGETHER]
            with ExitStack() as stack:
                self.prepared = {}
                for source in dict.fromkeys(move.source for move in group):
                    with suppress(QToolError, OSError, ValueError):
                        self._prepare(source, group, stack)
                yield from group

    def _prepare(self, source: str, group: Sequence[Moved], stack: ExitStack) -> None:
        changes = [
            (move.filebase, move.suffix, msgdata)
            for move in group
            if move.source == source and not move.swapped
            if (msgdata := self._msgdata(move)) is not None
        ]
        if len(changes) > 1:  # one alone had better not wait for strangers' writes
            prepared = self._place(source).prepare(changes)
            stack.callback(prepared.close)
            self.prepared[source] = prepared
