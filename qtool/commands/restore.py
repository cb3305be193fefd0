"""``qtool restore``: let preserved entries wait again."""

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
  qtool restore 1795273010.25 --to in
  qtool restore all --to in --dry-run
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    mending.options(parser, queue="bad")
    parser.add_argument("--to", metavar="QUEUE", default="",
                        help="where they go, if they do not tell")  # fmt: skip


def run(options: Namespace) -> int:
    """Let preserved entries wait again."""
    with opened(options) as control:
        return carried_out(options, control, "restore", options.queue, options.to)
