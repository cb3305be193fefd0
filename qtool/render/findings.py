"""What is wrong at a site, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.models import Severity
from qtool.control.models.mending import NOT_TRIED
from qtool.render.tables import wrapped
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qtool.control.models import Finding, Fixed
    from qtool.render import Span

STYLES = {
    Severity.OK: "muted",
    Severity.NOTE: "muted",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "error",
}
"""Styles of what is found, by how grave it is."""
_INDENT = 10
_NAMED, _MOST_MISSED = 3, 25
_LONGEST_LINE = 4000


def lines(
    found: Iterable[Finding], width: int | None, how: Callable[[Finding], str]
) -> Iterator[list[Span]]:
    """Yield what each finding is, what it means and what helps.

    Args:
        found: The findings.
        width: How wide lines are to be; None for as wide as they have to be.
        how: Returns what has a finding put right.
    """
    for each in found:
        where = f"{visible(each.queue, 60)}: " if each.queue else ""
        first, *more = _wrapped(where + each.words, width)
        head = f"{each.severity:<{_INDENT}}"
        yield [(STYLES[each.severity], head), ("", first)]
        told = [each.fix]
        if each.fixable:
            told = [f"{each.fix}: {how(each)}" if each.fix else how(each)]
        else:
            told += each.names[:_NAMED]
            if each.names and each.count > _NAMED:
                told.append(f"and {each.count - _NAMED:,} more")
        for text in more:
            yield [("", " " * _INDENT + text)]
        for text in filter(None, told):
            for line in _wrapped(text, width):
                yield [("muted", " " * _INDENT + line)]


def missed_lines(fixed: Fixed) -> Iterator[str]:
    """Yield what a fix left alone or failed at: some by name, of others how many."""
    tried = [line for line in fixed.skipped if NOT_TRIED not in line]
    for word, missed in (("left", tried), ("failed", fixed.failed)):
        for line in missed[:_MOST_MISSED]:
            yield f"{word}: {line}"
        if len(missed) > _MOST_MISSED:
            yield f"{word}: {len(missed) - _MOST_MISSED:,} more"
    if len(tried) < len(fixed.skipped):
        why = fixed.skipped[-1].rpartition(NOT_TRIED)[2]
        yield f"left: {len(fixed.skipped) - len(tried):,} {NOT_TRIED}{why}"


def _wrapped(text: str, width: int | None) -> list[str]:
    return wrapped(visible(text, _LONGEST_LINE), width, _INDENT)
