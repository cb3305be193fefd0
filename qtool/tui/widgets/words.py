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

    from qtool.control.models import Board, QueueRow, Site
    from qtool.tui.widgets.ink import Line, Span

_SHORT = {
    State.MAILMAN_STOPPED: "stopped",
    State.IMPORT_ERROR: "no import",
    State.UNREADABLE: "no access",
    State.RESTARTING: "restarts",
}
"""Words for states whose own are too long for the column; the detail line has those,
and the header says of Mailman what it does."""

WAITS = ("waits", "◷ waits")
"""Of a runner that runs, and may take nothing of what waits."""
_NOT_IDLE = "not idle: "
"""So begins the note of a runner that is held back by its idle test."""

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


def is_gone(site: Site) -> bool:
    """Whether what is shown was seen before who does the work went away."""
    return site.attached in (RECONNECTING, ENGINE_GONE)


def gone_line(site: Site) -> str:
    """Return in words that who did the work is gone."""
    if site.attached == ENGINE_GONE:
        return "this window's engine has gone; starting it again"
    return "the daemon has gone; looking for it again"


def held_back(row: QueueRow, at: float) -> str:
    """Return why a runner that runs takes nothing yet; empty if nothing hinders it."""
    if row.state is not State.RUNNING:
        return ""
    if row.note.startswith(_NOT_IDLE):
        return row.note
    if not row.honours_due or row.oldest is None or row.oldest <= at or row.in_flight:
        return ""
    return f"nothing is due for {render.age(row.oldest - at)}"


def condition(row: QueueRow, at: float, state: State) -> Span:
    """Return glyph and word of a state of the row, in full, and the ink for them."""
    if state is State.RUNNING and held_back(row, at):
        return WAITS
    return render.state_style(state), (
        f"{render.state_glyph(state)} {render.state_word(state)}"
    )


def state_spans(row: QueueRow, at: float) -> list[Span]:
    """Return glyph and word of the state, with the start key where it helps."""
    if held_back(row, at):
        return [WAITS]
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


def site_lines(site: Site, room: int, user: str = "") -> list[Line]:
    """Return the header: which spool, which configuration, what may be done, and what
    is wrong with the spool as a whole.

    Args:
        site: The site.
        room: Cells that spool and configuration may take; to fit, each loses its
            beginning, for the end of a path tells more.
        user: Who acts, where that is not who has started the console.
    """
    whose: Line = [("accent", f"  as {visible(user, 32)}")] if user else []
    room -= sum(cell_len(text) for _, text in whose)
    spool, source = visible(site.spool), visible(site.source)
    spool = ending(spool, max(room // 2, room - cell_len(source)))
    first: Line = [
        ("badge", " qtool "),
        ("title", f" {spool}"),
        *whose,
        ("muted", f"  {ending(source, room - cell_len(spool))}"),
    ]
    second: Line = []
    if site.verdict is not None:
        from qtool.render.findings import STYLES  # a spool is seldom sick as a whole

        said = f"{site.verdict.words}: {site.verdict.evidence}"
        second.append((STYLES[site.verdict.severity], f"{visible(said)}  "))
    if site.read_only:
        second.append(("warning", f"read-only: {visible(site.read_only)}"))
    return [first, second] if second else [first]


def watching_spans(site: Site) -> Line:
    """Return the right end of the header: Mailman, the daemon, how it is watched."""
    spans: Line = [("muted", f"{visible(site.mailman)}  ")] if site.mailman else []
    if site.attached:
        if is_gone(site):
            return [*spans, ("warning", f"○ {site.attached}")]
        spans.append(("muted", f"{visible(site.attached)}  "))
    if site.watching.startswith("polling"):
        return [*spans, ("warning", f"○ {visible(site.watching)}")]
    return [*spans, ("muted", f"● {site.watching}" if site.watching else "○ starting")]
