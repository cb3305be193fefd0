"""What is to be said about a queue, a slice or the spool, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether somebody has to come; the later, the sooner."""

    OK = "ok"
    NOTE = "note"
    """It should be known."""
    WARNING = "warning"
    """It should be put right."""
    CRITICAL = "critical"
    """Mail is stuck, or will be."""


class VerdictKind(StrEnum):
    """What is the matter, in a word or two; of one severity the gravest last."""

    HEALTHY = "healthy"
    """Empty, or it flows; or nothing is known that says otherwise."""
    WAITING = "waiting"
    """It waits as it should: for its time, for an idle machine, for a person."""
    DRAINING = "draining"
    """More leaves than comes."""
    PAUSED = "paused"
    FOREIGN = "foreign files"
    """Names that are no entry's."""
    STALE = "stale .bak"
    """In flight where nobody works."""
    FALLING_BEHIND = "falling behind"
    """More comes than leaves, and has for a while."""
    WAITS_LONG = "waits long"
    """The oldest has waited long, or is in flight for long, and whether anything moves
    is not known yet."""
    NO_RUNNER = "no runner"
    """Messages wait where nobody works."""
    STALLED = "stalled"
    """Somebody works there, messages wait, and none leaves."""
    FAILED = "failed"
    HUNG = "hung"
    UNREADABLE = "unreadable"
    SHUNTED = "shunted"
    """Messages were shunted lately."""
    NEARLY_FULL = "nearly full"
    """The spool's disk, or its inodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One thing that is to be said, with its evidence."""

    kind: VerdictKind
    severity: Severity = Severity.OK
    words: str
    """The verdict for people: ``stalled for 5m``."""
    evidence: str = ""
    """The facts behind it, in a line. May quote untrusted text."""
    since: float | None = None
    """Since when that is so, in epoch seconds, as far as it was watched; None when
    unknown."""
