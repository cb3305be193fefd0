"""The slice board: a row per queue, a cell per slice, drawn line by line.

The cursor stands on a name, not on a number: whatever arrives or goes, it stays
where the operator put it, and so do the scroll and the selected slice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from qtool.tui.widgets.ink import Inked
from qtool.tui.widgets.layout import arrange
from qtool.tui.widgets.paint import Painter
from qtool.tui.widgets.words import age_of, held_back, is_gone

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Size

    from qtool.control.models import Board, QueueRow
    from qtool.render import Span

_HEADING = 1


class SliceBoard(Inked, can_focus=True):
    """All queues and runners, with the heat of their slices."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Row above", show=False),
        Binding("down,j", "move(1)", "Row below", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000)", "First row", show=False),
        Binding("end,G", "move(1000000)", "Last row", show=False),
        Binding("left", "slice(-1)", "Slice to the left", show=False),
        Binding("right", "slice(1)", "Slice to the right", show=False),
        Binding("escape", "clear", "No slice", show=False),
    ]

    class Moved(Message):
        """The cursor or the selected slice changed."""

    class Opened(Message):
        """A row was double-clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.board: Board | None = None
        self.at_slice: int | None = None
        self._rows: tuple[QueueRow, ...] = ()
        self._cursor = 0
        self._top = 0
        self._painter: Painter | None = None
        self._fitted: Size | None = None
        """For which size the columns are laid out."""
        self._strips: list[Strip] = []
        self._cache: dict[str, tuple[object, list[Strip]]] = {}

    # --- What is shown

    @property
    def selected(self) -> QueueRow | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def owner(self) -> int | None:
        """Runner slice that owns the selected cell; None for the whole row."""
        row = self.selected
        if row is None or self.at_slice is None or self.at_slice >= len(row.cells):
            return None
        return row.cells[self.at_slice].owner

    def show(self, board: Board) -> None:
        """Put up the latest board; nothing but figures moves."""
        old = self._rows
        self.board, self._rows = board, board.rows
        if is_gone(board.site) is not self.has_class("-stale"):
            self.set_class(is_gone(board.site), "-stale")
            self._painter = None
        if [(r.name, len(r.cells)) for r in old] != [
            (r.name, len(r.cells)) for r in board.rows
        ]:
            self._painter = None
            self._follow(old)
            if self.styles.is_auto_height:
                self.refresh(layout=True)
        self._paint()

    def _follow(self, old: tuple[QueueRow, ...]) -> None:
        """Keep cursor and scroll on their names after rows came or went."""
        places = {row.name: number for number, row in enumerate(self._rows)}
        last = max(0, len(self._rows) - 1)
        if old:
            name = old[self._cursor].name
            if name not in places:
                self.at_slice = None
            self._cursor = places.get(name, min(self._cursor, last))
            self._top = places.get(old[self._top].name, min(self._top, last))
        self._reveal()

    # --- Geometry

    def _heights(self) -> list[int]:
        layout = self.painter.layout
        return [layout.grid(row).lines for row in self._rows]

    def _room(self, heights: list[int]) -> int:
        """Return how many lines the rows have: the last is the count of rows."""
        room = self.size.height - _HEADING
        return room if sum(heights) <= room else room - 1

    def _fitting(self, heights: list[int], top: int) -> int:
        """Return how many whole rows fit from ``top`` on; one at least."""
        room, count = self._room(heights), 0
        for height in heights[top:]:
            room -= height
            if room < 0:
                break
            count += 1
        return max(1, count)

    def _reveal(self) -> None:
        heights = self._heights()
        self._top = max(0, min(self._top, self._cursor))
        while self._top + self._fitting(heights, self._top) <= self._cursor:
            self._top += 1
        while self._top and sum(heights[self._top - 1 :]) <= self._room(heights):
            self._top -= 1

    def _row_at(self, y: int) -> tuple[int, int] | None:
        """Return number of the row and of its line at ``y`` of the widget."""
        heights = self._heights()
        y -= _HEADING
        shown = range(self._top, self._top + self._fitting(heights, self._top))
        for number in shown:
            if number < len(heights) and 0 <= y < heights[number]:
                return number, y
            y -= heights[number] if number < len(heights) else 0
        return None

    # --- Drawing

    @property
    def painter(self) -> Painter:
        """What draws the rows, made anew when width or styles change."""
        if self._painter is None:
            layout = arrange(max(20, self.size.width), self._rows)
            app = self.app
            plain = app.no_color or app.console.color_system in (None, "standard")
            stale = self.has_class("-stale")
            self._painter = Painter(
                layout, self.ink, self.rich_style, plain=plain, stale=stale
            )
            self._cache.clear()
        return self._painter

    def _row_strips(self, number: int) -> list[Strip]:
        row, here = self._rows[number], number == self._cursor
        at = self.board.at if self.board else 0.0
        at_slice = self.at_slice if here else None
        old = age_of(row.oldest, at, honours_due=row.honours_due)
        key = (row, old, here, at_slice, held_back(row, at))
        kept = self._cache.get(row.name)
        if kept is not None and kept[0] == key:
            return kept[1]
        strips = self.painter.row(row, at, here=here, at_slice=at_slice)
        self._cache[row.name] = (key, strips)
        return strips

    def _compose_lines(self) -> list[Strip]:
        painter, heights = self.painter, self._heights()
        lines = [painter.heading()]
        count = self._fitting(heights, self._top)
        for number in range(self._top, min(self._top + count, len(self._rows))):
            lines += self._row_strips(number)
        if count < len(self._rows):
            shown = f"rows {self._top + 1}-{self._top + count} of {len(self._rows)}"
            width, base = self.size.width, self.rich_style
            lines += [Strip.blank(width, base)] * (self.size.height - 1 - len(lines))
            spans: list[Span] = [("muted", f" {shown}")]
            lines.append(self.strip(spans, width, base))
        return lines[: self.size.height]

    def get_content_height(self, *_: Size | int) -> int:
        """Return what all rows need, where the style sheet asks for that."""
        return _HEADING + sum(self._heights())

    def _paint(self) -> None:
        if not self.size.width:
            return
        old, self._strips = self._strips, self._compose_lines()
        for y in range(max(len(old), len(self._strips))):
            if old[y : y + 1] != self._strips[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def _fit(self) -> None:
        """Lay everything out anew, if the size is another one; Textual draws it all."""
        if self.size and self._fitted != self.size:
            self._fitted = self.size
            self._painter = None
            self._reveal()
            self._strips = self._compose_lines()

    def render_line(self, y: int) -> Strip:
        self._fit()  # a first drawing comes before the event of its size
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter = None
        if self.is_attached and self.board is not None:
            self._paint()

    def on_resize(self) -> None:
        """Follow the size."""
        self._fit()

    # --- The cursor

    def _go(self, number: int, at_slice: int | None = None) -> None:
        last = max(0, len(self._rows) - 1)
        self._cursor = max(0, min(last, number))
        self.at_slice = at_slice
        self._reveal()
        self._paint()
        self.post_message(self.Moved())

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self._go(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move by what fits on the screen."""
        self._go(self._cursor + pages * self._fitting(self._heights(), self._top))

    def action_slice(self, cells: int) -> None:
        """Select the next slice of the row."""
        row = self.selected
        if row is None or not row.cells:
            return
        last = len(row.cells) - 1
        if self.at_slice is None:
            chosen = 0 if cells > 0 else last
        else:
            chosen = max(0, min(last, self.at_slice + cells))
        self._go(self._cursor, chosen)

    def action_clear(self) -> None:
        """Select the whole row again."""
        self._go(self._cursor)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move by the wheel."""
        event.stop()
        self.action_move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move by the wheel."""
        event.stop()
        self.action_move(-1)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the pointer is, on a slice where there is one."""
        place = self._row_at(event.y)
        if place is None:
            return
        number, line = place
        self._go(number, self.painter.cell_at(self._rows[number], event.x, line))
        if event.chain == 2:
            self.post_message(self.Opened())
