"""``qtool ls``: what is in a queue, entry by entry."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from qtool.commands.entries import Listing, has_reasons
from qtool.commands.numbers import count
from qtool.commands.output import DONE, FAILED, put_json, tell
from qtool.commands.site import opened
from qtool.commands.tables import Table, terminal_width
from qtool.control.paging import PAGE, pages
from qtool.render.entries import QUEUE_COLUMNS, address, queue_row

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Entry, Found

_EXAMPLES = """\
examples:
  qtool ls                             the queues, and what waits in each
  qtool ls in                          the 100 oldest entries of a queue
  qtool ls shunt 'age>1d not from:bob' those that a filter matches
  qtool ls out -n 10 --sort size       the ten largest
  qtool ls bad -n 0 --json | jq .why   all of them, for programs
"""

_USUAL_NUMBER = 100
MOST_SORTED = 100_000
"""How many entries are sorted, at most: all of them have to be held."""

_KEYS: dict[str, Callable[[Entry], Any]] = {
    "when": lambda entry: entry.when,
    "size": lambda entry: -(entry.size or 0),
    "subject": lambda entry: entry.subject.casefold(),
    "from": lambda entry: address(entry.sender).casefold(),
    "list": lambda entry: entry.list_id.casefold(),
}


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.mixes = True
    parser.epilog = _EXAMPLES
    parser.add_argument("queue", metavar="QUEUE", nargs="?",
                        help="also held:QUEUE and trash:N")  # fmt: skip
    parser.add_argument("words", metavar="FILTER", nargs="*",
                        help="which entries; not PART for what has not to"
                        " match")  # fmt: skip
    parser.add_argument("-n", "--number", metavar="N", type=count,
                        default=_USUAL_NUMBER,
                        help=f"how many, at most; else {_USUAL_NUMBER}; 0:"
                        " all")  # fmt: skip
    parser.add_argument("--sort", metavar="KEY", choices=tuple(_KEYS), default="when",
                        help="when (the oldest first), size (the largest first),"
                        " subject, from or list; else when")  # fmt: skip
    parser.add_json()


def run(options: Namespace) -> int:
    """Print the entries of a queue, or the queues."""
    with opened(options) as control:
        if options.queue is None:
            return _put_queues(control, in_json=options.json)
        where = " ".join(options.words)
        if options.sort == "when":
            return _put_oldest(control, options, where)
        return _put_sorted(control, options, where)


def table_of(entries: Iterable[Entry]) -> None:
    """Print some entries as ``ls`` does."""
    held = list(entries)
    Listing(why=any(entry.why for entry in held)).put(held)


def _put_queues(control: Control, *, in_json: bool) -> int:
    board = control.scan()
    rows = [row for row in board.rows if row.has_queue]
    for row in rows if in_json else ():
        facts = ("depth", "in_flight", "held", "preserved", "oldest")
        put_json({"queue": row.name, **{fact: getattr(row, fact) for fact in facts}})
    if not in_json:
        table = Table(*QUEUE_COLUMNS, width=terminal_width())
        table.put(queue_row(row, board) for row in rows)
    return DONE


def _put_oldest(control: Control, options: Namespace, where: str) -> int:
    """Print entries as they are found, and say what is left."""
    listing = Listing(why=has_reasons(options.queue), in_json=options.json)
    shown = read = 0
    left = options.number or None
    for page in _progressing(control, options.queue, where, min(left or PAGE, PAGE)):
        read += page.read
        entries = page.entries[:left]
        shown += len(entries)
        if entries:
            listing.put(entries, more=not page.complete)
        left = None if left is None else left - len(entries)
        if left == 0:
            _tell_more(page, shown, read, where)
            return DONE
    if not shown:
        tell(_nothing(options.queue, where))
    return DONE


def _tell_more(page: Found, shown: int, read: int, where: str) -> None:
    """Say on standard error that there are more, and how many as far as is known."""
    if not where and page.total > shown:
        tell(f"{page.total - shown:,} more of {page.total:,}; -n 0 shows all")
    elif where and not page.complete:
        tell(f"there may be more: {read:,} of {page.total:,} entries were looked at;"
             " -n 0 shows all")  # fmt: skip


def _put_sorted(control: Control, options: Namespace, where: str) -> int:
    """Print entries in another order: all of them have to be read for it."""
    key, number = _KEYS[options.sort], options.number or MOST_SORTED
    found = _Counted(_progressing(control, options.queue, where, PAGE))
    held = heapq.nsmallest(min(number, MOST_SORTED), found, key=key)
    if held:
        listing = Listing(why=has_reasons(options.queue), in_json=options.json)
        listing.put(held)
    if not found.count:
        tell(_nothing(options.queue, where))
    elif found.count > MOST_SORTED and number >= MOST_SORTED:
        tell(f"only the first {MOST_SORTED:,} of {found.count:,} are shown: more are"
             " not sorted")  # fmt: skip
        return FAILED
    elif found.count > len(held):
        tell(f"{found.count - len(held):,} more of {found.count:,}; -n 0 shows all")
    return DONE


class _Counted:
    """The entries of pages, and how many there were."""

    def __init__(self, pages: Iterable[Found]) -> None:
        self._pages = pages
        self.count = 0

    def __iter__(self) -> Iterator[Entry]:
        for page in self._pages:
            self.count += len(page.entries)
            yield from page.entries


def _progressing(
    control: Control, queue: str, where: str, number: int
) -> Iterator[Found]:
    """Yield pages, and show how far the search is."""
    from qtool.commands.progress import Progress

    read = found = 0
    with Progress("read") as progress:
        for page in pages(control, queue, where, number):
            read += page.read
            found += len(page.entries)
            progress.at(read, f"found >= {found:,}", page.total)
            yield page


def _nothing(queue: str, where: str) -> str:
    return f"{queue}: no entry is like that" if where else f"{queue}: no entry is there"
