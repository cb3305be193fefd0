"""``qtool log``: what the daemon has logged."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from qtool.commands.loglines import line_of
from qtool.commands.numbers import count
from qtool.commands.output import DONE, flush, put, put_json, tell
from qtool.commands.site import again, opened
from qtool.errors import Refused
from qtool.untrusted import visible_block

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Board, LogLine

_EXAMPLES = """\
examples:
  qtool log
  qtool log --level warning -n 100
  qtool log -f 'qtool.runner.out'

The daemon keeps its last records in memory, with tracebacks.
"""
_LEVELS = ("debug", "info", "warning", "error")
_MOST = 20


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.mixes = True
    parser.add_argument("text", metavar="TEXT", nargs="?", default="",
                        help="only records that contain this")  # fmt: skip
    parser.add_argument("-f", "--follow", action="store_true",
                        help="go on with what comes, until Ctrl-C")  # fmt: skip
    parser.add_argument("-n", "--number", metavar="N", type=count, default=_MOST,
                        help=f"the last N of them; else {_MOST}")  # fmt: skip
    parser.add_argument("--level", choices=_LEVELS, default="debug",
                        help="this, and what is worse")  # fmt: skip
    parser.add_json("one JSON object a record, one a line")


def run(options: Namespace) -> int:
    """Print the last records, and those that come where that is asked for."""
    with opened(options) as control:
        if not control.site().attached:
            start = again(options, "run")
            raise Refused(f"no daemon runs this site, and logs: {start} starts one")
        if options.follow:
            _follow(control, options)
        _print(_last(_chosen(control.log(), options), options.number), options)
    return DONE


def _follow(control: Control, options: Namespace) -> None:
    """Print records as they come; it ends with Ctrl-C."""
    news, seen, first = threading.Event(), 0, True
    attached = control.site().attached

    def take(board: Board) -> None:
        nonlocal attached
        if board.site.attached != attached:
            attached = board.site.attached
            tell(attached)
        news.set()

    control.watch(take)
    while news.wait():
        news.clear()
        lines = control.log(seen)
        seen = lines[-1].number if lines else seen
        found = _chosen(lines, options)
        _print(_last(found, options.number) if first else found, options)
        first = False


def _chosen(lines: Iterable[LogLine], options: Namespace) -> list[LogLine]:
    text = options.text.casefold()
    least = logging.getLevelName(options.level.upper())
    return [
        line
        for line in lines
        if logging.getLevelName(line.level) >= least
        and (text in line.text.casefold() or text in line.source.casefold())
    ]


def _last(lines: list[LogLine], number: int) -> list[LogLine]:
    return lines[max(0, len(lines) - number) :]


def _print(lines: Iterable[LogLine], options: Namespace) -> None:
    for line in lines:
        if options.json:
            put_json(line)
            continue
        put(line_of(line.when, line.level, line.source, line.text))
        for more in visible_block(line.traceback).splitlines():
            put(f"    {more}")
    flush()
