"""``qtool undo``: take back what was done to entries."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtool.commands.asking import confirmed
from qtool.commands.mending import EXIT_STATUS, acted, shown
from qtool.commands.numbers import from_one
from qtool.commands.output import DONE, FAILED, tell
from qtool.commands.site import opened
from qtool.commands.tables import put_table
from qtool.render.acts import ACT_COLUMNS, act_row

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control

_EXAMPLES = """\
examples:
  qtool undo                what you did last
  qtool undo --list         what was done, and can be taken back
  qtool undo 17             one act by its number
  qtool undo 17 --dry-run   what that would put back, and where to
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES + EXIT_STATUS
    parser.add_argument("number", metavar="ACT", nargs="?", type=int,
                        help="its number; else your own last act")  # fmt: skip
    parser.add_argument("-l", "--list", action="store_true",
                        help="only list what was done, the newest first")  # fmt: skip
    parser.add_argument("-n", "--number", dest="most", metavar="N", type=from_one,
                        default=20,
                        help="how many are listed; else 20")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true",
                        help="only show what would go back, and where to")  # fmt: skip
    parser.add_why()
    parser.add_argument("-y", "--yes", action="store_true",
                        help="also what another user did, unasked")  # fmt: skip
    parser.add_json()


def run(options: Namespace) -> int:
    """Take an act back, or list them."""
    with opened(options) as control:
        if options.list:
            return _listed(options, control)
        if options.dry_run:
            return shown(options, control.rehearse_undo(options.number))
        others = options.yes
        if options.number is not None and not others:
            question = control.undo_question(options.number)
            if question and not confirmed(question, "undo"):
                tell("nothing was done")
                return FAILED
            others = bool(question)
        undo = partial(control.undo, options.number, others, options.why)
        return acted(options, control, undo)


def _listed(options: Namespace, control: Control) -> int:
    acts = control.acts(options.most)
    put_table(options, acts, ACT_COLUMNS, act_row, "nothing was done yet")
    for act in acts:
        if act.damage and not options.json:
            tell(act.damage)
    return DONE
