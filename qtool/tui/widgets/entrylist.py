"""Entries of a queue as their names tell them."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from qtool import render
from qtool.tui.widgets.ink import right
from qtool.tui.widgets.listing import Listing
from qtool.tui.widgets.words import age_of
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.render import Span

STATES = {
    ".pck": ("muted", "waiting"),
    ".bak": ("accent", "in flight"),
    ".psv": ("warning", "preserved"),
    ".edit": ("accent", "editing"),
    ".psv-edit": ("accent", "editing"),
}
"""Ink and word of what a suffix tells."""
FOREIGN = ("warning", "foreign")


def filebase_of(name: str) -> str:
    """Return a name without the suffix that tells its state."""
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}" in STATES else name


def moment_of(name: str) -> float | None:
    """Return the time in a name, in epoch seconds; None where it has none."""
    try:
        when = float(name.partition("+")[0])
    except ValueError:
        return None
    return when if math.isfinite(when) else None


class EntryList(Listing):
    """Names of entries with their age, or when they are due, and state."""

    def __init__(self, *, honours_due: bool = False) -> None:
        super().__init__()
        self._at = time.time()
        self._honours_due = honours_due

    @staticmethod
    def order(name: str) -> tuple[int, str]:
        """Return a name's place: by its time, which has no leading zeros."""
        return name.find("."), name

    def show_ages(self, at: float) -> None:
        """Count ages from ``at``, in epoch seconds."""
        self._at = at
        self.refresh()

    def line(self, name: str) -> list[Span]:
        filebase, when = filebase_of(name), moment_of(name)
        ink, state = STATES.get(name[len(filebase) :], FOREIGN)
        if self._honours_due:
            age = right(render.due(None if when is None else self._at - when), 12)
        else:
            age = right(age_of(when, self._at), 6)
        return [
            ("", age),
            (ink, f"  {state:10}"),
            ("", visible(filebase)),
        ]
