"""The header of every screen, and what an empty site says."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from qtool.control.models import State
from qtool.tui.widgets.ink import Bar, Line
from qtool.tui.widgets.words import site_lines, watching_spans
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.control.models import Board, Site

_IDLE = {State.STOPPED, State.NO_CLASS, State.NO_RUNNER, State.MAILMAN_STOPPED}
BUILT_IN = "built-in default"
BY_ROOT = "--root"


class SiteBar(Bar):
    """Which spool, which configuration, read-only or not, and how it is watched."""

    def __init__(self) -> None:
        super().__init__("site")

    def show_site(self, site: Site | None) -> None:
        """Put the facts up; None while they are being found out."""
        if site is None:
            self.show([[("badge", " qtool "), ("muted", " looking …")]])
            return
        lines = site_lines(site)
        self.set_class(len(lines) > 1, "-read-only")
        self.show(lines, watching_spans(site))


class Welcome(Bar):
    """What to do with a site in which nothing waits and nothing runs."""

    def __init__(self) -> None:
        super().__init__("welcome", indent=3)

    def show_board(self, board: Board) -> None:
        """Appear if there is nothing to see, else vanish."""
        self.display = is_empty(board)
        if self.display:
            self.show(welcome_lines(board))


def is_empty(board: Board) -> bool:
    """Whether nothing waits, nothing is in flight and nothing runs."""
    return all(
        not (row.depth or row.in_flight or row.preserved) and row.state in _IDLE
        for row in board.rows
    )


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
        [("muted", "spool    "), ("", visible(board.site.spool))],
    ]
    command = inject_command(board)
    if command:
        lines += [
            [("muted", "put in   "), ("accent", visible(command))],
            [("muted", "start    "), ("key", "s"), ("", " the runner of that queue, "),
             ("key", "S"), ("", " all of them")],
        ]  # fmt: skip
    return [
        *lines,
        [("muted", "learn    "), ("key", "?"), ("", " all keys, "), ("key", "^p"),
         ("", " every command by name")],
    ]  # fmt: skip
