"""``qtool top``: the board as text that keeps up, on a terminal in place."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from contextlib import suppress
from select import select
from typing import TYPE_CHECKING

from qtool import render
from qtool.commands.findings import findings, told
from qtool.commands.fitting import Paragraph, fitted
from qtool.commands.numbers import from_one
from qtool.commands.output import (
    DONE,
    carries_unicode,
    flush,
    put,
    put_json,
    tell,
    tell_passing,
)
from qtool.commands.site import opened
from qtool.commands.status import site_lines
from qtool.commands.tables import (
    Column,
    Styled,
    Table,
    below,
    put_lines,
    terminal_width,
    wrapped,
)
from qtool.errors import Unreachable
from qtool.render.findings import STYLES
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Board, QueueRow, Severity
    from qtool.render import Span

_EXAMPLES = """\
examples:
  qtool top                            in place, until q or Ctrl-C
  qtool top --once
  qtool top -n 60 > a-minute.txt
  qtool top --json | jq -c '.rows[] | [.name, .depth, .rate_out]'
"""

APART_SECONDS = 1.0
FIRST_SECONDS = 2.2
"""The first snapshot waits so long, at most, for rates that nobody knows yet."""
PATIENCE_SECONDS = 1.0
"""Without a board for so long, it is said what is waited for."""
LONGEST_SECONDS = 30.0
"""One snapshot alone is waited for no longer."""
WAITING = "waiting: the daemon, or the disk, has not answered yet"
_COLUMNS = (
    Column("QUEUE", most=20),
    Column("DEPTH", right=True),
    Column("FLIGHT", right=True),
    Column("OLDEST", right=True),
    Column("IN", right=True),
    Column("OUT", right=True),
    Column("P95", right=True),
    Column("VERDICT"),
)


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--once", action="store_const", const=1, dest="number",
                        help="one snapshot, with rates")  # fmt: skip
    number.add_argument("-n", "--number", metavar="N", type=from_one,
                        help="so many snapshots, one a second")  # fmt: skip
    parser.set_defaults(number=None)
    parser.add_json("a board a line, once a second")


def run(options: Namespace) -> int:
    """Show the board until told to end, or so many times."""
    in_place = options.number is None and not options.json and sys.stdout.isatty()
    with opened(options, in_line=False) as control:
        news = News(control)
        try:
            if in_place:
                from qtool.commands.in_place import show  # few need a terminal's modes

                show(news, screen_of, WAITING)
            else:
                _snapshots(news, options)
        finally:
            news.close()
    return DONE


class News:
    """The latest board, and a pipe that tells of the next.

    Args:
        control: Whose boards.
    """

    def __init__(self, control: Control) -> None:
        self.board: Board | None = None
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)
        self._is_open = True
        self._lock = threading.RLock()  # a signal's handler may come in between
        self._unwatch = control.watch(self._take)

    def _take(self, board: Board) -> None:
        self.board = board
        self.ring()

    def ring(self) -> None:
        """Have who waits look again; may be called by a signal's handler."""
        with self._lock, suppress(BlockingIOError):  # it is to look anyway
            if self._is_open:
                os.write(self._writer, b"!")

    def wait(self, seconds: float, *others: int) -> list[int]:
        """Wait for a board, or for something to read elsewhere; return where it is."""
        ready = select([self.reader, *others], [], [], max(0.0, seconds))[0]
        if self.reader in ready:
            os.read(self.reader, 1 << 12)
        return [each for each in ready if each != self.reader]

    def close(self) -> None:
        """Hear of no more boards."""
        self._unwatch()
        with self._lock:
            self._is_open = False
            os.close(self.reader)
            os.close(self._writer)


def _snapshots(news: News, options: Namespace) -> None:
    left = options.number or math.inf
    board = _first(news, is_alone=left == 1)
    due = time.monotonic()
    while True:
        if options.json:
            put_json(board)
        else:
            put_lines(lines_of(board, wrap=terminal_width()))
        flush()
        left, due = left - 1, due + APART_SECONDS
        if not left:
            return
        while (now := time.monotonic()) < due:
            news.wait(due - now)
        board = news.board or board
        if not options.json:
            put("")


