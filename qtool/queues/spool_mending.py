"""The verbs of operators' acts over a directory."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from qtool.errors import QueueError
from qtool.queues import (
    changing,
    durable,
    leftovers,
    originals,
    rewriting,
    transferring,
)
from qtool.queues.filebase import BEGUN_SUFFIXES, IN_HAND, WAITING
from qtool.queues.switchboard import Switchboard
from qtool.queues.transferring import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from email.message import Message

    from qtool.qfile import QFile
    from qtool.queues.changing import Msgdata
    from qtool.queues.entries import Entries
    from qtool.queues.index import Index
    from qtool.queues.mending import Prepared
    from qtool.queues.rewriting import Change


class SpoolMending(Switchboard):
    """Moves and changes entries of one directory."""

    _entries: Entries
    _index: Index
    _allowed: frozenset[str]
    _text_form: bool
    _group_commit: bool

    def transfer(
        self,
        filebase: str,
        other: Switchboard,
        *,
        suffix: str = WAITING,
        new_suffix: str = WAITING,
        new_filebase: str | None = None,
        msgdata: Msgdata | None = None,
        prepared: Prepared | None = None,
        sync: bool = True,
    ) -> None:
        """Move an entry that waits or was set aside, never one in flight."""
        if suffix not in IN_HAND or new_suffix not in IN_HAND:
            raise ValueError(f"no state to move between: {suffix}, {new_suffix}")
        old = Place(self._entries, filebase, suffix)
        new = Place(self._entries_of(other), new_filebase or filebase, new_suffix)
        change = None
        if msgdata is not None:
            change = self._changing(filebase, suffix, msgdata)
        group = prepared if isinstance(prepared, rewriting.Group) else None
        transferring.transfer(old, new, change, sync=sync, group=group)

    def prepare(self, changes: Iterable[tuple[str, str, Msgdata]]) -> Prepared:
        """Write what several entries are to hold, with one group commit."""
        group = rewriting.Group(self._entries)
        if self._group_commit and durable.can_sync_file_system():
            group.write(
                (name, suffix, self._changing(name, suffix, msgdata))
                for name, suffix, msgdata in changes
            )
        return group

    def keep(self, filebase: str, other: Switchboard) -> None:
        """Give a waiting entry a second name in ``other``; it stays where it is."""
        kept = Place(self._entries_of(other), filebase, WAITING)
        originals.keep(Place(self._entries, filebase, WAITING), kept)

    def swap(
        self,
        filebase: str,
        other: Switchboard,
        *,
        was: QFile | None = None,
        sync: bool = True,
    ) -> None:
        """Let the waiting entries of that name have each other's file."""
        check = None
        if was is not None:
            path = f"{self._entries.directory}/{filebase}{WAITING}"
            check = partial(
                changing.check_same, was=was, path=path, allowed=self._allowed
            )
        there = self._entries_of(other)
        originals.swap(self._entries, filebase, there, check, sync=sync)

    def rewrite(
        self,
        filebase: str,
        msgdata: Mapping[str, Any],
        *,
        message: Message | bytes | None = None,
        was: QFile | None = None,
        sync: bool = True,
    ) -> None:
        """Give a waiting entry other metadata, unless a runner is faster."""
        change = self._changing(filebase, WAITING, msgdata, message, was)
        rewriting.rewrite(self._entries, filebase, change, sync=sync)

    def _entries_of(self, other: Switchboard) -> Entries:
        if not isinstance(other, SpoolMending):
            raise QueueError(f"{self.name} and {other.name} are of different kinds")
        return other._entries

    def _changing(
        self,
        filebase: str,
        suffix: str,
        msgdata: Msgdata,
        message: Message | bytes | None = None,
        was: QFile | None = None,
    ) -> Change:
        """Return what gives an entry these metadata, and this message."""
        return partial(
            changing.changed,
            path=f"{self._entries.directory}/{filebase}{suffix}",
            msgdata=msgdata,
            message=message,
            was=was,
            text_form=self._text_form,
            allowed=self._allowed,
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
