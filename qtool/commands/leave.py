"""``qtool leave``: give a site back, with nothing of qtool's in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands.asking import agreed
from qtool.commands.output import DONE, FAILED, put, put_json, tell
from qtool.commands.site import again, opened
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.models import Leaving, Left

_EXAMPLES = """\
examples:
  qtool leave --dry-run    see what of qtool's is there, and what is in the way
  qtool leave              remove it, after a question
  qtool leave --yes TOKEN  the same without a question, if nothing has changed

exit status: 1 where something is in the way
"""
_LONGEST_PATH = 5000


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    how = parser.add_dry_run("what is there, and the token that removes exactly this")
    how.add_argument("-y", "--yes", metavar="TOKEN",
                     help="remove without a question what was shown with that"
                     " token")  # fmt: skip
    parser.add_json("what is there, and what was removed, one JSON object each")


def run(options: Namespace) -> int:
    """Remove all that qtool keeps at the site, unless something is in the way."""
    with opened(options) as control:
        if options.yes:
            _left(options, control.leave(options.yes))
            return DONE
        leaving = control.leaving()
        _show(options, leaving)
        if leaving.hindrances:
            tell("it stays: first deal with what is in the way")
            return FAILED
        if not leaving.token or options.dry_run:
            return DONE
        question = "All of it is removed, for good."
        if not agreed(question, "leave", _how(options, leaving)):
            return FAILED
        _left(options, control.leave(leaving.token))
    return DONE


def _show(options: Namespace, leaving: Leaving) -> None:
    if options.json:
        put_json(leaving)
        return
    folder = visible(leaving.folder, _LONGEST_PATH)
    if not leaving.token and not leaving.remaining:
        put(f"nothing of qtool's is at {folder}")
        return
    put(f"{folder}: {leaving.files:,} file{'' if leaving.files == 1 else 's'}")
    for each in leaving.remaining:
        mark = "in the way: " if each.hinders else ""
        put(f"  {mark}{visible(each.words, _LONGEST_PATH)}")
        if each.fix:
            fix = each.fix
            if each.hinders:  # it names commands; others name files to be copied
                fix = fix.replace("qtool ", f"{again(options, '')} ")
            put(f"      {visible(fix, _LONGEST_PATH)}")
    if options.dry_run and leaving.token:
        tell(f"all of it would be removed; to do it: {_how(options, leaving)}")


def _left(options: Namespace, left: Left) -> None:
    if options.json:
        put_json(left)
        return
    folder = visible(left.folder, _LONGEST_PATH)
    put(f"removed {folder}, {left.files:,} file{'' if left.files == 1 else 's'}:"
        " nothing of qtool's is left there")  # fmt: skip


def _how(options: Namespace, leaving: Leaving) -> str:
    return again(options, f"leave --yes {leaving.token}")