def _first(news: News, *, is_alone: bool) -> Board:
    """Return the first board that has rates, or the one that is there after a while.

    Raises:
        Unreachable: None has come in half a minute, and no other would be waited for.
    """
    began = time.monotonic()
    is_told = False
    while True:
        board, waited = news.board, time.monotonic() - began
        if board is not None and (waited >= FIRST_SECONDS or _has_rates(board)):
            return board
        if board is not None and sys.stderr.isatty():
            tell_passing(sys.stderr, "watching for 2 s, for the rates")
        elif board is None and waited >= LONGEST_SECONDS and is_alone:
            raise Unreachable("the daemon, or the disk, does not answer")
        elif board is None and waited >= PATIENCE_SECONDS and not is_told:
            tell(WAITING)
            is_told = True
        news.wait(PATIENCE_SECONDS if board is None else FIRST_SECONDS - waited)


def _has_rates(board: Board) -> bool:
    return all(row.rate_in is not None for row in board.rows if row.has_queue)


def lines_of(board: Board, *, wrap: int | None = None) -> list[list[Span]]:
    """Return the board as lines of spans.

    Args:
        board: The latest.
        wrap: Where the evidence goes on in a new line; None: nowhere.
    """
    return [line for each in _paragraphs(board, wrap=wrap) for line in each.lines]


def screen_of(board: Board, columns: int, rows: int) -> list[list[Span]]:
    """Return as much of the board as a screen has room for."""
    return fitted(_paragraphs(board, width=columns, wrap=columns), columns, rows)


def _paragraphs(
    board: Board, *, width: int | None = None, wrap: int | None = None
) -> list[Paragraph]:
    table = Table(*_COLUMNS, width=width)
    unicode = carries_unicode(sys.stdout)
    rows = [_cells(row, board.at, has_unicode=unicode) for row in board.rows]
    heading, *shown = table.lines(rows)
    clock = render.moment(board.at)[11:19]
    keys = [("muted", "   q ends")] if width is not None else []
    title = [("title", f"qtool top  {clock}"), *keys]
    parts = [Paragraph([title]), *(_told(line, wrap) for line in site_lines(board))]
    parts += [Paragraph([[]]), Paragraph([heading])]
    for row, line in zip(board.rows, shown, strict=True):
        parts.append(Paragraph([line]))
        for severity, text in _evidence(row, line):
            lines = below([(STYLES[severity], text)], wrap)
            parts.append(Paragraph(lines, severity))
    return parts


def _told(line: list[Span], wrap: int | None) -> Paragraph:
    """Return what is told of the site; what names it, in two parts, is no text."""
    if len(line) != 1:
        return Paragraph([line])
    ((style, text),) = line
    return Paragraph([[(style, part)] for part in wrapped(text, wrap, 0)])


def _evidence(row: QueueRow, line: list[Span]) -> Iterator[tuple[Severity, str]]:
    """Yield the evidence for the row's verdict, and the others with theirs."""
    for each in findings(row):
        # It is at the end of its row, where it is not cut.
        is_shown = each is row.verdict and line[-1][1] == visible(each.words, 1000)
        text = visible(each.evidence, 1000) if is_shown else told(each)
        if text:
            yield each.severity, text


def _cells(row: QueueRow, at: float, *, has_unicode: bool) -> tuple[Styled, ...]:
    flight = render.NONE if row.in_flight is None else str(row.in_flight)
    p95 = None if row.when_p95 is None else at - row.when_p95
    figures: tuple[str, ...] = (
        render.depth(row),
        flight,
        render.oldest(row, at, honours_due=row.honours_due),
        render.rate(row.rate_in) if row.has_queue else render.NONE,
        render.rate(row.rate_out) if row.has_queue else render.NONE,
        render.age(p95),
    )
    if not has_unicode:
        figures = tuple(text.replace(render.UNKNOWN, "?") for text in figures)
    found = row.verdict
    last = Styled("", "")
    if found is not None:
        last = Styled(found.words, STYLES[found.severity])
    return (Styled(row.name, ""), *(Styled(text, "") for text in figures), last)
