"""What an injection and a drain return."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """Where an injected message went."""

    queue: str
    filebase: str
    path: str
    served: bool
    """Whether somebody runs that queue now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainedRunner:
    """What one runner did in a drain."""

    runner: str
    done: int
    kept: int
    shunted: int
    preserved: int
    left: int
    """Messages that still wait in what it drained."""
    next_due: float | None = None
    """When the first of those that wait for their time is due, in epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainReport:
    """What a drain did."""

    done: int
    kept: int
    shunted: int
    preserved: int
    left: int
    """Messages that still wait in what was drained."""
    runners: tuple[DrainedRunner, ...] = ()
    """What each runner did that was to have part in it."""
    note: str = ""
    """Why it ended although more was ready; empty when nothing was."""
    drained: tuple[str, ...] = ()
    """Runners whose whole queue was drained to the end."""
    failures: tuple[str, ...] = ()
    """Runners that could not run, and why."""
    others: tuple[str, ...] = ()
    """Slices that were left to those who work them, and who that is."""
    next_due: float | None = None
    """When the first of those that wait for their time is due, in epoch seconds."""
