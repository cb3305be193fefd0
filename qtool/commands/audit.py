"""``qtool audit``: who did what, to which files, and from where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands.moments import past
from qtool.commands.numbers import from_one
from qtool.commands.output import DONE, put_json, tell
from qtool.commands.site import opened
from qtool.commands.tables import Table, terminal_width
from qtool.control.paging import records
from qtool.render.audit import columns, row

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import AuditRecord

_EXAMPLES = """\
examples:
  qtool audit --since 2d                  who did what in the last two days
  qtool audit --who anne --act discard    what anne discarded
  qtool audit --file FILEBASE             what became of one message
  qtool audit -n 1000 smarthost           where that was the reason, say
"""
_MOST = 20


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.mixes = True
    parser.add_argument("text", metavar="TEXT", nargs="?", default="",
                        help="only where this is in what is told")  # fmt: skip
    parser.add_argument("--since", metavar="WHEN", type=past, default=0.0,
                        help="how long ago, or a time: 2d, 1h30m, 18:30, 2026-12-31,"
                        " 2026-12-31T18:30")  # fmt: skip
    parser.add_argument("--until", metavar="WHEN", type=past, default=0.0,
                        help="the same, for the end")  # fmt: skip
    parser.add_argument("--who", metavar="USER", default="",
                        help="a user, who logged in, or called sudo")  # fmt: skip
    parser.add_argument("--act", metavar="ACT", default="",
                        help="as it is called: step, discard, confirm")  # fmt: skip
    parser.add_argument("--file", metavar="FILEBASE", default="",
                        help="what was done to those whose names begin so")  # fmt: skip
    parser.add_argument("-n", "--number", metavar="N", type=from_one, default=_MOST,
                        help=f"the newest N of them; else {_MOST}")  # fmt: skip
    parser.add_json("one JSON object an act, one a line")


def run(options: Namespace) -> int:
    """Print what is on record, the newest first."""
    width = terminal_width()
    table = Table(*columns(width), width=width)
    count = 0
    with opened(options) as control:
        for found in _pages(control, options):
            count += len(found)
            if options.json:
                for record in found:
                    put_json(record)
            elif found:
                table.put(row(record, width) for record in found)
    if not count and not options.json:
        tell("nothing like that is on record")
    return DONE


def _pages(control: Control, options: Namespace) -> Iterator[tuple[AuditRecord, ...]]:
    broken = 0
    for page in records(
        control, options.number, options.since, options.until, options.who,
        options.act, options.file, options.text,
    ):  # fmt: skip
        yield page.records
        broken += page.broken
    if broken:
        lines = "line of the file was" if broken == 1 else "lines of the file were"
        tell(f"{broken} {lines} cut off or nobody's, and passed over")
