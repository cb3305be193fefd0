"""``qtool release``: let held entries wait in their queue again."""

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
  qtool release out all
  qtool release out 1795273010.25 --yes
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("queue", metavar="QUEUE")
    mending.options(parser)


def run(options: Namespace) -> int:
    """Release what is held of a queue."""
    with opened(options) as control:
        return carried_out(options, control, "release", options.queue)
