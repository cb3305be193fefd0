"""``qtool hold``: put entries where no runner takes them."""

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
  qtool hold out 1795273010.25
  qtool hold out from:bob@example.com --why 'a flood' --dry-run
  qtool ls held:out
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("queue", metavar="QUEUE")
    mending.options(parser)


def run(options: Namespace) -> int:
    """Hold entries of a queue."""
    with opened(options) as control:
        return carried_out(options, control, "hold", options.queue)
