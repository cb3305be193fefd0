"""``qtool status``: the board as text, once."""

from __future__ import annotations

import sys
from itertools import islice
from shlex import quote
from typing import TYPE_CHECKING

from qtool import render
from qtool.commands.findings import lines_below, site_findings
from qtool.commands.output import DONE, carries_unicode, put_json, tell
from qtool.commands.site import again, opened
from qtool.commands.tables import below, put_lines, terminal_width, wrapped
from qtool.control.models import RECONNECTING, State
from qtool.control.unattended import is_nobody_there, unattended, unattended_line
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.models import Board, Cell, QueueRow
    from qtool.render import Span

_EXAMPLES = """\
examples:
  qtool status
  qtool --config /etc/mailman.cfg status
  qtool status --json | jq '.rows[] | select(.depth > 100) | .name'
"""

_HEADINGS = ("QUEUE", "DEPTH", "FLIGHT", "OLDEST", "STATE", "SLICES")
_RIGHT = (False, True, True, True, False, False)
_LEAST_SLICES = 20
"""Columns that the slices have where there is less room."""
_STATE_COLUMN = _HEADINGS.index("STATE")
_LONGEST_PATH = 5000
_MOST_PARTS = 4
_NOT_BY_RUNNING = frozenset({State.NO_CLASS, State.IMPORT_ERROR})


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_json("one JSON object, for programs")


def run(options: Namespace) -> int:
    """Print what waits in each queue and who runs it."""
    with opened(options) as control:
        board = control.scan()
    _tell_unattended(options, board)
    if options.json:
        put_json(board)
        return DONE
    ascii_only = not carries_unicode(sys.stdout)
    put_lines(lines_of(board, ascii_only=ascii_only, wrap=terminal_width()))
    return DONE


def _tell_unattended(options: Namespace, board: Board) -> None:
    """Name what waits where nobody works, and how that can be ended."""
    for row in board.rows:
        line = unattended_line(row.cells)
        if line and not row.drained:
            tell(f"{visible(row.name, 60)}: {line}: {_remedy(options, row)}")
    for name in board.site.strays:
        stray, source = visible(name, 60), visible(board.site.source, _LONGEST_PATH)
        tell(f"{stray}: mail waits there, and no section of {source} names that folder")


def _remedy(options: Namespace, row: QueueRow) -> str:
    if row.paused:
        return visible(row.paused)
    if row.state in _NOT_BY_RUNNING:
        return row.refusal or "its class has to be found first"
    words = "run"
    if row.state is State.MAILMAN_STOPPED or not row.runner_slices:
        words = "run --once"  # Mailman starts its own; the other has none that stays
    if is_nobody_there(row.cells):
        return again(options, f"{words} -r {quote(row.name)}")
    parts = (
        f"-r {quote(row.name)}:{number}:{row.runner_slices}"
        for number in unattended(row.cells)
    )
    return again(options, " ".join([words, *islice(parts, _MOST_PARTS)]))


def lines_of(
    board: Board, *, ascii_only: bool = False, wrap: int | None = None
) -> list[list[Span]]:
    """Return the board as lines of spans: the site, then a row for each queue.

    Args:
        board: The latest.
        ascii_only: Whether the terminal can show no more than that.
        wrap: Where what is told below a row goes on in a new line; None: nowhere.
    """
    rows = [_cells(row, board.at, ascii_only=ascii_only) for row in board.rows]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    lines = [*site_lines(board), []]
    lines.append([("title", _aligned(_HEADINGS, widths))])
    for row, cells in zip(board.rows, rows, strict=True):
        *told, slices = cells
        start = sum(widths[:-1]) + 2 * len(told)
        room = None if wrap is None else max(wrap - start, _LEAST_SLICES)
        first, *more = wrapped(slices, room, 0)
        lines.append(_spans(row, (*told, first), widths))
        lines += [[("", " " * start + text)] for text in more]
        lines += below(lines_below(row), wrap)
    return lines


def site_lines(board: Board) -> list[list[Span]]:
    """Return which site this is, and what is to be said of it as a whole."""
    site = board.site
    lines: list[list[Span]] = [
        [("muted", "spool   "), ("", visible(site.spool, _LONGEST_PATH))],
        [("muted", "config  "), ("", visible(site.source, _LONGEST_PATH))],
    ]
    if site.mailman:
        lines.append([("muted", "mailman "), ("", visible(site.mailman))])
    if site.attached == RECONNECTING:
        at = render.moment(board.at)[11:19]
        lines.append([("warning", f"the daemon is gone: this is what it saw at {at}")])
    elif site.attached:
        lines.append([("muted", visible(site.attached))])
    if site.read_only:
        lines.append([("warning", f"read-only: {visible(site.read_only)}")])
    if site.watching.startswith("polling"):
        polling = f"{site.watching}: there are no events, arrivals may wait for 2 s"
        lines.append([("warning", visible(polling))])
    return [*lines, *([span] for span in site_findings(site))]


def _cells(row: QueueRow, at: float, *, ascii_only: bool) -> tuple[str, ...]:
    oldest = render.oldest(row, at, honours_due=row.honours_due)
    flight = render.NONE if row.in_flight is None else str(row.in_flight)
    glyph = render.state_glyph(row.state, ascii_only=ascii_only)
    state = f"{glyph} {render.state_word(row.state)}"
    depth = render.depth(row)
    if ascii_only:
        depth = depth.replace(render.UNKNOWN, "?")
    name = visible(row.name, 60)
    return (name, depth, flight, oldest, state, _slices(row))


def _slices(row: QueueRow) -> str:
    """Return the depth of each slice, a bar between those of different runners."""
    if not row.depth:
        return render.NONE
    text = ""
    previous: Cell | None = None
    for cell in row.cells:
        if previous is not None:
            text += " | " if cell.owner != previous.owner else " "
        text += str(cell.depth)
        previous = cell
    return text


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, _RIGHT, strict=True)
    )
    return "  ".join(padded).rstrip()


def _spans(row: QueueRow, cells: tuple[str, ...], widths: list[int]) -> list[Span]:
    line = _aligned(cells, widths)
    start = sum(widths[:_STATE_COLUMN]) + 2 * _STATE_COLUMN
    end = start + widths[_STATE_COLUMN]
    style = render.state_style(row.state)
    return [("", line[:start]), (style, line[start:end]), ("", line[end:])]
