"""What the board says in figures, glyphs and words, as spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from qtool import render
from qtool.control.models import ENGINE_GONE, RECONNECTING, State
from qtool.tui.widgets.ink import ending
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import Board, Cell, QueueRow, Site
    from qtool.tui.widgets.ink import Line, Span

_SHORT = {
    State.MAILMAN_STOPPED: "stopped",
    State.IMPORT_ERROR: "no import",
    State.UNREADABLE: "no access",
    State.RESTARTING: "restarts",
}
"""Words for states whose own are too long for the column; the detail line has those,
and the header says of Mailman what it does."""

_BARS = "▁▂▃▄▅▆▇"
_IDLE = {State.STOPPED, State.NO_CLASS, State.NO_RUNNER, State.MAILMAN_STOPPED}
_AGE_COLUMN, _DEPTH_COLUMN = 6, 5
_TREND_FLOOR = 8
"""A rise is drawn against at least this many messages, so that noise stays low; and
against half of what always waits, so that the height is the change that matters."""


def number(value: int | None) -> str:
    """Return a count, ``…`` when it is unknown."""
    return render.UNKNOWN if value is None else str(value)


def short_number(value: int, width: int) -> str:
    """Return ``value`` right-aligned in ``width`` cells; empty if it does not fit.

    A form that leaves a cell free goes before one that touches its neighbour. The
    whole figure stands in the detail line.
    """
    forms = [str(value)]
    forms += [
        f"{round(value / size)}{unit}"
        for unit, size in (("k", 1_000), ("M", 1_000_000))
        if value >= size
    ]
    for room in (width - 1, width):
        for form in forms:
            if len(form) <= room:
                return form.rjust(width)
    return ""


def age_of(when: float | None, at: float, *, honours_due: bool = False) -> str:
    """Return how long ago ``when`` was, fit for the board's column.

    Where entries wait for their time: ``in 5m`` when it lies ahead, else ``+5m``.
    """
    if when is None:
        return render.NONE
    if honours_due:
        text = render.due(at - when).removeprefix("due ").replace("overdue ", "+")
        text = text if len(text) <= _AGE_COLUMN else text.replace(" ", "")
        return text if len(text) <= _AGE_COLUMN else "later"
    text = render.age(at - when)
    if len(text) > _AGE_COLUMN:
        text = text.replace(" (clock?)", "?")
    if len(text) > _AGE_COLUMN:
        text = text.replace(" ", "")
    return text if len(text) <= _AGE_COLUMN else "ahead?"


def spark(trend: Sequence[int], width: int) -> str:
    """Return the trend as bars, newest at the right."""
    if not trend or width < 1:
        return " " * max(0, width)
    if len(trend) > width:
        step = len(trend) / width
        trend = [
            max(trend[int(at * step) : max(int(at * step) + 1, int((at + 1) * step))])
            for at in range(width)
        ]
    low, top = min(trend), max(trend)
    span = max(top - low, low // 2, _TREND_FLOOR)
    rise = len(_BARS) - 2
    bars = (_BARS[1 + round((d - low) / span * rise) if d else 0] for d in trend)
    return "".join(bars).rjust(width)


def is_startable(row: QueueRow) -> bool:
    """Whether the row asks for the start key: it waits, and it may be started."""
    return (
        row.state is State.STOPPED
        and bool(row.depth)
        and not row.refusal
        and row.runner is not None
    )


def state_spans(row: QueueRow) -> list[Span]:
    """Return glyph and word of the state, with the start key where it helps."""
    ink = render.state_style(row.state)
    word = _SHORT.get(row.state, render.state_word(row.state))
    spans = [(ink, f"{render.state_glyph(row.state)} {word}")]
    if is_startable(row):
        spans.append(("key", " s"))
    return spans


def rate_of(value: float | None, row: QueueRow) -> str:
    """Return a rate; none where there is no queue."""
    return render.rate(value) if row.has_queue else render.NONE


def depth_of(row: QueueRow) -> str:
    """Return the depth, fit for the board's column."""
    text = render.depth(row)
    if row.depth is None or len(text) <= _DEPTH_COLUMN:
        return text
    return f"{row.depth // 1_000}k" if row.depth < 10**6 else f"{row.depth / 1e6:.1f}M"


def is_empty(board: Board) -> bool:
    """Whether nothing waits, nothing is in flight and nothing runs."""
    return all(
        not (row.depth or row.in_flight or row.preserved) and row.state in _IDLE
        for row in board.rows
    )


