"""Reports, tracebacks and help: lines to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool import render
from qtool.control.models import State
from qtool.tui.screens.document import DocumentScreen
from qtool.tui.widgets.detail import is_stack, why
from qtool.tui.widgets.keybar import is_ours, key_name
from qtool.tui.widgets.logpane import LogPager
from qtool.tui.widgets.words import WAITS, condition
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import Binding

    from qtool.control.models import Board, QueueRow, StepReport
    from qtool.render import Span


class ReportScreen(DocumentScreen):
    """What one step did."""

    def __init__(self, report: StepReport) -> None:
        title = f"step of {visible(report.runner)}"
        super().__init__(title, report_lines(report))


class WhyScreen(DocumentScreen):
    """Why a runner is as it is: the note, what it raised or where it stands.

    Args:
        row: Whose evidence.
        at: The moment of the board, in epoch seconds.
    """

    def __init__(self, row: QueueRow, at: float) -> None:
        ink, state = condition(row, at, row.state)
        lines: list[Span] = [(ink, state), ("", why(row, at))]
        what = "state"
        if row.traceback:
            what = "stack" if is_stack(row.traceback) else "traceback"
            shown = _from_dispose(row.traceback.rstrip("\n"))
            shown = visible_block(shown, limit=100_000, width=2_000)
            lines += [("", ""), *(("", line) for line in shown.split("\n"))]
        super().__init__(f"{what} of {visible(row.runner or row.name)}", lines)


def _from_dispose(traceback: str) -> str:
    """Return a stack without the calls that are qtool's own on the way to the runner's.

    What was raised is shown whole: it may have been raised on that way.
    """
    lines = traceback.split("\n")
    theirs = (
        number
        for number, line in enumerate(lines)
        if line.startswith("  File ")
        and line.endswith(", in _dispose")
        and "/qtool/engine/" not in line
    )
    first = next(theirs, None)
    if first is None or not is_stack(traceback):
        return traceback
    return "\n".join([f"{lines[0].rstrip(':')}, from _dispose on:", *lines[first:]])


class LogScreen(DocumentScreen):
    """Everything that was logged, with the tracebacks, live."""

    def __init__(self) -> None:
        self._log = LogPager()
        super().__init__("log", pager=self._log)

    def board_arrived(self, board: Board) -> None:
        """Show what was logged since."""
        super().board_arrived(board)
        self._log.show_log(self.qtool.log_lines)


class HelpScreen(DocumentScreen):
    """Every key that works where help was asked for, and what the glyphs mean."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        lines = [("title", "Keys"), *_key_lines(bindings), ("", "")]
        lines += [("title", "States"), *_state_lines(), ("", "")]
        lines += [("title", "The board"), *(("", f"  {text}") for text in _ON_BOARD)]
        super().__init__("help", lines)


_ON_BOARD = (
    "fly is how many messages are in flight; in and out are arrivals and departures",
    "by the second (/s) or minute (/m); … is unknown, - is none.",
    "A cell is a slice of the queue; cells of one runner slice stand together.",
    "Brighter is deeper, each shade about twice the one before; · is empty.",
    "A figure is the depth: 197 as it is, 2k about 2,000.",
    "A glyph in a cell is the state of its slice where slices differ.",
    "With a slice selected, keys act on the runner slice that owns it.",
)


def report_lines(report: StepReport) -> list[Span]:
    """Return a report with room between its parts."""
    lines: list[Span] = []
    for ink, text in render.step_report_lines(report):
        if ink == "title" and lines:
            lines.append(("", ""))
        lines.append((ink, text))
    return lines


def _key_lines(bindings: Iterable[Binding]) -> list[Span]:
    keys: dict[str, list[str]] = {}
    words: dict[str, str] = {}
    for binding in sorted(bindings, key=lambda binding: not binding.tooltip):
        if not is_ours(binding):
            continue
        keys.setdefault(binding.action, []).append(key_name(binding))
        words[binding.action] = binding.tooltip or binding.description
    return [
        ("", f"  {' '.join(sorted(names, key=len)):16} {words[action]}")
        for action, names in keys.items()
    ]


def _state_lines() -> list[Span]:
    lines: list[Span] = []
    for state in State:
        glyph = render.state_glyph(state)
        lines.append((render.state_style(state), f"  {glyph} {state}"))
        if state is State.RUNNING:
            why = "it runs, and may take nothing yet; e says why"
            lines.append((WAITS[0], f"  {WAITS[1]}: {why}"))
    return lines
