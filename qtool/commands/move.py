"""``qtool move``: put entries into another queue."""

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
  qtool move virgin out 1795273010.25
  qtool move in shunt 'subject~"^Re: "' --dry-run
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("queue", metavar="QUEUE")
    parser.add_argument("to", metavar="TO", nargs="?", default="",
                        help="the queue they go to")  # fmt: skip
    mending.options(parser)


def run(options: Namespace) -> int:
    """Move entries to another queue under the same names."""
    with opened(options) as control:
        return carried_out(options, control, "move", options.queue, options.to)
