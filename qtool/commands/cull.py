"""``qtool cull``: put what is old into the trash."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtool.commands.mending import EXIT_STATUS, acted, carried_out
from qtool.commands.output import DONE, tell
from qtool.commands.site import opened
from qtool.errors import Refused

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control

_EXAMPLES = """\
examples:
  qtool cull --older 30d bad --dry-run    what would go
  qtool cull --older 30d bad              after a question
  qtool cull --older 30d bad --unattended    from a timer (qtool units --cull)
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES + EXIT_STATUS
    parser.add_argument("queue", metavar="QUEUE")
    parser.add_argument("--older", metavar="AGE", default="",
                        help="than this: 30d, 12h")  # fmt: skip
    parser.add_why()
    how = parser.add_dry_run("them, and the token that acts on exactly these")
    how.add_argument("-y", "--yes", metavar="TOKEN",
                     help="act on what was shown with that token")  # fmt: skip
    how.add_argument("--unattended", action="store_true",
                     help="act on what is old now, unasked: for timers")  # fmt: skip
    parser.add_json("what would be or was done, as JSON")


def run(options: Namespace) -> int:
    """Discard the entries of a queue that are older than said."""
    older: str = options.older
    if not options.yes and not older.isalnum():
        raise Refused("say how old: --older 30d, or 12h")
    with opened(options) as control:
        if options.unattended:
            return _unattended(options, control)
        options.which = [] if options.yes else [f"age>{older}"]
        return carried_out(options, control, "discard", options.queue)


def _unattended(options: Namespace, control: Control) -> int:
    queue = options.queue
    preview = control.preview("discard", queue, f"age>{options.older}")
    if not preview.count:
        tell(f"{queue}: nothing is older than {options.older}")
        return DONE
    why = options.why or f"older than {options.older}"
    call = partial(control.confirm, preview.token, why, "discard", queue)
    return acted(options, control, call)
