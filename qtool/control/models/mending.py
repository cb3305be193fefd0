"""What operators do to entries: previews, results, and acts on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtool.control.models.entries import Entry


NOT_TRIED = "not tried after: "
"""How the reason begins for entries that came after what has ended an act."""


NAME_ONE = "name one (--to QUEUE)"
"""How the reason ends for what goes where its operator says."""

FIRST = 25
"""How many entries of a preview are shown."""

NO_WAY = "nothing can be done to any of them"
"""What may refuse what is in a preview, whoever confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an act would do, and the token that has it done to exactly these."""

    verb: str
    queue: str
    to: str
    """Where they would go; empty where that differs or follows from the act."""
    count: int
    oldest: float | None
    """Time in the oldest name, in epoch seconds; None when there are none."""
    first: tuple[Entry, ...]
    """The oldest of them, 25 at most."""
    token: str
    """For ``confirm``: it stands for this list, once, for an hour. Empty where it
    cannot be confirmed."""
    warnings: tuple[str, ...] = ()
    """What should be known before, a line each."""
    refusal: str = ""
    """Why it cannot be confirmed, where there is a reason."""
    undoes: int = 0
    """Number of the act that would be taken back, whose record is the list; else 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An entry that an act did not change, and why."""

    filebase: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """What an act did, entry by entry."""

    verb: str
    queue: str
    to: str = ""
    number: int = 0
    """Number of the act, for ``undo``; 0 where nothing was done."""
    done: tuple[str, ...] = ()
    """Filebases of those it was done to, as they were before."""
    skipped: tuple[Missed, ...] = ()
    """Those that were not there any more, or in somebody's hand."""
    failed: tuple[Missed, ...] = ()
    """Those that are as they were because something is in the way.

    Where the reason says so, a disk that fails has left one in a hand.
    """
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act on record."""

    number: int
    verb: str
    queue: str
    to: str
    at: float
    """Epoch seconds."""
    who: str
    why: str
    count: int
    """Of how many entries."""
    done: int | None
    """To how many it was done; None where its end is not on record.

    Then it is under way, or was cut off.
    """
    undoes: int = 0
    """Number of the act that this one took back; 0 for none."""
    undone_by: int = 0
    """Number of the act that took this one back; 0 for none."""
    is_under_way: bool = False
    damage: str = ""
    """Why nothing but the number is known; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """How far an act over many entries is, or the preview of one."""

    id: int
    """For ``interrupt``."""
    verb: str
    queue: str
    to: str
    uid: int
    """The user who acts."""
    pid: int
    """The process that asked for it, where that is known; else 0."""
    since: float
    """Epoch seconds."""
    number: int = 0
    """Of the act; 0 while its entries are only looked at, and nothing was done."""
    done: int = 0
    """How many entries it has come to, or has looked at."""
    total: int = 0
    """Of how many; 0 where that is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trashed:
    """What one act put into the trash."""

    number: int
    """Of the act; ``trash:NUMBER`` is a place that can be listed."""
    verb: str
    queue: str
    at: float
    who: str
    count: int
    size: int
    """Bytes."""
    expires: float
    """When its time in the trash is over, in epoch seconds."""
