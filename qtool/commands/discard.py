"""``qtool discard``: put entries into the trash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands import mending
from qtool.commands.mending import carried_out
from qtool.commands.site import opened

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser

_EXAMPLES = """\
examples:
  qtool discard bad 'age>30d' --dry-run
  qtool discard in 1795273010.25 --yes --why spam
  qtool undo
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("queue", metavar="QUEUE")
    mending.options(parser)


def run(options: Namespace) -> int:
    """Put entries of a queue into the trash."""
    with opened(options) as control:
        return carried_out(options, control, "discard", options.queue)
