"""What filters ask: the shapes of an entry, of its name alone, and of their parts.

For type checkers: who evaluates a filter needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Test = Callable[[Any], bool]
"""Whether an entry is as one term wants it; of a ``Named`` or an ``Entry``."""


class Named(Protocol):
    """What the name of an entry tells, and the queue that it is in."""

    @property
    def filebase(self) -> str:
        """The name without its suffix."""

    @property
    def when(self) -> float:
        """The time in the name, in epoch seconds."""

    @property
    def due(self) -> bool:
        """Whether that is when it is due; else it is when it came."""

    @property
    def suffix(self) -> str:
        """The suffix, which tells its state."""

    @property
    def slice(self) -> int | None:
        """Number of the slice of its queue."""


class Entry(Named, Protocol):
    """What a filter may ask of an entry; None and empty for unknown and for none."""

    @property
    def size(self) -> int | None:
        """In bytes."""

    @property
    def list_id(self) -> str | None:
        """The mailing list that it is for."""

    @property
    def sender(self) -> str | None:
        """Who sent it."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """Whom it goes to."""

    @property
    def subject(self) -> str | None:
        """Its subject."""

    @property
    def message_id(self) -> str | None:
        """Its Message-ID."""

    @property
    def attempts(self) -> int | None:
        """How often it has been tried."""

    @property
    def why(self) -> str | None:
        """Why it was shunted or preserved."""

    @property
    def origin(self) -> str | None:
        """The queue that it was shunted from."""


class Part(Protocol):
    """A part of a filter: a term, or others in combination."""

    @property
    def from_names(self) -> bool:
        """Whether names alone answer it."""

    def matches(self, entry: Entry) -> bool:
        """Whether an entry is as the part wants it."""

    def foreseen(self, entry: Named) -> bool | None:
        """The same from the name alone; None where that does not tell."""
