"""Values of ``control`` as text: ages, rates, heat, differences, reports, tables.

Pure functions without input or output, shared by the board, the command line
and the shell, so that a figure reads the same wherever it is met. Text that
came from a message has passed ``untrusted`` in what they return.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from qtool.control.models import Outcome, State
from qtool.msgdata import format_msgdata, show_value
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.control.models import Cell, QueueRow, StepReport

Span: TypeAlias = tuple[str, str]
"""What a line is, and the line: a key of ``STYLES``, or the sign of a diff."""

UNKNOWN = "…"
NONE = "-"

STYLES = {
    "": "",
    "title": "bold",
    "muted": "dim",
    "accent": "cyan",
    "success": "green",
    "warning": "yellow",
    "error": "bold red",
    "added": "green",
    "removed": "red",
}
"""What the names of styles are for rich, where no theme says otherwise."""

HEAT_LEVELS = 16
"""How many shades a cell has; 0 is an empty slice."""

_LEVELS_PER_DECADE = 2.8  # one message is level 1, a hundred thousand level 15
_CLOCK_SLACK_SECONDS = 2.0
_LONGEST_YEARS = 9999

_STATES: dict[State, tuple[str, str, str]] = {
    State.RUNNING: ("►", ">", "success"),
    State.MAILMAN: ("●", "M", "success"),
    State.STOPPED: ("■", "#", "muted"),
    State.MAILMAN_STOPPED: ("■", "m", "warning"),
    State.PAUSED: ("‖", "=", "warning"),
    State.STOPPING: ("◌", "~", "warning"),
    State.CLAIMED: ("◆", "@", "warning"),
    State.NO_CLASS: ("○", "o", "muted"),
    State.NO_RUNNER: ("·", ".", "muted"),
    State.HUNG: ("⊗", "!", "error"),
    State.RESTARTING: ("↻", "r", "warning"),
    State.FAILED: ("✗", "x", "error"),
    State.IMPORT_ERROR: ("✗", "x", "error"),
    State.UNREADABLE: ("?", "?", "error"),
}
"""Glyph, glyph in ASCII, and style of each state."""

_OUTCOMES = {
    Outcome.DONE: "success",
    Outcome.KEPT: "warning",
    Outcome.SHUNTED: "error",
    Outcome.PRESERVED: "error",
    Outcome.NOTHING: "muted",
    Outcome.NOT_TAKEN: "warning",
}


# --- Figures


def age(seconds: float | None) -> str:
    """Return an age in its largest unit; ``-`` for none.

    Args:
        seconds: The age. A negative one means that the time lies ahead, which
            a clock does and a message does not, so it is shown as such.
    """
    if seconds is None:
        return NONE
    if not math.isfinite(seconds):
        return UNKNOWN
    if seconds < -_CLOCK_SLACK_SECONDS:
        return f"in {_span(-seconds)} (clock?)"
    return _span(max(0.0, seconds))


def due(seconds: float | None) -> str:
    """Return when something is due: ``due in 5m``, ``overdue 5m``; ``-`` for none.

    Args:
        seconds: For how long it has been due; negative where that lies ahead.
    """
    if seconds is None:
        return NONE
    if not math.isfinite(seconds):
        return UNKNOWN
    return f"overdue {_span(seconds)}" if seconds >= 0 else f"due in {_span(-seconds)}"


def oldest(part: QueueRow | Cell, at: float, *, honours_due: bool) -> str:
    """Return the age of the oldest entry at that moment, or when the next is due."""
    seconds = None if part.oldest is None else at - part.oldest
    return due(seconds) if honours_due else age(seconds)


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{int(seconds)}s"
    if seconds < 3600:
        return f"{int(seconds / 60)}m"
    if seconds < 86400:
        return f"{int(seconds / 3600)}h"
    days = seconds / 86400
    if days < 730:
        return f"{int(days)}d"
    years = days / 365.25
    return f"{int(years)}y" if years <= _LONGEST_YEARS else f">{_LONGEST_YEARS}y"


def duration(seconds: float | None) -> str:
    """Return a short length of time, such as a sleep time: ``0.5s``, ``15m``."""
    if seconds is None:
        return NONE
    if not math.isfinite(seconds):
        return UNKNOWN
    if 0 < seconds < 0.1:
        return f"{seconds * 1000:.0f}ms"
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:.0f}{name}"
    return f"{seconds:.3g}s" if seconds < 1000 else _span(seconds)


def rate(per_second: float | None) -> str:
    """Return a rate per second, or per minute below one; ``…`` when unknown."""
    if per_second is None or not math.isfinite(per_second):
        return UNKNOWN
    if per_second <= 0:
        return "0/s"
    if per_second < 0.95:
        return f"{max(1, round(per_second * 60))}/m"
    if per_second < 9.95:
        return f"{per_second:.1f}/s"
    if per_second < 9995:
        return f"{per_second:.0f}/s"
    return f"{per_second / 1000:.0f}k/s"


def size(count: int) -> str:
    """Return a number of bytes in its unit."""
    amount = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024 or unit == "GB":
            break
        amount /= 1024
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def moment(when: float) -> str:
    """Return an absolute time in the local zone; ``…`` for one no clock shows."""
    from datetime import UTC, datetime

    try:
        local = datetime.fromtimestamp(when, UTC).astimezone()
        return local.strftime("%Y-%m-%d %H:%M:%S %z")
    except (OverflowError, ValueError, OSError):
        return UNKNOWN


def depth(row: QueueRow) -> str:
    """Return how many wait; ``-`` without a queue, ``…`` where it is unreadable."""
    if row.depth is None:
        return UNKNOWN if row.has_queue else NONE
    return str(row.depth)


def heat_level(waiting: int) -> int:
    """Return the shade of a slice, 0 to 15: a logarithm, so that 1 is seen too."""
    if waiting <= 0:
        return 0
    level = 1 + int(math.log10(waiting) * _LEVELS_PER_DECADE + 1e-9)
    return min(HEAT_LEVELS - 1, level)


# --- States


def state_glyph(state: State, *, ascii_only: bool = False) -> str:
    """Return the one character that stands for a state."""
    return _STATES[state][1 if ascii_only else 0]


def state_word(state: State) -> str:
    """Return the state in words."""
    return str(state.value)


def state_style(state: State) -> str:
    """Return the name of the style that a state is shown in."""
    return _STATES[state][2]


# --- Metadata and reports


def msgdata_lines(msgdata: Mapping[str, Any]) -> list[str]:
    """Return metadata in the documented form, every key, ``*Empty*`` for none."""
    return format_msgdata(msgdata)


def msgdata_diff(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Span]:
    """Return the lines of both, each signed ``-``, ``+`` or a space for the same.

    What is compared is what is shown: values from a file can be built so that
    comparing them never ends. Where one side is not known the other stands
    there unsigned.
    """
    if before is None or after is None:
        known = before if before is not None else after
        return [(" ", line) for line in msgdata_lines(known)] if known else []
    old, new = _shown(before), _shown(after)
    names = {key: visible(key, 100) for key in (*old, *new)}
    width = max(map(len, names.values()), default=0)
    lines: list[Span] = []
    for key in sorted(names, key=lambda key: (names[key], key)):
        label = f"{names[key]:{width}}: "
        if old.get(key) == new.get(key):
            lines.append((" ", label + new[key]))
            continue
        lines += [("-", label + old[key])] if key in old else []
        lines += [("+", label + new[key])] if key in new else []
    return lines


def _shown(msgdata: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): show_value(value) for key, value in msgdata.items()}


def step_report_lines(report: StepReport) -> list[Span]:
    """Return a step's report as lines, each with the name of its style.

    The metadata come last: they may be longer than a screen.
    """
    style = _OUTCOMES[report.outcome]
    what = visible(report.filebase) if report.filebase else "no file"
    lines: list[Span] = [
        (style, f"{report.outcome.value}: {what}"),
        ("muted", f"runner {visible(report.runner)}, queue {visible(report.queue)},"
                  f" {duration(report.seconds)}"),
    ]  # fmt: skip
    if report.note:
        lines.append((style, visible(report.note, 1000)))
    if report.enqueued:
        lines.append(("title", "enqueued"))
        lines += [
            ("accent", f"  {visible(new.queue)}  {visible(new.filebase)}")
            for new in report.enqueued
        ]
    if report.traceback:
        lines.append(("title", "traceback"))
        shown = visible_block(report.traceback.rstrip("\n"), limit=20_000, width=500)
        lines += [("error", f"  {line}") for line in shown.split("\n")]
    if report.log:
        lines.append(("title", "log"))
        lines += [("muted", f"  {record.level} {visible(record.text)}")
                  for record in report.log]  # fmt: skip
    signed = msgdata_diff(report.before, report.after)
    if signed:
        lines.append(("title", "msgdata"))
        styles = {"-": "removed", "+": "added"}
        lines += [(styles.get(sign, ""), f"{sign} {text}") for sign, text in signed]
    return lines
