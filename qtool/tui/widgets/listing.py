"""Long lists, drawn line by line: a million names cost what a screenful costs."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from qtool.tui.widgets.ink import Inked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip

    from qtool.render import Span


class Listing(Inked, can_focus=True):
    """A list of sorted names with a cursor that stays on its name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Line above", show=False),
        Binding("down,j", "move(1)", "Line below", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "go(0)", "First", show=False),
        Binding("end,G", "go(-1)", "Last", show=False),
    ]

    class Moved(Message):
        """The cursor or the scroll changed."""

    class Opened(Message):
        """A line was double-clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Sequence[str] = ()
        self.cursor = 0
        self.top = 0

    def line(self, name: str) -> list[Span]:
        """Return what stands in the line of ``name``."""
        return [("", name)]

    @staticmethod
    def order(name: str) -> tuple[int, str]:
        """Return what the names are sorted by."""
        return 0, name

    @property
    def selected(self) -> str | None:
        """The name under the cursor."""
        return self.names[self.cursor] if self.names else None

    @property
    def last_shown(self) -> int:
        """How many names come before the end of the screen."""
        return min(len(self.names), self.top + self.size.height)

    def show(self, names: Sequence[str]) -> None:
        """Put up other names; cursor and scroll stay on theirs.

        Args:
            names: Sorted by ``order``.
        """
        old, self.names = self.names, names
        if old:
            self.cursor = self._place(old[self.cursor])
            self.top = self._place(old[self.top]) if self.top else 0
        last = max(0, len(names) - 1)
        self.cursor, self.top = min(self.cursor, last), min(self.top, last)
        self._reveal()
        self.refresh()

    def _place(self, name: str) -> int:
        return bisect_left(self.names, self.order(name), key=self.order)

    def _reveal(self) -> None:
        height = max(1, self.size.height)
        most = max(0, len(self.names) - height)
        self.top = max(self.cursor - height + 1, min(self.top, self.cursor, most))

    def render_line(self, y: int) -> Strip:
        width, base, row = self.size.width, self.rich_style, self.top + y
        if row >= len(self.names):
            return self.strip([], width, base)
        here = row == self.cursor
        base = base + self.ink("cursor-row") if here else base
        mark: Span = ("accent", "▌ " if here else "  ")
        return self.strip([mark, *self.line(self.names[row])], width, base)

    def on_resize(self) -> None:
        """Keep the cursor on the screen."""
        self._reveal()
        self.post_message(self.Moved())

    def _go(self, number: int) -> None:
        old, top = self.cursor, self.top
        self.cursor = max(0, min(len(self.names) - 1, number))
        self._reveal()
        if self.top != top:
            self.refresh()
        else:
            for row in {old, self.cursor}:
                self.refresh(Region(0, row - self.top, self.size.width, 1))
        self.post_message(self.Moved())

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self._go(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move by a screenful, less one line for the eye to hold on to."""
        self._go(self.cursor + pages * max(1, self.size.height - 1))

    def action_go(self, number: int) -> None:
        """Go to a line; -1 is the last."""
        self._go(number if number >= 0 else len(self.names) - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move by the wheel."""
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move by the wheel."""
        event.stop()
        self.action_move(-3)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the pointer is."""
        if self.top + event.y < len(self.names):
            self._go(self.top + event.y)
            if event.chain == 2:
                self.post_message(self.Opened())
