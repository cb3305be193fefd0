"""Paragraphs on a screen that may be too low for all of their lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.commands.tables import cut_line
from qtool.control.models import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.render import Span

_GRAVEST_FIRST = tuple(reversed(Severity))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of one text; those after the first go on with it."""

    lines: list[list[Span]]
    below: Severity | None = None
    """How grave is what it says of the row above it; None: it is none of those."""


def fitted(
    paragraphs: Sequence[Paragraph], columns: int, rows: int
) -> list[list[Span]]:
    """Return what of them a screen has room for; the last line says what is left out.

    What stands by itself comes before what is said of it, the beginnings come before
    their ends, and what is graver before the rest. What does not end has a sign.
    """
    ranked = [
        (_rank(each, number), each, number)
        for each in paragraphs
        for number in range(len(each.lines))
    ]
    room = len(ranked) if len(ranked) <= rows else rows - 1
    first = sorted(range(len(ranked)), key=lambda place: ranked[place][0])[:room]
    lines = []
    for place in sorted(first):
        _, each, number = ranked[place]
        line, goes_on = each.lines[number], number + 1 < len(each.lines)
        if goes_on and place + 1 not in first:
            line = [*line, *_stripped(each.lines[number + 1])]
        lines.append(cut_line(line, columns))
    if room < len(ranked):
        more = len(ranked) - room
        line = [("muted", f"and {more} more line{'' if more == 1 else 's'}")]
        lines.append(cut_line(line, columns))
    return lines


def _stripped(line: list[Span]) -> list[Span]:
    """Return a line that goes on from the one before, not in one of its own."""
    (style, text), *rest = line
    return [(style, f" {text.lstrip()}"), *rest]


def _rank(paragraph: Paragraph, number: int) -> tuple[int, int]:
    """Return a key by which lines come first that are to be seen first."""
    kind = 2 if number else int(paragraph.below is not None)
    gravest = paragraph.below or Severity.CRITICAL
    return kind, _GRAVEST_FIRST.index(gravest) if kind else 0
