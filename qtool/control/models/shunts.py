"""Why messages were put aside, one by one and by what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureSource(StrEnum):
    """Where the reason is from."""

    MSGDATA = "msgdata"
    """The message carries it."""
    LOG = "log"
    """Mailman's log has it, under the name of the entry."""
    PRESERVED = "preserved"
    """It was kept beside the queues."""
    NOT_FOUND = "not found"
    """Nothing tells it; the note says where it was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why one message was put aside. All of it untrusted."""

    queue: str
    filebase: str
    when: float
    """When it was put aside, in epoch seconds, as far as is told."""
    source: FailureSource
    exception: str = ""
    """The exception's class; empty where none was raised, or none is known."""
    message: str = ""
    """What it said, in a line; or the reason, where no exception was raised."""
    frame: str = ""
    """Where it was raised: ``file:line function``."""
    own_frame: str = ""
    """The innermost frame in the site's own code; empty where none can be told."""
    traceback: str = ""
    """The whole text; of a long one the end."""
    runner: str = ""
    """Who put it aside; empty where that is not told."""
    origin: str = ""
    """The queue it came from; empty where nothing names one that is configured."""
    list_id: str = ""
    note: str = ""
    """Which log says so, or where it was looked for, and what is odd about it."""

    @property
    def why(self) -> str:
        """The reason in a line: ``Class: text``."""
        return ": ".join(part for part in (self.exception, self.message) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Messages that were put aside for the same: exception, place, origin and list."""

    exception: str
    frame: str
    origin: str
    list_id: str
    count: int
    oldest: float
    """When the first of them was put aside, in epoch seconds."""
    newest: float
    example: str
    """The reason of the newest, in a line."""
    source: FailureSource
    filebases: tuple[str, ...]
    """The entries, oldest first; the first thousand of them where they are more."""
    where: str = ""
    """A filter that selects exactly these entries; empty where none can say that."""
