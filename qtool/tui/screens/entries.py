"""What is in one queue: a name a line, a million of them if need be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from qtool.tui.acts import in_thread
from qtool.tui.screens.base import InnerScreen
from qtool.tui.widgets.entrylist import EntryList, filebase_of
from qtool.tui.widgets.ink import Bar
from qtool.tui.widgets.keybar import KeyBar
from qtool.tui.widgets.words import is_gone
from qtool.untrusted import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qtool.control.models import Board, QueueRow

_REST = 5.0
"""A listing that took a second is not repeated for this many seconds."""


class EntriesScreen(InnerScreen):
    """The entries of a queue, oldest first, live."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", tooltip="Look at the entry, or step it if "
                "you are choosing one", id="entry.open"),
        Binding("t", "step", "Step", id="entry.step",
                tooltip="Step the runner through this entry"),
        Binding("r", "reload", "Reload", show=False, id="entries.reload",
                tooltip="List the queue again now"),
    ]  # fmt: skip

    def __init__(self, row: QueueRow, *, choosing: bool = False) -> None:
        super().__init__()
        self._row = row
        self._choosing = choosing
        self.entries = EntryList(honours_due=row.honours_due)
        self._heading = Bar("heading")
        self._loading = False
        self._loaded = False
        self._trouble = ""
        self._next_load = 0.0
        self._stale = False

    def compose(self) -> ComposeResult:
        yield self.site_bar
        yield self._heading
        yield self.entries
        yield KeyBar()

    def on_mount(self) -> None:
        """List the queue."""
        self.entries.focus()
        self._load()

    # --- News

    def board_arrived(self, board: Board) -> None:
        """List again if the queue changed, but not all the time."""
        super().board_arrived(board)
        row = board.row(self._row.name)
        if row is None:
            return
        old, self._row = self._row, row
        figures = [(r.depth, r.in_flight, r.oldest, r.preserved) for r in (old, row)]
        self._stale |= figures[0] != figures[1] or bool(row.rate_in or row.rate_out)
        self.entries.show_ages(board.at)
        self._stale |= bool(self._trouble)
        ready = not self._loading and not is_gone(board.site)
        if self._stale and ready and time.monotonic() >= self._next_load:
            self._load()

    def _load(self) -> None:
        self._loading, self._stale = True, False
        queue, control = self._row.name, self.qtool.control
        begun = time.monotonic()

        def rest(trouble: str) -> None:
            self._loading, self._trouble = False, trouble
            self._next_load = time.monotonic() + _REST * (time.monotonic() - begun)
            self.on_listing_moved()

        def loaded(names: list[str]) -> None:
            self._loaded = True
            self.entries.show(names)
            rest("")

        in_thread(
            self.qtool, f"list {queue}", lambda: control.names(queue), loaded, rest
        )
        self.on_listing_moved()

    def on_listing_moved(self) -> None:
        """Say where in the list this is."""
        entries = self.entries
        count = len(entries.names)
        title = f"{visible(self._row.name)}"
        what = " choose the file to step" if self._choosing else " entries"
        heading = [("title", title), ("muted", what)]
        if self._trouble:
            heading.append(("error", f"  cannot be listed: {self._trouble}"))
            position = ""
        elif not self._loaded:
            position = "listing …"
        elif not count:
            position = "empty"
        else:
            position = f"{entries.top + 1:,}-{entries.last_shown:,} of {count:,}"
        self._heading.show([heading], [("muted", position)])

    def refusal(self, action: str) -> str:
        """Return why that key would be refused here; empty if it would not."""
        return self.step_refusal(self._row) if action == "step" else ""

    # --- Keys

    @property
    def _filebase(self) -> str | None:
        name = self.entries.selected
        return None if name is None else filebase_of(name)

    def action_open(self) -> None:
        """Look at the entry; when choosing, step it."""
        if self._choosing:
            self.action_step()
        elif self._filebase is not None:
            self.qtool.open_entry(self._row, self._filebase)

    def on_listing_opened(self) -> None:
        """Look at the entry."""
        self.action_open()

    def action_step(self) -> None:
        """Step the runner through the entry."""
        if (filebase := self._filebase) is None:
            return
        if self._choosing:
            self.dismiss()
        self.qtool.acts.step(self._row, filebase)

    def action_reload(self) -> None:
        """List again."""
        if not self._loading:
            self._load()
