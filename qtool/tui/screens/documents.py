"""Reports, tracebacks and help: lines to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool import render
from qtool.control.models import State
from qtool.tui.screens.document import DocumentScreen
from qtool.tui.widgets.keybar import is_ours, key_name
from qtool.tui.widgets.logpane import LogPager
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


class TracebackScreen(DocumentScreen):
    """Why a runner failed."""

    def __init__(self, row: QueueRow) -> None:
        shown = visible_block(row.traceback.rstrip("\n"), limit=100_000, width=2_000)
        lines: list[Span] = [
            (render.state_style(row.state), f"{row.state}: {visible(row.note)}"),
            ("", ""),
        ]
        lines += [("", line) for line in shown.split("\n")]
        super().__init__(f"traceback of {visible(row.runner or row.name)}", lines)


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
    return [
        (render.state_style(state), f"  {render.state_glyph(state)} {state}")
        for state in State
    ]
