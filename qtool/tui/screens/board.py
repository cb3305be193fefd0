"""The first screen: the slice board, its detail lines and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from qtool.control.models import State
from qtool.tui.screens.base import ConsoleScreen
from qtool.tui.widgets.detail import detail_lines, why
from qtool.tui.widgets.ink import Bar
from qtool.tui.widgets.keybar import KeyBar
from qtool.tui.widgets.sliceboard import SliceBoard
from qtool.tui.widgets.words import gone_line, is_empty, is_gone
from qtool.untrusted import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qtool.control.models import Board, QueueRow
    from qtool.tui.widgets.logpane import LogPane
    from qtool.tui.widgets.welcome import Welcome

_OF_RUNNER = {"start", "stop", "pause", "snooze_by(-1)", "snooze_by(1)", "snooze_to"}
_TALL = 30
"""From so many lines on, the log is there without being asked for."""
_OF_STEP = {"step", "choose"}
_OF_OURS = {"stop", "snooze_by(-1)", "snooze_by(1)", "snooze_to"}
"""What is refused where others hold slices, and we none."""
_OURS = {State.RUNNING, State.HUNG, State.PAUSED, State.STOPPING}


class BoardScreen(ConsoleScreen):
    """Every queue and runner, live, and the keys that act on them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start", id="runner.start",
                tooltip="Start the runner, or the selected slice's"),
        Binding("x", "stop", "Stop", id="runner.stop",
                tooltip="Stop it after the message in hand"),
        Binding("p", "pause", "Pause", id="runner.pause",
                tooltip="Pause it after the message in hand, or resume it"),
        Binding("t", "step", "Step", id="runner.step",
                tooltip="Step it through the next file and see what that did"),
        Binding("T", "choose", "Step one", show=False, id="runner.choose",
                tooltip="Choose the file to step it through"),
        Binding("left_square_bracket", "snooze_by(-1)", "Shorter", show=False,
                id="runner.shorter", tooltip="Snooze shorter"),
        Binding("right_square_bracket", "snooze_by(1)", "Longer", show=False,
                id="runner.longer", tooltip="Snooze longer"),
        Binding("equals_sign", "snooze_to", "Snooze", id="runner.snooze",
                tooltip="Type how long it snoozes"),
        Binding("enter", "open", "Open", id="queue.open",
                tooltip="List what is in the queue"),
        Binding("e", "why", "Why", show=False, id="runner.why",
                tooltip="Read why it is so: the whole note, traceback or stack"),
        Binding("S", "start_all", "Start all", show=False, id="runner.start-all",
                tooltip="Start every runner that can be started"),
        Binding("l", "log", "Log", id="view.log", tooltip="Show or hide the log"),
        Binding("L", "whole_log", "Whole log", show=False, id="view.whole-log",
                tooltip="Read the whole log, with tracebacks"),
        Binding("r", "report", "Report", show=False, id="view.report",
                tooltip="Show again what the last step did"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.slices = SliceBoard()
        self._detail = Bar("detail")
        self._keys = KeyBar()
        self._log_wanted: bool | None = None
        self._log: LogPane | None = None
        self._welcome: Welcome | None = None

    def compose(self) -> ComposeResult:
        yield self.site_bar
        yield self.slices
        yield self._detail
        yield self._keys

    def on_mount(self) -> None:
        """Put the cursor on the board."""
        self.slices.focus()

    @property
    def row(self) -> QueueRow | None:
        """The row under the cursor."""
        return self.slices.selected

    # --- News

    def board_arrived(self, board: Board) -> None:
        """Show the latest board."""
        super().board_arrived(board)
        self.slices.show(board)
        self._show_welcome(board)
        wanted = self._log_wanted
        if wanted is None:
            wanted = self.size.height >= _TALL and bool(self.qtool.log_lines)
        self._show_log(wanted)
        self._show_detail()

    def _show_welcome(self, board: Board) -> None:
        """Say what to do with an empty site; otherwise nothing is made for it."""
        empty = is_empty(board)
        self.set_class(empty, "-empty")
        if empty and self._welcome is None:
            from qtool.tui.widgets.welcome import Welcome

            self._welcome = Welcome()
            self.mount(self._welcome, after=self.slices)
        if self._welcome is not None:
            self._welcome.show_board(board, visible=empty)

    def _show_log(self, wanted: bool) -> None:
        """Show or hide the log; it is made when it is first wanted."""
        if wanted and self._log is None:
            from qtool.tui.widgets.logpane import LogPane

            self._log = LogPane()
            self.mount(self._log, before=self._detail)
        if self._log is not None:
            self._log.display = wanted
            if wanted:
                self._log.show_log(self.qtool.log_lines)

    def on_resize(self) -> None:
        """Fit the evidence to the width."""
        self._show_detail()

    def on_slice_board_moved(self) -> None:
        """Follow the cursor."""
        self._show_detail()

    def _show_detail(self) -> None:
        slices = self.slices
        if slices.board is not None:
            self._detail.show(
                detail_lines(
                    slices.board, slices.selected, slices.at_slice, self.size.width
                )
            )
        self._keys.look_again()

    def refusal(self, action: str) -> str:
        """Return why that key would be refused here; empty if it would not."""
        row, board = self.row, self.qtool.board
        if row is None or board is None:
            return ""
        if is_gone(board.site):
            acts = action in _OF_RUNNER | _OF_STEP | {"open"}
            return gone_line(board.site) if acts else ""
        if action == "pause" and row.state is State.CLAIMED:
            return board.site.read_only  # pauses are on record: who holds it obeys
        if self._is_held(action):
            return row.note
        if action in _OF_RUNNER:
            return board.site.read_only or row.refusal
        if action in _OF_STEP:
            return self.step_refusal(row)
        return "" if action != "open" or row.has_queue else "no queue"

    def _is_held(self, action: str) -> bool:
        """Whether another process holds what the action is for, and refuses it."""
        row, at_slice = self.row, self.slices.at_slice
        if row is None or action not in (_OF_RUNNER | _OF_STEP) - {"pause"}:
            return False
        if action == "stop" and row.waits:
            return False  # it is what ends the waiting
        if at_slice is not None and at_slice < len(row.cells):
            return row.cells[at_slice].state is State.CLAIMED
        states = {cell.state for cell in row.cells}
        return action in _OF_OURS and State.CLAIMED in states and not states & _OURS

    # --- Keys

    def action_start(self) -> None:
        """Start the selected runner or slice."""
        if (row := self.row) is not None:
            self.qtool.acts.start(row, self.slices.owner)

    def action_stop(self) -> None:
        """Stop the selected runner or slice."""
        if (row := self.row) is not None:
            self.qtool.acts.stop(row, self.slices.owner)

    def action_pause(self) -> None:
        """Pause or resume the selected runner or slice."""
        if (row := self.row) is not None:
            self.qtool.acts.toggle_pause(row, self.slices.owner)

    def action_step(self) -> None:
        """Step through the next file."""
        if (row := self.row) is not None:
            self.qtool.acts.step(row, owner=self.slices.owner)

    def action_start_all(self) -> None:
        """Start everything."""
        self.qtool.acts.start_all()

    def action_snooze_by(self, steps: int) -> None:
        """Make the sleep time shorter or longer."""
        if (row := self.row) is not None:
            self.qtool.acts.snooze_by(row, steps)

    def action_snooze_to(self) -> None:
        """Ask for the sleep time."""
        if (row := self.row) is not None:
            self.qtool.ask_snooze(row)

    def action_open(self) -> None:
        """List the queue's entries."""
        if (row := self.row) is not None:
            self.qtool.open_entries(row)

    def on_slice_board_opened(self) -> None:
        """List the queue's entries."""
        self.action_open()

    def action_choose(self) -> None:
        """List the queue's entries to choose the one to step."""
        if (row := self.row) is not None:
            self.qtool.open_entries(row, choosing=True)

    def action_why(self) -> None:
        """Show all of why the selected runner is as it is."""
        row, board = self.row, self.slices.board
        if row is None or board is None:
            return
        if row.traceback or why(row, board.at):
            self.qtool.open_why(row, board.at)
        else:
            self.qtool.say(f"{visible(row.name)} is {row.state}, and says no more.")

    def action_whole_log(self) -> None:
        """Show the log on a screen of its own."""
        self.qtool.open_log()

    def action_report(self) -> None:
        """Show what the last step did."""
        self.qtool.open_report()

    def action_log(self) -> None:
        """Show or hide the log."""
        self._log_wanted = self._log is None or not self._log.display
        self._show_log(self._log_wanted)
