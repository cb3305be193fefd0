"""What the screens have in common: the header, the keys, a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.screen import Screen

from qtool.tui.widgets.ink import Bar
from qtool.tui.widgets.keybar import KeyBar
from qtool.tui.widgets.pager import Pager
from qtool.tui.widgets.site import SiteBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from qtool.control.models import Board
    from qtool.render import Span
    from qtool.tui.app import QToolApp


class ConsoleScreen(Screen[None]):
    """A screen that shows the latest board's site in its header."""

    @property
    def qtool(self) -> QToolApp:
        """The app, by its own type."""
        return cast("QToolApp", self.app)

    def on_mount(self) -> None:
        """Show what is known."""
        if self.qtool.board is not None:
            self.board_arrived(self.qtool.board)
        else:
            self.query_one(SiteBar).show_site(None)

    def board_arrived(self, board: Board) -> None:
        """Take the latest board."""
        self.query_one(SiteBar).show_site(board.site)


class InnerScreen(ConsoleScreen):
    """A screen that was opened from another one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,backspace", "back", "Back", tooltip="Back to where it came from"
        ),
    ]

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()


class DocumentScreen(InnerScreen):
    """Lines to read under a title."""

    def __init__(self, title: str, lines: Sequence[Span] = ()) -> None:
        super().__init__()
        self.heading = title
        self._first_lines = lines

    def compose(self) -> ComposeResult:
        yield SiteBar()
        yield Bar("heading")
        yield Pager()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the lines."""
        super().on_mount()
        self.query_one(Pager).show(self._first_lines)

    def on_pager_moved(self) -> None:
        """Say where in the document this is."""
        position = self.query_one(Pager).position
        title: Span = ("title", self.heading)
        self.query_one("#heading", Bar).show([[title]], [("muted", position)])