def site_lines(site: Site, room: int) -> list[Line]:
    """Return the header: which spool, which configuration, what may be done.

    Args:
        site: The site.
        room: Cells that spool and configuration may take; to fit, each loses its
            beginning, for the end of a path tells more.
    """
    spool, source = visible(site.spool), visible(site.source)
    spool = ending(spool, max(room // 2, room - cell_len(source)))
    first: Line = [
        ("badge", " qtool "),
        ("title", f" {spool}"),
        ("muted", f"  {ending(source, room - cell_len(spool))}"),
    ]
    if not site.read_only:
        return [first]
    return [first, [("warning", f"read-only: {visible(site.read_only)}")]]


def watching_spans(site: Site) -> Line:
    """Return the right end of the header: Mailman, the daemon, how it is watched."""
    spans: Line = [("muted", f"{visible(site.mailman)}  ")] if site.mailman else []
    if site.attached:
        if site.attached in (RECONNECTING, ENGINE_GONE):
            return [*spans, ("warning", f"○ {site.attached}")]
        spans.append(("muted", f"{visible(site.attached)}  "))
    if site.watching.startswith("polling"):
        return [*spans, ("warning", f"○ {visible(site.watching)}")]
    return [*spans, ("muted", f"● {site.watching}" if site.watching else "○ starting")]


def _pairs(pairs: Sequence[tuple[str, str]]) -> Line:
    line: Line = []
    for label, value in pairs:
        line += [("muted", f"  {label} "), ("", value)]
    return line


def detail_lines(
    board: Board, row: QueueRow | None, at_slice: int | None
) -> list[Line]:
    """Return the selected row's full figures, and its evidence below."""
    if row is None:
        return [[], []]
    if at_slice is not None and at_slice < len(row.cells):
        figures = _slice_figures(board, row, at_slice)
    else:
        figures = _row_figures(board, row)
    return [[("accent", visible(row.name)), *figures], evidence(board, row, at_slice)]


def _row_figures(board: Board, row: QueueRow) -> Line:
    pairs = [
        ("depth", render.depth(row)),
        ("fly", number(row.in_flight) if row.has_queue else render.NONE),
        _oldest(board, row, row),
        ("in", rate_of(row.rate_in, row)),
        ("out", rate_of(row.rate_out, row)),
        (
            "snooze",
            render.duration(row.snooze_seconds)
            + (" (fixed)" if row.snooze_fixed else ""),
        ),
    ]
    if row.runner_slices > 1:
        pairs.append(("slices", str(row.runner_slices)))
    pairs += _costs(row)
    if row.preserved:
        pairs.append(("preserved", str(row.preserved)))
    if row.foreign:
        pairs.append(("foreign", str(row.foreign)))
    return _pairs(pairs)


def _costs(row: QueueRow) -> list[tuple[str, str]]:
    """Return what a runner costs, once that is a second of a processor."""
    seconds = sum(each.cpu_seconds for each in row.running)
    if seconds < 1:
        return []
    first = row.running[0]
    memory = first.memory_bytes
    return [
        ("cpu", render.duration(round(seconds))),
        ("memory", render.UNKNOWN if memory is None else render.size(memory)),
        ("pid", str(first.pid)),
    ]


def _oldest(board: Board, row: QueueRow, part: QueueRow | Cell) -> tuple[str, str]:
    value = render.oldest(part, board.at, honours_due=row.honours_due)
    return ("next" if row.honours_due else "oldest"), value


def _slice_figures(board: Board, row: QueueRow, at_slice: int) -> Line:
    cell: Cell = row.cells[at_slice]
    whose = f"slice {at_slice}:{len(row.cells)}"
    if row.runner_slices and row.runner_slices != len(row.cells):
        whose += f", runner slice {cell.owner}:{row.runner_slices}"
    line: Line = [("title", f"  {whose}")]
    line += _pairs(
        [
            ("depth", str(cell.depth)),
            ("fly", str(cell.in_flight)),
            _oldest(board, row, cell),
        ]
    )
    return line


def evidence(board: Board, row: QueueRow, at_slice: int | None) -> Line:
    """Return one line of why: the state, the keys that help, the note.

    The note comes last: it may be longer than the line.
    """
    state = row.state
    if at_slice is not None and at_slice < len(row.cells):
        state = row.cells[at_slice].state
    glyph = render.state_glyph(state)
    line: Line = [(render.state_style(state), f"{glyph} {render.state_word(state)}")]
    for key, what in _helping(board, row):
        line += [("key", f"  {key}"), ("muted", f" {what}")]
    if row.note:
        line.append(("", f"  {visible(row.note)}"))
    if row.refusal and row.refusal != row.note:
        line.append(("muted", f"  {visible(row.refusal)}"))
    return line


def _helping(board: Board, row: QueueRow) -> list[tuple[str, str]]:
    what = "stack" if row.state is State.HUNG else "traceback"
    keys = [("e", what)] if row.traceback else []
    if board.site.read_only or row.refusal:
        return keys
    if row.state is State.FAILED:
        return [*keys, ("s", "starts it again")]
    if row.state is State.RESTARTING:
        return [*keys, ("s", "starts it now"), ("x", "stops it")]
    if is_startable(row):
        return [*keys, ("s", "starts it"), ("t", "steps one file")]
    return keys
