"""What the commands that act on entries share: choosing, seeing, confirming, telling.

One entry that was named is acted on after a question, or with ``--yes``. Many are
shown first; the token of what was shown, or the typed word, acts on exactly those.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from qtool.commands.entries import the_one
from qtool.commands.output import DONE, FAILED, LEFT, put, put_json, tell
from qtool.commands.site import again
from qtool.errors import Refused
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import ActionResult, Missed, Preview

EVERYTHING = "all"
_NAME = re.compile(r"[0-9]+\.[0-9]+(?:\+[0-9a-f]*)?(?:\.pck|\.psv)?", re.ASCII)
"""What a filebase begins with; no filter does."""
_NOTHING_CHOSEN = "say which: a NAME, a FILTER, or all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One act, in the words of its command."""

    name: str
    done: str
    """``moved``."""


def options(parser: Parser, *, queue: str = "") -> None:
    """Add the arguments of a command that acts on entries.

    Args:
        parser: Of the command.
        queue: Where the entries are unless ``--queue`` says so; else it is named
            before them.
    """
    if queue:
        parser.add_argument("-q", "--queue", metavar="QUEUE", default=queue,
                            help=f"where they are; else {queue}")  # fmt: skip
    parser.add_argument("which", metavar="NAME|FILTER|all", nargs="*",
                        help="entries by the beginnings of their names, those that a"
                        " filter selects, or all")  # fmt: skip
    parser.add_argument("--why", metavar="TEXT", default="",
                        help="for the audit, and for whoever asks later")  # fmt: skip
    parser.add_argument("-n", "--dry-run", action="store_true",
                        help="only show them, and the token that acts on"
                        " exactly these")  # fmt: skip
    parser.add_argument("-y", "--yes", metavar="TOKEN", nargs="?", const=True,
                        help="act without a question: on what was shown with that"
                        " token, or on one entry that is named")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="what would be or was done, as JSON")  # fmt: skip


def carried_out(
    options: Namespace, control: Control, verb: Verb, queue: str, to: str = ""
) -> int:
    """Do what the options ask for; return the exit status."""
    if isinstance(options.yes, str):
        if options.which:
            raise Refused("a token stands for its own list: name nothing beside it")
        return told(options, verb, control.confirm(options.yes, options.why))
    preview = _previewed(options, control, verb, queue, to)
    if not preview.count:
        tell(f"{queue}: no entry is like that")
        return FAILED
    is_one = len(options.which) == 1 and _is_name(options.which[0])
    if options.yes and not is_one:
        how = _how(options, preview)
        raise Refused(f"--yes alone is for one entry by its name; to do it: {how}")
    if not options.yes:
        _show(options, preview)
    if options.dry_run or not (options.yes or _agreed(options, verb, preview)):
        return DONE if options.dry_run else FAILED
    return told(options, verb, control.confirm(preview.token, options.why))


def _previewed(
    options: Namespace, control: Control, verb: Verb, queue: str, to: str
) -> Preview:
    which: list[str] = options.which
    if not which:
        raise Refused(_NOTHING_CHOSEN)
    if all(map(_is_name, which)):
        place = f"held:{queue}" if verb.name == "release" else queue
        names = tuple(the_one(control, place, name) for name in which)
        return control.preview(verb.name, queue, filebases=names, to=to)
    return control.preview(verb.name, queue, " ".join(which), to=to)


def _is_name(word: str) -> bool:
    return _NAME.fullmatch(word) is not None


def _show(options: Namespace, preview: Preview) -> None:
    if options.json:
        put_json(preview)
        return
    from qtool.commands.ls import table_of

    table_of(preview.first)
    more = preview.count - len(preview.first)
    if more > 0:
        tell(f"and {more:,} more")
    for line in preview.warnings:
        tell(line)
    if options.dry_run:
        tell(f"{preview.count:,} would be meant; to do it: {_how(options, preview)}")


def _how(options: Namespace, preview: Preview) -> str:
    """Return the command line that acts on exactly what was shown."""
    words = [options.command]
    if "to" not in options:
        words.append(quote(preview.queue))
    elif options.command == "move":
        words += [quote(preview.queue), quote(preview.to)]
    return again(options, " ".join([*words, "--yes", preview.token]))


def _agreed(options: Namespace, verb: Verb, preview: Preview) -> bool:
    """Ask the person at the terminal; a program is told how to go on."""
    from qtool.commands.asking import confirmed

    if not sys.stdin.isatty():
        tell(f"nothing was done; to do it: {_how(options, preview)}")
        return False
    is_all = options.which == [EVERYTHING]
    count = f"{preview.count:,} entries" if preview.count > 1 else "this entry"
    word = EVERYTHING if is_all else verb.name
    question = f"{verb.name.capitalize()} {count} of {preview.queue}?"
    if confirmed(question, word):
        return True
    tell("nothing was done")
    return False


def told(options: Namespace, verb: Verb, result: ActionResult) -> int:
    """Tell what an act did; return the exit status."""
    if options.json:
        put_json(result)
    elif result.done:
        put(_line(verb, result))
    if result.note:
        tell(result.note)
    for missed in (result.skipped, result.failed):
        _tell_missed(missed, "left" if missed is result.skipped else "failed")
    if not (result.skipped or result.failed):
        return DONE
    return LEFT if result.done else FAILED


def _line(verb: Verb, result: ActionResult) -> str:
    count = len(result.done)
    line = f"{verb.done} {count:,} of {visible(result.queue, 80)}"
    if result.to:
        line += f" to {visible(result.to, 80)}"
    if result.number:
        line += f": act {result.number}"
    if result.number and result.verb != "undo":
        line += f" (back with: qtool undo {result.number})"
    return line


def _tell_missed(missed: Sequence[Missed], how: str) -> None:
    for each in missed:
        tell(f"{how}: {each.filebase}: {each.reason}")
