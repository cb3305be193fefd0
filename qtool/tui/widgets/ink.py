"""Text in named styles, drawn by lines.

A *span* is a piece of text and the name of its style; a *line* is a list of
spans. What the names look like is said in ``app.tcss`` and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Span = tuple[str, str]
"""Name of a style, and text that is safe to show."""
Line = list[Span]

INKS = (
    "title", "muted", "faint", "accent", "success", "warning", "error", "added",
    "removed", "heading", "key", "badge", "cursor-row", "rule",
    "trend", "waits", "cell-error", "cell-warning", "cell-muted", "cell-chosen",
)  # fmt: skip
"""Names of styles that every widget here understands; the empty name is plain."""


def fitted(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` cells, cut with an ellipsis."""
    length = cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def ending(text: str, width: int) -> str:
    """Return ``text``, or an ellipsis and as much of its end as ``width`` holds."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) >= width:
        text = text[1:]
    return f"…{text}"


def right(text: str, width: int) -> str:
    """Return ``text`` at the right end of ``width`` cells."""
    return " " * max(0, width - cell_len(text)) + fitted(
        text, min(width, cell_len(text))
    )


class InkScreen(Screen[None]):
    """A screen that knows what the inks look like, for all widgets on it.

    Each name that a widget declares costs a search of the whole style sheet when
    it starts: so one node declares them all.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"ink--{name}" for name in INKS}


class Inked(Widget):
    """A widget that draws in the inks of its screen."""

    def ink(self, name: str) -> Style:
        """Return what the style of that name adds to the one under it."""
        if not name:
            return Style.null()
        return self.screen.get_component_rich_style(
            f"ink--{name}", partial=True, default=Style.null()
        )

    def strip(self, spans: Iterable[Span], width: int, base: Style) -> Strip:
        """Draw one line over ``base``, filled up or cut to ``width`` cells."""
        segments = [Segment(text, base + self.ink(name)) for name, text in spans]
        strip = Strip(segments)
        if strip.cell_length > width:
            strip = _with_ellipsis(strip, width, base)
        return strip.adjust_cell_length(width, base)


def _with_ellipsis(strip: Strip, width: int, base: Style) -> Strip:
    return Strip([*strip.crop(0, max(0, width - 1)), Segment("…", base)])


class Bar(Inked):
    """A few fixed lines; only those that changed are drawn again."""

    def __init__(self, css_id: str, *, indent: int = 1) -> None:
        super().__init__(id=css_id)
        self._lines: list[Line] = []
        self._right: Line = []
        self._indent = indent

    def show(self, lines: Sequence[Line], right_end: Line | None = None) -> None:
        """Put these lines up.

        Args:
            lines: From the left.
            right_end: What stands at the right end of the first line.
        """
        old, self._lines = self._lines, list(lines)
        moved = (right_end or []) != self._right
        self._right = right_end or []
        for y in range(max(len(old), len(lines))):
            if old[y : y + 1] != self._lines[y : y + 1] or (moved and not y):
                self.refresh(Region(0, y, self.size.width, 1))

    @property
    def shown(self) -> list[str]:
        """The lines as plain text."""
        return ["".join(text for _, text in line) for line in self._lines]

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, base)
        end = self._right if not y else []
        kept = sum(cell_len(text) for _, text in end)
        spans = [("", " " * self._indent), *self._lines[y]]
        left = self.strip(spans, max(0, width - kept - (3 if end else 0)), base)
        if not end:
            return left
        end_strip = self.strip([("", "  "), *end, ("", " ")], kept + 3, base)
        return Strip.join([left, end_strip]).crop(0, width)
