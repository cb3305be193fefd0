"""``qtool unshunt``: put shunted entries back to where they came from."""

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
  qtool unshunt 1795273010.25 --yes
  qtool unshunt why:SMTPServerDisconnected --dry-run
  qtool unshunt list:ant --to in
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    mending.options(parser, queue="shunt")
    parser.add_argument("--to", metavar="QUEUE", default="",
                        help="where they go, if not back")  # fmt: skip


def run(options: Namespace) -> int:
    """Put shunted entries back."""
    with opened(options) as control:
        return carried_out(options, control, "unshunt", options.queue, options.to)
