"""What an empty site says."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from qtool.tui.widgets.ink import Bar, Line
from qtool.untrusted import visible as shown

if TYPE_CHECKING:
    from qtool.control.models import Board

BUILT_IN = "built-in default"
BY_ROOT = "--root"


class Welcome(Bar):
    """What to do with a site in which nothing waits and nothing runs."""

    def __init__(self) -> None:
        super().__init__("welcome", indent=3)

    def show_board(self, board: Board, *, visible: bool) -> None:
        """Appear if there is nothing else to see."""
        self.display = visible
        if visible:
            self.show(welcome_lines(board))


def inject_command(board: Board) -> str | None:
    """Return the command that puts a message into the first served queue."""
    site = board.site
    queues = [row for row in board.rows if row.has_queue]
    served = [row for row in queues if row.runner is not None] or queues
    if not served or site.read_only or site.kind == "mailman2":
        return None
    words = ["qtool", "inject", served[0].name]
    if site.source.startswith(BY_ROOT):
        words += [BY_ROOT, site.spool]
    elif site.source != BUILT_IN:
        words += ["--config", site.source]
    return f"{shlex.join(words)} < message.eml"


def welcome_lines(board: Board) -> list[Line]:
    """Return where the spool is and how to put something in."""
    lines: list[Line] = [
        [("title", "Nothing is waiting here.")],
        [],
        [("muted", "spool    "), ("", shown(board.site.spool))],
    ]
    command = inject_command(board)
    if command:
        lines += [
            [("muted", "put in   "), ("accent", shown(command))],
            [("muted", "start    "), ("key", "s"), ("", " the runner of that queue, "),
             ("key", "S"), ("", " all of them")],
        ]  # fmt: skip
    return [
        *lines,
        [("muted", "learn    "), ("key", "?"), ("", " all keys, "), ("key", "^p"),
         ("", " every command by name")],
    ]  # fmt: skip
