"""``qtool requeue``: give entries the time of now."""

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
  qtool requeue retry 'due<1h' --dry-run
  qtool requeue retry 1795273010.25 --yes
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("queue", metavar="QUEUE")
    mending.options(parser)


def run(options: Namespace) -> int:
    """Requeue entries: due at once, or last in the line."""
    with opened(options) as control:
        return carried_out(options, control, "requeue", options.queue)
