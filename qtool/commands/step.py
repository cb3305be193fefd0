"""``qtool step``: have a runner process one file, and show what that did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtool import render
from qtool.commands.asking import confirmed
from qtool.commands.output import DONE, FAILED, LEFT, put_json, tell
from qtool.commands.site import opened
from qtool.commands.tables import put_lines
from qtool.control.models import Outcome
from qtool.control.paging import the_file
from qtool.errors import Refused
from qtool.installation.specs import named

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.installation.specs import Chosen

_EXAMPLES = """\
examples:
  qtool step in
  qtool step in:0:4                    the next file of its first slice
  qtool step out 1789000000.25         the file whose name begins so

Mailman's own runner asks first: its step is real, and `out` sends mail.

exit status: 0 done or kept, 1 shunted or preserved, 3 nothing was taken
"""
_STATUS = {
    Outcome.DONE: DONE,
    Outcome.KEPT: DONE,
    Outcome.SHUNTED: FAILED,
    Outcome.PRESERVED: FAILED,
    Outcome.NOTHING: LEFT,
    Outcome.NOT_TAKEN: LEFT,
}


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "runner",
        metavar="RUNNER[:slice:range]",
        help="a runner, or one slice of it: out:0:4",
    )
    parser.add_argument("name", metavar="NAME", nargs="?",
                        help="the file, by the beginning of its name; else the"
                        " next")  # fmt: skip
    parser.add_argument("-y", "--yes", action="store_true",
                        help="step Mailman's runner without a question")  # fmt: skip
    parser.add_json("the report as one JSON object")


def run(options: Namespace) -> int:
    """Step it; print the report."""
    with opened(options) as control:
        parts = named(control.configuration, [options.runner])
        if len(parts) != 1:
            raise Refused("one runner is stepped at a time: name it")
        (part,) = parts
        name = None
        if options.name is not None:
            typed = Path(options.name).name or options.name
            name = the_file(control, part.name, typed)
        if not _may(control, options, part, name):
            tell("nothing was done")
            return LEFT
        report = control.step(part.name, name, part.slice)
    if options.json:
        put_json(report)
    else:
        put_lines([line] for line in render.step_report_lines(report))
    return _STATUS[report.outcome]


def _may(control: Control, options: Namespace, part: Chosen, name: str | None) -> bool:
    """Return whether nothing need be asked, or the answer is yes."""
    question = control.step_question(part.name, name)
    if question is None:
        return True
    if part.slice is not None and name is None:
        raise Refused(f"{part.name} is Mailman's: name the file instead of a slice")
    return options.yes or confirmed(question)
