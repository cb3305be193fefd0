"""Names of queues in blocks, which searches keep between their pages.

A page is a call of its own, and a queue of a million is not listed for each.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qtool.queues.first_page import rest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.queues.switchboard import Switchboard

_FIRST_BLOCK, _BLOCK = 1000, 200_000
# Names that are read at once: few for who looks at the oldest, some 30 MB for others.
_KEPT_BLOCKS = 2
_BLOCK_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Names of a queue that a search has still to go through."""

    queue: str
    after: str
    """It begins behind this filebase."""
    names: tuple[str, ...]
    total: int
    more: bool
    """Whether there are more names behind it."""
    ahead: tuple[str, ...]
    """All names that there are, in no order; empty where they have to be read."""
    read_at: float

    def is_fresh(self, now: float) -> bool:
        """Whether it may still be used."""
        return now - self.read_at <= _BLOCK_SECONDS

    def covers(self, after: str) -> bool:
        """Whether a page behind that filebase can be made of it."""
        if not self.names:
            return False
        end = _order(filebase_of(self.names[-1]))
        return _order(self.after) <= _order(after) < end

    def ends_at(self, after: str) -> bool:
        """Whether that filebase is its last."""
        return bool(self.names) and filebase_of(self.names[-1]) == after

    def place_behind(self, after: str) -> int:
        """Return where its names behind a filebase begin."""
        return bisect_right(self.names, _order(f"{after}/"), key=_order)


class Blocks:
    """The blocks that were read last, for any thread.

    Args:
        ticks: Seconds that never go back.
    """

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._lock = threading.Lock()
        self._blocks: list[Block] = []

    def block(
        self, queue: Switchboard, after: str, number: int, *, everything: bool
    ) -> Block:
        """Return names behind a filebase, from before or read now.

        Args:
            queue: Where they are.
            after: The filebase; the oldest come first where it is empty.
            number: How many the page has, at most.
            everything: Whether each of them will be on the page.
        """
        now = self._ticks()
        with self._lock:
            fresh = [each for each in self._blocks if each.is_fresh(now)]
            mine = [each for each in fresh if after and each.queue == queue.name]
            for block in mine:
                if block.covers(after):
                    return block
            # Who has come to the end of one needs it no more; two would be held else.
            done = next((each for each in mine if each.ends_at(after)), None)
            self._blocks = [each for each in fresh if each is not done]
        if done is not None and done.ahead:
            names = rest_of(done.ahead, after)
            block = replace(done, after=after, names=names, more=False, ahead=())
        else:
            block = self._read(queue, after, number, everything=everything)
        with self._lock:
            self._blocks = [block, *self._blocks[: _KEPT_BLOCKS - 1]]
        return block

    def _read(
        self, queue: Switchboard, after: str, number: int, *, everything: bool
    ) -> Block:
        read_at = self._ticks()
        if after:
            page = queue.page(after, _BLOCK)
        elif everything:
            page = queue.page(after, number)
        else:
            page = queue.first_page(max(_FIRST_BLOCK, number), _BLOCK)
        return Block(
            queue=queue.name,
            after=after,
            names=page.names,
            total=page.total,
            more=page.more,
            ahead=page.ahead,
            read_at=read_at,
        )


def filebase_of(name: str) -> str:
    """Return the name of an entry without its suffix."""
    return name.rpartition(".")[0]


def _order(name: str) -> tuple[int, str]:
    """Return what names are sorted by; an empty one comes first."""
    return name.find("."), name
