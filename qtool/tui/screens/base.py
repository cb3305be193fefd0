"""What the screens have in common: the header, the keys, a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from qtool.tui.widgets.ink import InkScreen
from qtool.tui.widgets.site import SiteBar
from qtool.tui.widgets.words import gone_line, is_gone

if TYPE_CHECKING:
    from qtool.control.models import Board, QueueRow
    from qtool.tui.app import QToolApp


class ConsoleScreen(InkScreen):
    """A screen that shows the latest board's site in its header.

    Textual calls the ``on_mount`` of every class of a screen, so none calls another.
    """

    def __init__(self) -> None:
        super().__init__()
        # Widgets are held, not queried: news may come while the screen goes.
        self.site_bar = SiteBar()

    @property
    def qtool(self) -> QToolApp:
        """The app, by its own type."""
        return cast("QToolApp", self.app)

    def on_mount(self) -> None:
        """Show what is known."""
        if self.qtool.board is not None:
            self.board_arrived(self.qtool.board)
        else:
            self.site_bar.show_site(None)

    def board_arrived(self, board: Board) -> None:
        """Take the latest board."""
        self.site_bar.show_site(board.site, self.qtool.acting_user)

    def step_refusal(self, row: QueueRow) -> str:
        """Return why the row's runner cannot be stepped; empty if it can."""
        board = self.qtool.board
        if board is not None and is_gone(board.site):
            return gone_line(board.site)
        return (board.site.read_only if board else "") or row.step_refusal


class InnerScreen(ConsoleScreen):
    """A screen that was opened from another one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,backspace", "back", "Back", tooltip="Back to where it came from"
        ),
    ]

    def on_mount(self) -> None:
        """Begin without what was said about the screen before."""
        self.app.clear_notifications()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()
