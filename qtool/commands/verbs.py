"""What the commands that act on entries are made of: they differ in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands.mending import EXIT_STATUS, carried_out
from qtool.commands.site import opened

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from qtool.commands.arguments import Parser


def verb(
    name: str, examples: str, *, queue: str = "", to: str = ""
) -> tuple[Callable[[Parser], None], Callable[[Namespace], int]]:
    """Return ``options`` and ``run`` of the command for an act.

    Args:
        name: The act's, and the command's.
        examples: For the help.
        queue: Where the entries are unless ``--queue`` says so; else it is named
            before them.
        to: What is said of the queue that they go to, where one may be named: behind
            ``queue`` as an option, else as the second word.
    """

    def options(parser: Parser) -> None:
        """Add the arguments of the command."""
        parser.epilog = examples + EXIT_STATUS
        if queue:
            parser.add_argument("-q", "--queue", metavar="QUEUE", default=queue,
                                help=f"where they are; else {queue}")  # fmt: skip
        else:
            parser.add_argument("queue", metavar="QUEUE")
        if to and not queue:
            parser.add_argument("to", metavar="TO", nargs="?", default="", help=to)
        parser.add_argument("which", metavar="NAME|FILTER|all", nargs="*",
                            help="entries by the beginnings of their names, those that"
                            " a filter selects, or all")  # fmt: skip
        if to and queue:
            parser.add_argument("--to", metavar="QUEUE", default="", help=to)
        _add_confirming(parser)
        parser.set_defaults(to="")

    def run(options: Namespace) -> int:
        """Do it to the entries that were chosen."""
        with opened(options) as control:
            return carried_out(options, control, name, options.queue, options.to)

    return options, run


def _add_confirming(parser: Parser) -> None:
    parser.add_why()
    how = parser.add_dry_run("them, and the token that acts on exactly these")
    how.add_argument("-y", "--yes", metavar="TOKEN", nargs="?", const=True,
                     help="act without a question: on what was shown with that"
                     " token, or on one entry that is named")  # fmt: skip
    parser.add_json("what would be or was done, as JSON")
