"""A screen of lines to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.tui.screens.base import InnerScreen
from qtool.tui.widgets.ink import Bar
from qtool.tui.widgets.keybar import KeyBar
from qtool.tui.widgets.pager import Pager

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from qtool.render import Span


class DocumentScreen(InnerScreen):
    """Lines to read under a title."""

    def __init__(
        self, title: str, lines: Sequence[Span] = (), pager: Pager | None = None
    ) -> None:
        super().__init__()
        self.heading = title
        self.pager = pager or Pager()
        self._heading = Bar("heading")
        self._first_lines = lines

    def compose(self) -> ComposeResult:
        yield self.site_bar
        yield self._heading
        yield self.pager
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the lines."""
        self.pager.show(self._first_lines)

    def on_pager_moved(self) -> None:
        """Say where in the document this is."""
        position = self.pager.position
        title: Span = ("title", self.heading)
        self._heading.show([[title]], [("muted", position)])
