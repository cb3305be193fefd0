"""What is wrong at a site, what helps, and what of qtool's is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtool.control.models.verdicts import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, in one queue or at the whole site."""

    kind: str
    """A word for it, the same in every version: what ``fix`` is asked for."""
    severity: Severity
    queue: str
    """Where; empty for the site."""
    count: int
    """Of how many files, or whatever it is about."""
    names: tuple[str, ...]
    """The first of them, 10 at most, safe to be shown."""
    words: str
    """What it is, and what it means."""
    fix: str
    """What helps; empty where nothing need be done."""
    fixable: bool = False
    """Whether ``fix`` does that here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What reading some entries of a queue showed."""

    findings: tuple[Finding, ...]
    """About the entries that were read this time."""
    read: int
    total: int
    """Entries of the queue, whatever their state."""
    after: str
    """Where the next call goes on."""
    complete: bool
    """Whether the queue is read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixPreview:
    """What a fix would do, and the token that has it done to exactly these."""

    kind: str
    queue: str
    words: str
    """What would be done."""
    count: int
    oldest: float | None
    """Time in the oldest name, in epoch seconds; None where names have none."""
    first: tuple[str, ...]
    """What it would be done to, the first 25."""
    token: str
    """For ``fix``: it stands for this list, once, for an hour."""
    refusal: str = ""
    """Why it cannot be confirmed, where there is a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What a fix did."""

    kind: str
    queue: str
    done: tuple[str, ...]
    skipped: tuple[str, ...]
    """Those that were another way by then, with the reason."""
    failed: tuple[str, ...]
    """Those that are as they were because something is in the way, with the reason."""
