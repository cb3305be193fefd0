"""The entries of a queue, as a list shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)  # no slots: lists make 100,000 in one go
class Entry:
    """One entry of a queue. What came from its message is untrusted, and bounded.

    None and empty mean unknown, or none.
    """

    queue: str
    filebase: str
    when: float
    """The time in the name, in epoch seconds."""
    suffix: str
    """``.pck`` waits, ``.bak`` is in flight, ``.psv`` was preserved; the others are in
    somebody's hand."""
    slice: int
    """Number of the slice of the queue's runner that it is in."""
    due: bool
    """Whether ``when`` is the time that it is due, and not that of its arrival."""
    size: int | None = None
    """Bytes on the disk."""
    list_id: str = ""
    sender: str = ""
    """Its From header, or who the metadata says it is from."""
    recipients: tuple[str, ...] = ()
    """The first of those that the metadata names."""
    recipient_count: int = 0
    """How many it names."""
    subject: str = ""
    message_id: str = ""
    attempts: int | None = None
    """How often it was put back after somebody died with it in hand."""
    why: str = ""
    """Why it was shunted or preserved, in a line."""
    origin: str = ""
    """The queue that it was shunted from."""
    error: str = ""
    """Why it cannot be read; nothing that the message says is known then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of a search."""

    entries: tuple[Entry, ...]
    """What was found, oldest first."""
    read: int
    """How many entries were gone through for this page."""
    total: int
    """How many entries the queue has."""
    after: str
    """The next page begins behind this filebase."""
    complete: bool
    """Whether there is nothing behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """One entry of a queue as its name tells it."""

    filebase: str
    when: float
    """Time in the name: when it was enqueued, or is due."""
    suffix: str
    """``.pck`` waits, ``.bak`` is in flight, ``.psv`` was preserved, ``.edit`` is being
    edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """What one entry holds. All of it untrusted."""

    queue: str
    filebase: str
    suffix: str
    path: str
    size: int
    """Bytes on disk."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    body_bytes: int = 0
    """Size of the whole body; ``body`` may be its beginning."""
    body_cut: bool = False
    msgdata: Mapping[str, Any] = field(default_factory=dict)
    form: str = ""
    """Who wrote it and how, in words: ``Mailman 3, text form``."""
    opaque: tuple[str, ...] = ()
    """Classes it names that qtool does not know; shown, never run."""
    error: str = ""
    """Why it cannot be shown; then only the name and the size are known."""
    reason: str = ""
    """Why it was preserved in ``bad``."""
    seen: str = ""
    """Stands for the file that is shown; ``edit`` refuses another one."""
    drops: tuple[str, ...] = ()
    """What its message loses when its headers are edited: the attributes that text has
    no place for."""
