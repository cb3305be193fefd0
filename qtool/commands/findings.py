"""Verdicts as lines, the same wherever a command prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.models import State, VerdictKind
from qtool.render.findings import STYLES
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.control.models import QueueRow, Site, Verdict
    from qtool.render import Span

_QUIET = frozenset({VerdictKind.HEALTHY, VerdictKind.WAITING})
_LONGEST = 1000


def findings(row: QueueRow) -> list[Verdict]:
    """Return what is to be said of a queue that is not as it should be, or paused."""
    return [each for each in row.verdicts if each.kind not in _QUIET]


def told(verdict: Verdict) -> str:
    """Return a verdict with its evidence in one line."""
    line = f"{verdict.words}: {verdict.evidence}" if verdict.evidence else verdict.words
    return visible(line, _LONGEST)


def lines_below(row: QueueRow) -> list[Span]:
    """Return what stands below a row: its verdicts, and what they leave out."""
    found = findings(row)
    lines = [(STYLES[each.severity], told(each)) for each in found]
    is_told = any(
        row.note in each.evidence or (each.evidence and each.evidence in row.note)
        for each in found
    )
    if row.note and not is_told and row.state is not State.MAILMAN:
        lines.append(("muted", visible(row.note)))  # Mailman's pid stands above
    if row.held:
        count = "1 is held" if row.held == 1 else f"{row.held} are held"
        lines.append(("muted", f"{count}: qtool ls held:{visible(row.name, 60)}"))
    return lines


def site_findings(site: Site) -> list[Span]:
    """Return what is to be said of the spool as a whole."""
    if site.verdict is None:
        return []
    return [(STYLES[site.verdict.severity], told(site.verdict))]
