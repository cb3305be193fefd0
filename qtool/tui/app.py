"""The app: it owns the board, the acts and the way out."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.dom import NoScreen

from qtool.tui import refuse_terminal
from qtool.tui.acts import Acts
from qtool.tui.departure import Departure
from qtool.tui.doors import Doors
from qtool.tui.driver import TerminalDriver
from qtool.tui.filters import line_filters
from qtool.tui.messages import ActDone, BoardArrived
from qtool.tui.screens.base import ConsoleScreen
from qtool.tui.screens.board import BoardScreen
from qtool.tui.theme import NIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.command import Provider
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.screen import Screen

    from qtool.control.control import Control
    from qtool.control.models import Board, LogLine

_log = logging.getLogger("qtool.console")
_SWITCH_SECONDS = 0.0005
"""How soon a computing runner thread lets go: keys answer in a third of the time."""
_FIRST_SECONDS = 0.3
"""How long the observer waits, at most, for its first board to be shown."""
_READING_SECONDS = 0.1
"""How long the screen stays off, at most, for the first board to be read."""


def _commands() -> type[Provider]:
    from qtool.tui.commands import Commands

    return Commands


def _settle() -> None:
    gc.enable()
    gc.collect()
    gc.freeze()


class QToolApp(Doors):
    """The full-screen app over one Control."""

    TITLE = "qtool"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMMANDS: ClassVar = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", tooltip="Show every key",
                id="app.help"),
        Binding("q", "quit", "Quit", id="app.quit",
                tooltip="Finish the messages in hand and leave"),
        Binding("ctrl+p", "command_palette", "Palette", tooltip="Commands by name",
                priority=True, id="app.palette"),
    ]  # fmt: skip

    def __init__(
        self, control: Control, driver_class: type[Driver] | None = None
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.register_theme(NIGHT)
        if not os.environ.get("TEXTUAL_THEME"):
            # Without its watcher, which would have all styles parsed twice.
            self.set_reactive(QToolApp.theme, NIGHT.name)
            self.stylesheet.set_variables(self.get_css_variables())
        self.control = control
        self.acts = Acts(self, control)
        self.board: Board | None = None
        self.log_lines: deque[LogLine] = deque(maxlen=2_000)
        self._logged = 0
        self._first_read = threading.Event()
        self._first_shown = threading.Event()
        self._filters_of_ours = line_filters(plain=self.no_color)
        self._departure = Departure(self, control)

    def get_default_screen(self) -> Screen[None]:
        return BoardScreen()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return what other themes lack, so that one may be chosen."""
        return NIGHT.variables

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._filters_of_ours]

    def on_load(self) -> None:
        """Start looking, so that the first screen has a board to show."""
        self.control.watch(self._watched)
        # Nothing is on the screen yet, so nobody's keys wait for this.
        self._first_read.wait(_READING_SECONDS)

    def on_mount(self) -> None:
        """Catch the signals of a terminal that goes away."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.leave, 128 + number)
        # What lives now lives to the end: the collector need not look at it again.
        self.set_timer(1.0, _settle)

    # --- News

    def _watched(self, board: Board) -> None:
        """Take a board; runs in the observer's thread."""
        if not self._first_read.is_set():
            self.board = board  # no message reaches a screen that is yet to come
            self._first_read.set()
        self.post_message(BoardArrived(board))
        # Importing its watcher next would hold up the board on its way to the screen.
        self._first_shown.wait(_FIRST_SECONDS)

    def on_board_arrived(self, message: BoardArrived) -> None:
        """Hand the latest board to every screen."""
        self.board = message.board
        for line in self.control.log(self._logged):
            self._logged = line.number
            self.log_lines.append(line)
        if not self._first_shown.is_set():
            self.call_after_refresh(self._first_shown.set)
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen) and screen.is_mounted:
                with suppress(NoScreen):  # at the end its widgets go before it
                    screen.board_arrived(message.board)

    def on_act_done(self, message: ActDone) -> None:
        """Show what an act came to."""
        message.report()

    def _handle_exception(self, error: Exception) -> None:
        """End the app without printing a traceback: its locals may hold mail.

        A private hook of Textual's, for it offers no public one; pinned by a test.
        """
        _log.error("The console stopped: %s", type(error).__name__)
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self.panic(Text(f"The console stopped: {type(error).__name__}; see the log."))

    # --- The way out

    async def action_quit(self) -> None:
        """Finish the messages in hand and leave; the second time, un-claim them."""
        self.leave()

    def action_help_quit(self) -> None:
        """Answer the old habit of Ctrl+C."""
        self.say("q leaves; messages in hand are finished first.")

    def leave(self, code: int = 0) -> None:
        """Leave with this exit status; asked again, do not wait for runners."""
        self._departure.leave(code)


def run(control: Control, greeting: Sequence[str] = (), acting_user: str = "") -> int:
    """Show the app, and what to say first, until it is left; return the exit status.

    Whoever made the Control closes it; that costs nothing where the app has.
    ``acting_user`` is who acts, where that is not who has started this.

    Raises:
        Refused: The terminal cannot show it.
    """
    refuse_terminal()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        app = QToolApp(control, driver_class=TerminalDriver)
        app.greeting, app.acting_user = greeting, acting_user
        app.run()
        return app.return_code or 0
    finally:
        sys.setswitchinterval(interval)
        gc.enable()
