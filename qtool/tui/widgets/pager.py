"""Text to read: any number of lines, wrapped to the width, drawn when seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, chop_cells
from textual.binding import Binding, BindingType
from textual.message import Message

from qtool.tui.widgets.ink import Inked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip

    from qtool.render import Span

PAIR = "pair"
"""The ink of a line ``name: value`` whose name stands out."""

_LONGEST_LINE = 4_000
"""Characters of one line that are wrapped and shown; what follows is cut."""


def wrapped(lines: Sequence[Span], width: int) -> list[Span]:
    """Return the lines in pieces of at most ``width`` cells."""
    pieces: list[Span] = []
    for ink, text in lines:
        if len(text) <= width and cell_len(text) <= width:
            pieces.append((ink, text))
            continue
        indent = len(text) - len(text.lstrip(" "))
        hang = " " * min(indent + 2, width // 2)
        for number, piece in enumerate(_chopped(text, width, len(hang))):
            after = "" if ink == PAIR else ink
            pieces.append((after, hang + piece) if number else (ink, piece))
    return pieces


def _chopped(text: str, width: int, hang: int) -> list[str]:
    rest = text[:_LONGEST_LINE] + (" …" if len(text) > _LONGEST_LINE else "")
    pieces: list[str] = []
    while cell_len(rest) > width:
        cut = len(chop_cells(rest, width)[0])
        word = rest.rfind(" ", cut // 2, cut) + 1
        cut = word or cut
        pieces.append(rest[:cut])
        rest = rest[cut:]
        width = width if len(pieces) > 1 else max(1, width - hang)
    return [*pieces, rest]


class Pager(Inked, can_focus=True):
    """A document of styled lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", "Line up", show=False),
        Binding("down,j", "scroll(1)", "Line down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "go(0)", "Top", show=False),
        Binding("end,G", "go(1000000000)", "End", show=False),
    ]

    class Moved(Message):
        """Other lines are on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Span] = []
        self._pieces: list[Span] = []
        self._top = 0

    @property
    def position(self) -> str:
        """Which lines of how many are on the screen; empty when all are."""
        total = len(self._pieces)
        if total <= self.size.height:
            return ""
        return f"lines {self._top + 1}-{self._last} of {total}"

    @property
    def text(self) -> str:
        """Everything, unwrapped."""
        return "\n".join(text for _, text in self._lines)

    @property
    def _last(self) -> int:
        return min(len(self._pieces), self._top + self.size.height)

    def show(self, lines: Sequence[Span], *, stay_at_end: bool = False) -> None:
        """Put up other lines, at the same place of the document.

        Args:
            lines: What to show.
            stay_at_end: Follow the end if that is what is on the screen now.
        """
        follow = stay_at_end and self._last == len(self._pieces)
        self._lines = list(lines)
        self._wrap()
        self._go(len(self._pieces) if follow else self._top)

    def _wrap(self) -> None:
        self._pieces = wrapped(self._lines, max(8, self.size.width - 2))

    def _go(self, top: int) -> None:
        self._top = max(0, min(top, len(self._pieces) - self.size.height))
        self.refresh()
        self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        width, row = self.size.width, self._top + y
        if row >= len(self._pieces):
            return self.strip([], width, self.rich_style)
        spans: list[Span] = [("", " "), self._pieces[row]]
        if spans[1][0] == PAIR:
            name, colon, value = spans[1][1].partition(":")
            spans[1:] = [("accent", name), ("faint", colon), ("", value)]
        elif spans[1][0] == "title":
            spans.append(("rule", " " + "─" * (width - cell_len(spans[1][1]) - 3)))
        return self.strip(spans, width, self.rich_style)

    def on_resize(self) -> None:
        """Wrap anew."""
        at_end = bool(self._pieces) and self._last == len(self._pieces)
        self._wrap()
        self._go(len(self._pieces) if at_end and self._top else self._top)

    def find(self, ink: str, start: str) -> None:
        """Go to the line of that ink which starts so."""
        for number, (name, text) in enumerate(self._pieces):
            if name == ink and text.startswith(start):
                self._go(number)
                return

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self._go(self._top + lines)

    def action_page(self, pages: int) -> None:
        """Scroll by a screenful, less one line for the eye to hold on to."""
        self._go(self._top + pages * max(1, self.size.height - 1))

    def action_go(self, line: int) -> None:
        """Go to a line."""
        self._go(line)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by the wheel."""
        event.stop()
        self.action_scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by the wheel."""
        event.stop()
        self.action_scroll(-3)
