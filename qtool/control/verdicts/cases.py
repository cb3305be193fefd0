"""What a verdict is made from, and how one is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.control.models import Severity, Verdict, VerdictKind

if TYPE_CHECKING:
    from qtool.control.models import QueueRow
    from qtool.control.verdicts.drained import Drained
    from qtool.control.verdicts.progress import Part
    from qtool.engine.mailman_processes import MailmanProcess
    from qtool.queues.signs import Signs

_SEVERITIES = tuple(Severity)
_KINDS = tuple(VerdictKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a verdict is made from."""

    row: QueueRow
    """All of it but the verdicts."""
    parts: tuple[Part, ...]
    """One for each runner slice; none where the queue was not read, or is none."""
    at: float
    """Epoch seconds."""
    watched_seconds: float = 0.0
    """For how long events were counted."""
    arrived_lately: int | None = None
    """How many messages came in the last five minutes; None when unknown."""
    paused_since: float | None = None
    """When the first pause on record began, in epoch seconds; None without one."""
    signs: Signs | None = None
    """What one look tells; None where the queue was watched."""
    process: MailmanProcess | None = None
    """That of Mailman's own runner, where it has one slice; None if unknown."""
    drained: Drained | None = None
    """How ``run --once`` has drained the queue; None where it has not."""


def rank(verdict: Verdict) -> tuple[int, int]:
    """Return what sorts verdicts, the gravest last."""
    return _SEVERITIES.index(verdict.severity), _KINDS.index(verdict.kind)


def waits(words: str, evidence: str) -> Verdict:
    """Return that something waits as it should."""
    return Verdict(kind=VerdictKind.WAITING, words=words, evidence=evidence)


def warning(kind: VerdictKind, words: str, evidence: str) -> Verdict:
    """Return a verdict that somebody should look at."""
    return _sick(Severity.WARNING, kind, words, evidence)


def critical(kind: VerdictKind, words: str, evidence: str) -> Verdict:
    """Return a verdict that somebody has to come for."""
    return _sick(Severity.CRITICAL, kind, words, evidence)


def _sick(severity: Severity, kind: VerdictKind, words: str, evidence: str) -> Verdict:
    return Verdict(kind=kind, severity=severity, words=words, evidence=evidence)
