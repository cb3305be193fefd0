"""What operators did, as lines and as rows of tables."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.control.models.mending import NOT_TRIED
from qtool.render.tables import Column
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.models import Act, ActionResult, Preview, Trashed, UnderWay
    from qtool.render.tables import Cell

_DONE_WORDS = {
    "hold": "held",
    "release": "released",
    "move": "moved",
    "requeue": "requeued",
    "discard": "discarded",
    "unshunt": "unshunted",
    "restore": "restored",
    "edit": "edited",
    "empty": "removed for good",
    "undo": "put back",
}
_FIX = "fix "
"""So begins what a fix of the doctor is called, which is no act with a number."""
_DAY_SECONDS = 86400
_BAR_WIDTH = 30
_MOST_MISSED = 25
"""So many entries are named that an act left alone; of others it is said how many."""

ACT_COLUMNS = (
    Column("ACT", right=True),
    Column("WHEN"),
    Column("WHO"),
    Column("WHAT"),
    Column("ENTRIES", right=True),
    Column("STATE"),
    Column("WHY"),
)
TRASH_COLUMNS = (
    Column("ACT", right=True),
    Column("WHEN"),
    Column("WHO"),
    Column("WHAT"),
    Column("ENTRIES", right=True),
    Column("BYTES", right=True),
    Column("KEPT"),
)


def result_line(result: ActionResult, back: str, *, names_one: bool = False) -> str:
    """Return what an act did in a line.

    Args:
        result: Of the act.
        back: How it is undone, with ``{}`` for the act's number.
        names_one: Whether a single entry is named, whole.
    """
    verb = _DONE_WORDS.get(result.verb, result.verb)
    what = f"{len(result.done):,}"
    if names_one and len(result.done) == 1:
        what = visible(result.done[0], 80)
    line = f"{verb} {what} of {visible(result.queue, 80)}"
    if result.to:
        line += f" to {visible(result.to, 80)}"
    if result.number:
        line += f": act {result.number}"
    if result.number and result.verb not in ("undo", "empty"):
        line += f" ({back.format(result.number)})"
    return line


def missed_lines(result: ActionResult) -> Iterator[str]:
    """Yield what an act did not change, and why, an entry a line. Untrusted.

    Where there are many, the first are named. Those that were not tried follow each
    other, and the first is named.
    """
    for how, missed in (("left", result.skipped), ("failed", result.failed)):
        tried = [each for each in missed if not each.reason.startswith(NOT_TRIED)]
        for each in tried[:_MOST_MISSED]:
            yield f"{how}: {each.filebase}: {each.reason}"
        more = len(tried) - _MOST_MISSED
        if more > 0:
            yield f"{how}: {more:,} more"
        others = [each for each in missed if each.reason.startswith(NOT_TRIED)]
        if others:
            first = others[0]
            words = f"{len(others):,} {first.reason}"
            yield f"{how}: {words}; the first is {first.filebase}"


def warning_lines(preview: Preview) -> Iterator[str]:
    """Yield what stands in the way of an act, of very much the first. Untrusted."""
    yield from preview.warnings[:_MOST_MISSED]
    more = len(preview.warnings) - _MOST_MISSED
    if more > 0:
        yield f"and {more:,} more such reasons"


def under_way_line(seen: UnderWay) -> str:
    """Return how far an act is, in a line that fits any terminal."""
    what, line = visible(seen.verb, 20), f"{seen.done:,}"
    if not seen.total and not seen.done:
        return f"{what}..."
    if seen.total:
        part = min(seen.done / seen.total, 1.0)
        length = round(part * _BAR_WIDTH)
        bar = "#" * length + "-" * (_BAR_WIDTH - length)
        line = f"[{bar}] {line} of {seen.total:,} ({part:.0%})"
    is_done = seen.number or seen.verb.startswith(_FIX)
    return f"{what} {line}" if is_done else f"{what}: looked at {line}"


def act_row(act: Act) -> Sequence[Cell]:
    """Return what stands in the columns for an act on record."""
    return (
        act.number,
        _when(act.at),
        act.who or None,
        _what(act),
        act.count,
        _state(act),
        act.why or None,
    )


def trash_row(heap: Trashed, now: float) -> Sequence[Cell]:
    """Return what stands in the columns for what an act put into the trash."""
    left = heap.expires - now
    return (
        heap.number,
        _when(heap.at),
        heap.who,
        f"{heap.verb} {heap.queue}",
        heap.count,
        f"{heap.size:,}",
        "past its time" if left < 0 else f"{left / _DAY_SECONDS:.0f} d more",
    )


def _when(at: float) -> str | None:
    if not at:
        return None
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _what(act: Act) -> str | None:
    if act.damage:
        return None
    if act.undoes:
        return f"undo {act.undoes}"
    return f"{act.verb} {act.queue}{f' to {act.to}' if act.to else ''}"


def _state(act: Act) -> str:
    if act.damage:
        return "damaged"
    if act.undone_by:
        return f"undone by {act.undone_by}"
    if act.done is None:
        return "under way" if act.is_under_way else "cut off"
    return "done" if act.done == act.count else f"{act.done} done"
