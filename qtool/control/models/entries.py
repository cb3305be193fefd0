"""The entries of a queue, as a list shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
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
