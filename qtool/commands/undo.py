"""``qtool undo``: take back what was done to entries."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.commands.asking import confirmed
from qtool.commands.mending import Verb, told
from qtool.commands.output import DONE, FAILED, put_json, tell
from qtool.commands.site import opened
from qtool.commands.tables import Column, Table, terminal_width

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Act

_EXAMPLES = """\
examples:
  qtool undo                what you did last
  qtool undo --list         what was done, and can be taken back
  qtool undo 17             one act by its number
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("number", metavar="ACT", nargs="?", type=int,
                        help="its number; else your own last act")  # fmt: skip
    parser.add_argument("-l", "--list", action="store_true",
                        help="only list what was done, the newest first")  # fmt: skip
    parser.add_argument("-n", metavar="N", type=int, default=20,
                        help="how many are listed; else 20")  # fmt: skip
    parser.add_argument("--why", metavar="TEXT", default="", help="for the audit")
    parser.add_argument("-y", "--yes", action="store_true",
                        help="also what another user did, unasked")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="one object a line")  # fmt: skip


def run(options: Namespace) -> int:
    """Take an act back, or list them."""
    with opened(options) as control:
        if options.list:
            return _listed(options, control)
        others = options.yes
        if options.number is not None and not others:
            question = control.undo_question(options.number)
            if question and not confirmed(question, "undo"):
                tell("nothing was done")
                return FAILED
            others = bool(question)
        result = control.undo(options.number, others, options.why)
    return told(options, Verb(name="undo", done="put back"), result)


def _listed(options: Namespace, control: Control) -> int:
    acts = control.acts(options.n)
    if options.json:
        for act in acts:
            put_json(act)
        return DONE
    if not acts:
        tell("nothing was done yet")
    table = Table(
        Column("ACT", right=True), Column("WHEN"), Column("WHO"), Column("WHAT"),
        Column("ENTRIES", right=True), Column("STATE"), Column("WHY"),
        width=terminal_width(),
    )  # fmt: skip
    table.put(
        (act.number, _when(act.at), act.who or None, _what(act), act.count,
         _state(act), act.why or None)
        for act in acts
    )  # fmt: skip
    for act in acts:
        if act.damage:
            tell(act.damage)
    return DONE


def _when(at: float) -> str | None:
    if not at:
        return None
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _what(act: Act) -> str | None:
    if act.damage:
        return None
    if act.undoes:
        return f"undo {act.undoes}"
    return f"{act.verb} {act.queue}{f' to {act.to}' if act.to else ''}"


def _state(act: Act) -> str:
    if act.damage:
        return "damaged"
    if act.undone_by:
        return f"undone by {act.undone_by}"
    if act.done is None:
        return "under way" if act.is_under_way else "cut off"
    return "done" if act.done == act.count else f"{act.done} done"
