"""One entry: its headers, its metadata, its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from qtool import render
from qtool.tui.acts import in_thread
from qtool.tui.screens.document import DocumentScreen
from qtool.tui.widgets.entrylist import FOREIGN, STATES, moment_of
from qtool.tui.widgets.pager import PAIR
from qtool.tui.widgets.words import is_gone
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from qtool.control.models import Board, EntryView, QueueRow
    from qtool.render import Span

_LONGEST_LINE = 4_000


class EntryScreen(DocumentScreen):
    """What one entry holds; looking at it takes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "find('Headers')", "Headers", tooltip="Go to the headers"),
        Binding("m", "find('Metadata')", "Metadata", tooltip="Go to the msgdata"),
        Binding("b", "find('Body')", "Body", tooltip="Go to the body"),
        Binding("t", "step", "Step", tooltip="Step the runner through this entry",
                id="shown.step"),
    ]  # fmt: skip

    def __init__(self, row: QueueRow, filebase: str) -> None:
        title = f"{visible(row.name)}  {visible(filebase)}"
        super().__init__(title, [("muted", "reading …")])
        self._row = row
        self._filebase = filebase
        self._failed = self._was_gone = False

    def on_mount(self) -> None:
        """Read the entry."""
        self._read()

    def board_arrived(self, board: Board) -> None:
        """Read again what could not be read, once there is somebody to ask again."""
        super().board_arrived(board)
        gone = is_gone(board.site)
        self._was_gone |= gone
        if self._failed and self._was_gone and not gone:
            self._read()

    def _read(self) -> None:
        self._failed = self._was_gone = False
        queue, filebase, control = self._row.name, self._filebase, self.qtool.control

        def read(entry: EntryView) -> None:
            self.pager.show(entry_lines(entry, honours_due=self._row.honours_due))

        def failed(reason: str) -> None:
            self._failed = True
            board = self.qtool.board
            self._was_gone |= board is not None and is_gone(board.site)
            self.pager.show([("error", f"Cannot be read: {reason}")])

        in_thread(self.qtool, f"read {filebase}",
                  lambda: control.entry(queue, filebase), read, failed)  # fmt: skip

    def refusal(self, action: str) -> str:
        """Return why that key would be refused here; empty if it would not."""
        return self.step_refusal(self._row) if action == "step" else ""

    def action_find(self, heading: str) -> None:
        """Go to a part of the entry."""
        self.pager.find("title", heading)

    def action_step(self) -> None:
        """Step the runner through the entry."""
        self.dismiss()
        self.qtool.acts.step(self._row, self._filebase)


def entry_lines(entry: EntryView, *, honours_due: bool = False) -> list[Span]:
    """Return the entry as lines to read.

    Args:
        entry: What it holds.
        honours_due: Whether the time in its name is when it is due.
    """
    lines = [*_facts(entry, "due" if honours_due else "since"), ("", "")]
    if entry.error:
        return lines
    lines.append(("title", "Headers"))
    lines += [
        (PAIR, f"{visible(name)}: {visible(value, _LONGEST_LINE)}")
        for name, value in entry.headers
    ] or [("muted", "none")]
    lines += [("", ""), ("title", "Metadata")]
    lines += [(PAIR, line) for line in render.msgdata_lines(entry.msgdata)]
    lines += [("", ""), ("title", _body_title(entry))]
    body = visible_block(entry.body.rstrip("\n"), width=_LONGEST_LINE)
    lines += [("", line) for line in body.split("\n")] if body else []
    return lines


def _body_title(entry: EntryView) -> str:
    if not entry.body_bytes and not entry.body:
        return "Body, empty"
    whole = render.size(entry.body_bytes)
    return f"Body, the beginning of {whole}" if entry.body_cut else f"Body, {whole}"


def _facts(entry: EntryView, since: str) -> list[Span]:
    _, state = STATES.get(entry.suffix, FOREIGN)
    when = moment_of(entry.filebase)
    moment = f", {since} {render.moment(when)}" if when is not None else ""
    form = f", {visible(entry.form)}" if entry.form else ""
    lines: list[Span] = [("muted", visible(entry.path))]
    if entry.size or not entry.error:
        lines.append(("muted", f"{state}{moment}, {render.size(entry.size)}{form}"))
    if entry.error:
        lines.append(("error", f"Cannot be shown: {visible(entry.error)}"))
    if entry.reason:
        lines.append(("warning", f"Preserved: {visible(entry.reason)}"))
    if entry.opaque:
        named = ", ".join(visible(name, 80) for name in entry.opaque[:20])
        lines.append(("warning", f"Names classes that are not loaded: {named}"))
    return lines
