"""The verbs of operators' acts over a directory."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from qtool.errors import QueueError
from qtool.queues import changing, leftovers, rewriting, transferring
from qtool.queues.filebase import BEGUN_SUFFIXES, IN_HAND, WAITING
from qtool.queues.switchboard import Switchboard
from qtool.queues.transferring import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qtool.queues.entries import Entries
    from qtool.queues.index import Index


class SpoolMending(Switchboard):
    """Moves and changes entries of one directory."""

    _entries: Entries
    _index: Index
    _allowed: frozenset[str]

    def transfer(
        self,
        filebase: str,
        other: Switchboard,
        *,
        suffix: str = WAITING,
        new_suffix: str = WAITING,
        new_filebase: str | None = None,
        msgdata: Mapping[str, Any] | None = None,
        sync: bool = True,
    ) -> None:
        """Move an entry that waits or was set aside, never one in flight."""
        if not isinstance(other, SpoolMending):
            raise QueueError(f"{self.name} and {other.name} are of different kinds")
        if not {suffix, new_suffix} <= IN_HAND.keys():
            raise ValueError(f"no state to move between: {suffix}, {new_suffix}")
        old = Place(self._entries, filebase, suffix)
        new = Place(other._entries, new_filebase or filebase, new_suffix)
        change = None
        if msgdata is not None:
            change = self._with_msgdata(filebase, msgdata, suffix)
        transferring.transfer(old, new, change, sync=sync)

    def rewrite(self, filebase: str, msgdata: Mapping[str, Any]) -> None:
        """Give a waiting entry other metadata, unless a runner is faster."""
        change = self._with_msgdata(filebase, msgdata)
        rewriting.rewrite(self._entries, filebase, change)

    def _with_msgdata(
        self, name: str, msgdata: Mapping[str, Any], suffix: str = WAITING
    ) -> Callable[[bytes], bytes]:
        path = self._entries.path(name, suffix)
        return partial(
            changing.with_msgdata, msgdata=msgdata, path=path, allowed=self._allowed
        )

    def suffix_of(self, filebase: str) -> str:
        """Return in which state an entry is that nobody has in hand."""
        for suffix in IN_HAND:
            if os.path.lexists(self._entries.path(filebase, suffix)):
                return suffix
        raise self._entries.missing(filebase)

    def erase(self, filebase: str) -> None:
        """Remove an entry that waits or was set aside, for good."""
        path = self._entries.path(filebase, self.suffix_of(filebase))
        try:
            os.unlink(path)
        except FileNotFoundError:
            raise self._entries.missing(filebase) from None

    def sweep(self) -> None:
        """End what processes that died had begun with entries of the slice."""
        begun = self._index.names(self.slice, *BEGUN_SUFFIXES)
        leftovers.end(self._entries, begun, self.now(), own=self._entries.is_own)

    def sync(self) -> None:
        """Make what was finished or moved durable."""
        self._entries.sync()
