"""The switchboard: what every store of queued messages offers, and its values.

The verbs and their meaning are GNU Mailman's (``enqueue``, ``dequeue``,
``finish``, ``files``, ``get_files``, ``recover_backup_files``); the others are
what an operator's console needs besides, those of acts in ``mending``. The engine and
everything above it knows this interface and no directory, suffix or path.
"""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_right
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtool.queues.filebase import when_of
from qtool.queues.mending import Mending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from email.message import Message
    from pathlib import Path

    from qtool.qfile import QFile
    from qtool.queues.claims import Claim, Holder
    from qtool.queues.paging import NamePage
    from qtool.queues.signs import Signs
    from qtool.queues.slices import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScan:
    """What the names in one slice say."""

    depth: int
    """Messages that wait (``.pck``)."""
    in_flight: int
    """Messages that a runner has taken and not finished (``.bak``)."""
    oldest: float | None
    """Time in the oldest waiting name, in epoch seconds; None when nothing waits."""
    oldest_taken: float | None = None
    """Time in the oldest name in flight; None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueScan:
    """What the names in one queue say; nothing was opened for it."""

    slices: tuple[SliceScan, ...]
    """One for each slice that was asked for, in their order."""
    preserved: int
    """Entries set aside (``.psv``); only ``bad`` has any."""
    foreign: int
    """Names that are no entry's, temporary files not counted."""
    when_p50: float | None = None
    """Time in the name that half of what waits is older than, in epoch seconds; of
    many names a sample tells. None when nothing waits."""
    when_p95: float | None = None
    """The same of the oldest twentieth."""

    @property
    def depth(self) -> int:
        """Messages that wait, in all slices."""
        return sum(part.depth for part in self.slices)

    @property
    def in_flight(self) -> int:
        """Messages that are taken and not finished, in all slices."""
        return sum(part.in_flight for part in self.slices)

    @property
    def oldest(self) -> float | None:
        """Time in the oldest waiting name, in epoch seconds."""
        return min(
            (p.oldest for p in self.slices if p.oldest is not None), default=None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Something changed in a queue: a reason to look, never the news itself."""

    arrived: int
    """Names that became ``.pck`` since the last hint, as far as was seen."""
    departed: int
    """``.bak`` that were removed since the last hint, as far as was seen."""
    counted: bool
    """False where events were lost or the queue is polled: counts are unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """One entry that was put into a queue."""

    queue: str
    filebase: str


class Switchboard(Mending):
    """One queue, or one slice of it."""

    name: str
    """Name of the queue."""
    queue_directory: Path
    """Where the entries are."""
    slice: Slice
    """The part of the hash space that ``files`` and recovery are limited to."""
    now: Callable[[], float]
    """Gives the time by this queue's clock, in epoch seconds."""
    honours_due: bool = False
    """Whether an entry whose time lies ahead waits for it."""
    keeps_slice: bool = False
    """Whether what is put in here lands in ``slice``, and not anywhere."""

    # --- Mailman's verbs

    @abstractmethod
    def enqueue(
        self, msg: Message, metadata: Mapping[str, Any] | None = None, **kws: Any
    ) -> str:
        """Put a message into the queue and return its filebase.

        All keywords are metadata and win over ``metadata``. When this returns,
        the message survives a loss of power.
        """

    @abstractmethod
    def enqueue_many(
        self, messages: Iterable[tuple[Message, Mapping[str, Any]]]
    ) -> list[str]:
        """Put several messages into the queue with one group commit."""

    @abstractmethod
    def dequeue(self, filebase: str) -> tuple[Message, dict[str, Any]]:
        """Take an entry: from now on it is in flight, until ``finish``.

        Raises:
            NoSuchEntry: Somebody else has taken it.
            QFileError: The entry cannot be read; it is in flight all the same.
        """

    @abstractmethod
    def finish(
        self,
        filebase: str,
        preserve: bool = False,
        *,
        reason: str = "",
        sync: bool = True,
    ) -> None:
        """End the flight of an entry: remove it, or preserve it in ``bad``.

        Args:
            filebase: The entry.
            preserve: Keep it in ``bad`` for a person to look at.
            reason: Why it was preserved, kept beside the queues.
            sync: Have it durable in ``bad`` at once; else ``sync`` of both does it.
        """

    @property
    @abstractmethod
    def files(self) -> list[str]:
        """Filebases of the waiting entries of the slice, oldest first."""

    @abstractmethod
    def get_files(self, extension: str = ".pck") -> list[str]:
        """Return filebases of the slice with that extension, oldest first."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return every entry of the slice with its suffix, oldest first."""

    @abstractmethod
    def page(self, after: str, count: int, beginning: str = "") -> NamePage:
        """Return the ``count`` oldest entries of the slice behind a filebase."""

    @abstractmethod
    def first_page(self, count: int, most: int) -> NamePage:
        """Return the oldest entries of all slices, ``count`` at most.

        All other names come with them, ``ahead``, where they are ``most`` or fewer.
        """

    @abstractmethod
    def recover_backup_files(self) -> None:
        """Put entries in flight back into the queue; the third time into ``bad``.

        Raises:
            SliceClaimed: A runner holds this slice, or a part of it.
        """

    # --- Ours

    def oldest(self, count: int) -> list[str]:
        """Return at most ``count`` filebases of the waiting entries, oldest first.

        A pass asks for so many at a time; a store of millions can hold less then.
        """
        return self.files[:count]

    def ready(self, count: int) -> list[str]:
        """Return those among ``oldest`` whose time has come: they may be taken now."""
        found = self.oldest(count)
        if not self.honours_due:
            return found
        return found[: bisect_right(found, self.now(), key=when_of)]

    def due_in(self) -> float | None:
        """Return in how many seconds the next entry may be taken.

        None where nothing waits for its time, 0 where one may be taken now.
        """
        first = self.oldest(1) if self.honours_due else []
        return max(0.0, when_of(first[0]) - self.now()) if first else None

    @abstractmethod
    def for_slice(self, part: Slice) -> Switchboard:
        """Return the same queue limited to ``part``; they share one scan."""

    @abstractmethod
    def peek(self, filebase: str) -> QFile:
        """Return what an entry holds without taking it, in whatever state it is."""

    @abstractmethod
    def release(self, filebase: str) -> None:
        """Give an entry in flight back, as if it had not been taken."""

    @abstractmethod
    def scan(self, slices: Sequence[Slice]) -> QueueScan:
        """Count what waits and what is in flight, from the names alone."""

    def signs(self) -> Signs | None:
        """Return what one look tells of whether it moves; None where that is nothing.

        Raises:
            OSError: It cannot be read.
        """
        return None

    @abstractmethod
    def watch(
        self, callback: Callable[[Hint], None], *, urgent: bool = False
    ) -> Callable[[], None]:
        """Call ``callback`` from another thread on changes; return how to stop it.

        The first hint comes at once, those after it are put together.

        Args:
            callback: Must return at once.
            urgent: Hint at arrivals within milliseconds of each other, too.
        """

    @abstractmethod
    def claim(self, what: str) -> Claim:
        """Claim the slice for this process.

        Raises:
            SliceClaimed: Somebody holds it, or a part of it.
            ClaimsUnsupported: The file system has no such locks.
        """

    @abstractmethod
    def holder(self) -> Holder | None:
        """Return who holds the slice, or a part of it; None when nobody does."""

    @abstractmethod
    def preserved_because(self, filebase: str) -> str:
        """Return why an entry was preserved in ``bad``; empty when unknown."""


_record: ContextVar[list[Enqueued] | None] = ContextVar("enqueued", default=None)


@contextmanager
def recorded_enqueues() -> Iterator[list[Enqueued]]:
    """Collect what this thread puts into any queue, for a step's report."""
    enqueued: list[Enqueued] = []
    token = _record.set(enqueued)
    try:
        yield enqueued
    finally:
        _record.reset(token)


def record_enqueued(queue: str, filebase: str) -> None:
    """Note an enqueue for whoever records in this thread; stores call this."""
    enqueued = _record.get()
    if enqueued is not None:
        enqueued.append(Enqueued(queue=queue, filebase=filebase))
