"""``qtool find``: entries that a filter matches, in all queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands.entries import Listing, has_reasons
from qtool.commands.numbers import count
from qtool.commands.output import DONE, FAILED, LEFT, tell
from qtool.commands.progress import Progress
from qtool.commands.site import opened
from qtool.control.paging import PAGE, pages
from qtool.control.places import place

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control

_EXAMPLES = """\
examples:
  qtool find from:anne@example.com
  qtool find 'subject~"invoice|bill" size>1M' -q in -q out
  qtool find id:20231114@example.com --json | jq -r .queue
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.mixes = True
    parser.epilog = f"{_EXAMPLES}\nexit status: 0 found, 1 found nothing"
    parser.add_argument("words", metavar="FILTER", nargs="+", help="which entries")
    parser.add_argument("-q", "--queue", metavar="QUEUE", action="append", default=[],
                        help="only in this one; may be repeated; also held:QUEUE and"
                        " trash:N")  # fmt: skip
    parser.add_argument("-n", "--number", metavar="N", type=count, default=0,
                        help="how many, at most; else all")  # fmt: skip
    parser.add_json()


def run(options: Namespace) -> int:
    """Print what a filter matches, queue by queue."""
    where = " ".join(options.words)
    with opened(options) as control:
        for name in options.queue:
            place(control.configuration, name)  # raises where there is none
        named = tuple(dict.fromkeys(options.queue))
        queues = named or tuple(control.configuration.switchboards)
        return _put_found(control, queues, where, options)


def _put_found(
    control: Control, queues: Sequence[str], where: str, options: Namespace
) -> int:
    why = bool(queues) and all(map(has_reasons, queues))
    listing = Listing(where=True, why=why, in_json=options.json)
    found, unread = 0, 0
    with Progress("read") as progress:
        for queue in queues:
            read = 0
            try:
                for page in pages(control, queue, where, PAGE):
                    left = options.number - found if options.number else None
                    entries = page.entries[:left]
                    found += len(entries)
                    if entries:
                        listing.put(entries, more=True)
                    read += page.read
                    if options.number and found >= options.number:
                        return DONE
                    progress.at(read, f"in {queue}, found >= {found:,}", page.total)
            except PermissionError as error:
                unread += 1
                tell(f"{queue}: {error.strerror}")
    if unread:
        return LEFT
    if not found:
        tell("no entry is like that")
        return FAILED
    return DONE
