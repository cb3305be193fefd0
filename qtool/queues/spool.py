"""The switchboard over a directory: a file per message, as GNU Mailman keeps them."""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qtool import qfile
from qtool.queues import filebase, reading, writing
from qtool.queues.aside import Aside
from qtool.queues.claims import Claims
from qtool.queues.due import with_due_time
from qtool.queues.entries import Entries
from qtool.queues.filebase import ENTRY_SUFFIXES, PRESERVED, TAKEN, WAITING
from qtool.queues.first_page import first_page
from qtool.queues.index import Index
from qtool.queues.paging import Paging, page_of
from qtool.queues.recovery import Recovery
from qtool.queues.signs import signs_of
from qtool.queues.slices import chosen
from qtool.queues.spool_mending import SpoolMending
from qtool.queues.state import STATE_FOLDER
from qtool.queues.switchboard import record_enqueued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from email.message import Message
    from typing import Self

    from qtool.qfile import QFile
    from qtool.queues.claims import Claim, Holder
    from qtool.queues.paging import NamePage
    from qtool.queues.signs import Signs
    from qtool.queues.slices import Slice
    from qtool.queues.switchboard import Hint, QueueScan
    from qtool.queues.watch import Watcher


class Spool(SpoolMending):
    """One queue in a directory, or one slice of it.

    Args:
        name: Name of the queue.
        queue_directory: Where the entries are.
        slice: Number of the slice, counted from 0, or the slice itself.
        numslices: Into how many slices the queue is divided.
        recover: Recover what a dead runner left in flight in this slice.
        weights: Sizes of the slices in proportion; equal without them.
        bad: The directory for preserved entries; ``bad`` beside the queue's.
        state_directory: Where claims and reasons are; ``.qtool`` beside the queue's.
        text_form: Write messages in the text form, as a queue of Mailman needs.
        allowed: Further classes that an entry may name, by full name.
        group_commit: Let ``enqueue_many`` and ``prepare`` wait for the file system as a
            whole.
        create: Whether an enqueue may make the directory.
        honours_due: An entry whose time lies ahead waits; ``deliver_after`` sets it.
        clock: Gives the time, in epoch seconds.
        watcher: Shared by all queues that are watched.
    """

    message_class: ClassVar[type[Message] | None] = None
    """Class in which messages are rebuilt; None is the standard library's."""

    def __init__(
        self,
        name: str,
        queue_directory: str | Path,
        slice: int | Slice | None = None,  # noqa: A002 - Mailman's name for it
        numslices: int = 1,
        recover: bool = False,
        *,
        weights: Sequence[float] | None = None,
        bad: str | Path | None = None,
        state_directory: str | Path | None = None,
        text_form: bool = False,
        allowed: frozenset[str] = frozenset(),
        group_commit: bool = True,
        create: bool = True,
        honours_due: bool = False,
        clock: Callable[[], float] = time.time,
        watcher: Watcher | None = None,
    ) -> None:
        self.name = name
        self.queue_directory = Path(queue_directory)
        self.slice = chosen(slice, numslices, weights)
        self._directory = str(self.queue_directory)
        state = str(state_directory or self.queue_directory.parent / STATE_FOLDER)
        self._aside = Aside(str(bad or self.queue_directory.parent / "bad"), state)
        self._claims = Claims(name, self._directory, state, clock)
        self._claim: Claim | None = None
        self._text_form, self._allowed = text_form, allowed
        self._group_commit = group_commit
        self._entries = Entries(name, self._directory, create=create)
        self.honours_due, self.now = honours_due, clock
        self._watcher = watcher
        self._index = Index(self._directory)
        if recover:
            self.recover_backup_files()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {self.slice}>"

    # --- Putting in

    def enqueue(
        self, msg: Message, metadata: Mapping[str, Any] | None = None, **kws: Any
    ) -> str:
        """Put a message into the queue and return its filebase.

        Raises:
            NoSuchQueue: The queue has no folder and none may be made.
            OSError: It could not be written durably.
        """
        name, content = self._encoded(msg, {**(metadata or {}), **kws})
        writing.put_one(self._entries, name, content)
        record_enqueued(self.name, name)
        return name

    def enqueue_many(
        self, messages: Iterable[tuple[Message, Mapping[str, Any]]]
    ) -> list[str]:
        """Put several messages into the queue with one group commit.

        Raises:
            NoSuchQueue: The queue has no folder and none may be made.
            OSError: Not all could be written durably: none is left but what somebody
                has taken already.
        """
        contents = dict(self._encoded(msg, dict(data)) for msg, data in messages)
        if contents:
            writing.put_many(self._entries, contents, group=self._group_commit)
        for name in contents:
            record_enqueued(self.name, name)
        return list(contents)

    def _encoded(self, msg: Message, msgdata: dict[str, Any]) -> tuple[str, bytes]:
        """Return a new filebase for a message, and what its file holds."""
        text_form = bool(msgdata.get("_plaintext")) or self._text_form
        when = self.now()
        if self.honours_due:
            when, msgdata = with_due_time(self.name, msgdata, when)
        content = qfile.encode(msg, msgdata, text_form=text_form, allowed=self._allowed)
        bounds = (self.slice.lower, self.slice.upper) if self.keeps_slice else None
        return filebase.make(when, content, bounds), content

    # --- Taking out

    def dequeue(self, filebase: str) -> tuple[Message, dict[str, Any]]:
        """Take an entry: from now on it is in flight, until ``finish``.

        Raises:
            NoSuchEntry: Somebody else has taken it.
            QFileError: The entry cannot be read; it is in flight all the same.
            OSError, MemoryError: Reading needs more than there is; the entry waits.
        """
        held = reading.take(self._entries, filebase, self.message_class, self._allowed)
        return held.message, held.msgdata

    def finish(
        self,
        filebase: str,
        preserve: bool = False,
        *,
        reason: str = "",
        sync: bool = True,
    ) -> None:
        """End the flight of an entry: remove it, or preserve it in ``bad``.

        Raises:
            NoSuchEntry: It is not in flight.
        """
        if not preserve:
            self._entries.remove(filebase)
            return
        try:
            taken = self._entries.path(filebase, TAKEN)
            self._aside.preserve(taken, filebase, reason, sync=sync)
        except FileNotFoundError:
            raise self._entries.missing(filebase) from None

    def release(self, filebase: str) -> None:
        """Give an entry in flight back, as if it had not been taken."""
        self._entries.release(filebase)

    # --- Looking

    @property
    def files(self) -> list[str]:
        """Filebases of the waiting entries of the slice, oldest first."""
        return self._index.filebases(self, WAITING)

    def get_files(self, extension: str = WAITING) -> list[str]:
        """Return filebases of the slice with that extension, oldest first."""
        return self._index.filebases(self, extension)

    def oldest(self, count: int) -> list[str]:
        """Return at most ``count`` filebases of the waiting entries, oldest first.

        Where more wait, the answer may be some seconds old: an entry of it may
        have been taken, and what came since is younger.
        """
        return self._index.filebases(self, WAITING, count)

    def names(self) -> list[str]:
        """Return every entry of the slice with its suffix, oldest first."""
        return self._index.names(self.slice, *ENTRY_SUFFIXES)

    def page(self, after: str, count: int, beginning: str = "") -> NamePage:
        """Return the ``count`` oldest entries of the slice behind a filebase."""
        paging = Paging(self.slice, after, count, beginning)
        return page_of(self._directory, paging)

    def first_page(self, count: int, most: int) -> NamePage:
        """Return the oldest entries of all slices, with all names that are there."""
        return first_page(self._directory, count, most)

    def scan(self, slices: Sequence[Slice]) -> QueueScan:
        """Count what waits and what is in flight, from the names alone."""
        return self._index.count(slices)

    def signs(self) -> Signs | None:
        """Return what the folder tells of whether the queue moves."""
        return signs_of(str(self.queue_directory))

    def peek(self, filebase: str) -> QFile:
        """Return what an entry holds without taking it, in whatever state it is.

        Raises:
            NoSuchEntry: It is not in this queue.
            QFileError: It cannot be shown.
        """
        return reading.look(self._entries, filebase, self._allowed)

    def for_slice(self, part: Slice) -> Self:
        """Return the same queue limited to ``part``; they share one scan."""
        sibling = copy.copy(self)
        sibling.slice = part
        sibling._claim = None
        self._index.add_sibling(sibling)
        return sibling

    def preserved_because(self, filebase: str) -> str:
        """Return why an entry was preserved in ``bad``; empty when unknown."""
        self._entries.path(filebase, PRESERVED)
        return self._aside.because(filebase)

    def watch(
        self, callback: Callable[[Hint], None], *, urgent: bool = False
    ) -> Callable[[], None]:
        """Call ``callback`` from another thread on changes; return how to stop it."""
        from qtool.queues.watch import Watcher  # costs 60 ms: only who watches pays

        watcher = self._watcher or Watcher()
        stop = watcher.watch(self.queue_directory, callback, urgent=urgent)
        return stop if self._watcher else watcher.close

    # --- Claiming

    def claim(self, what: str) -> Claim:
        """Claim the slice for this process."""
        self._claim = claim = self._claims.take(self.slice, what)
        return claim

    def holder(self) -> Holder | None:
        """Return who holds the slice, or a part of it; None when nobody does."""
        return self._claims.holder(self.slice)

    def recover_backup_files(self) -> None:
        """Put entries in flight back into the queue; the third time into ``bad``.

        Takes the claim for it, unless this switchboard holds it.

        Raises:
            SliceClaimed: A runner holds this slice, or a part of it.
        """
        if not os.path.isdir(self._directory):
            return
        if self._claim is not None and self._claim.is_held:
            self._recover()
        else:
            with self._claims.take(self.slice, "recovery"):
                self._recover()

    def _recover(self) -> None:
        recovery = Recovery(self._directory, self._aside, allowed=self._allowed)
        for name in self._index.names(self.slice, TAKEN):
            recovery.put_back(name.removesuffix(TAKEN))
        self.sweep()
        self.sync()
