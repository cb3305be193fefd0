"""What the commands that act on entries share: choosing, seeing, confirming, telling.

One entry that was named is acted on after a question, or with ``--yes``. Many are
shown first; the token of what was shown, or the typed word, acts on exactly those.
"""

from __future__ import annotations

import re
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from qtool.commands.attending import attended
from qtool.commands.output import DONE, FAILED, LEFT, put, put_json, tell
from qtool.commands.site import again
from qtool.control.models.mending import NAME_ONE, NO_WAY
from qtool.control.paging import previewed, the_one
from qtool.errors import Refused
from qtool.render.acts import missed_lines, result_line, warning_lines

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import ActionResult, Preview

EVERYTHING = "all"
EXIT_STATUS = """
exit status: 0 done or shown, 1 nothing could be done, 3 some were left
"""
"""For the help of what acts on entries."""
_OF_ONE_QUEUE = ("unshunt", "restore")
"""Commands that name their queue as an option, where it is another one."""
_NAME = re.compile(
    r"[0-9]{7,10}|[0-9]+\.[0-9]+(?:\+[0-9a-f]*)?(?:\.pck|\.psv)?", re.ASCII
)
"""What a filebase begins with: a time; no filter does."""
_BEGINNING = re.compile(r"[0-9]{7,10}\.[0-9]", re.ASCII)
"""The same, where it cannot be a number that is looked for."""
_BACK = "back with: qtool undo {}"
_NOTHING_CHOSEN = "say which: a NAME, a FILTER, or all"


def carried_out(
    options: Namespace, control: Control, verb: str, queue: str, to: str = ""
) -> int:
    """Do what the options ask for; return the exit status."""
    if isinstance(options.yes, str) and _is_name(options.yes):
        options.which = [*options.which, options.yes]  # a NAME behind a plain --yes
        options.yes = True
    if isinstance(options.yes, str):
        if options.which:
            raise Refused("a token stands for its own list: name nothing beside it")
        # Where the queue is an option, the line that was shown does not say it.
        queue = "" if options.command in _OF_ONE_QUEUE else queue
        return _done(options, control, options.yes, verb, queue, to)
    preview = _previewed(options, control, verb, queue, to)
    if not preview.count:
        tell(f"{queue}: no entry is like that")
        return FAILED
    is_one = len(options.which) == 1 and _is_name(options.which[0])
    if options.yes and not is_one:
        how = _how(options, preview)
        raise Refused(f"--yes alone is for one entry by its name; to do it: {how}")
    if not options.yes or preview.refusal:
        _show(options, preview)
    if preview.refusal == NO_WAY:
        to = to or _asked_queue(options, preview)
        if to != preview.to:
            return carried_out(options, control, verb, queue, to)
        tell(NO_WAY)
        return FAILED
    if options.dry_run or not (options.yes or _agreed(options, verb, preview)):
        return DONE if options.dry_run else FAILED
    # Said again, so that the audit tells what was confirmed.
    return _done(options, control, preview.token, verb, preview.queue, to)


def _asked_queue(options: Namespace, preview: Preview) -> str:
    """Return the queue that the person at the terminal names, if one has to."""
    from qtool.commands.asking import answered

    is_wanted = any(line.endswith(NAME_ONE) for line in preview.warnings)
    if not is_wanted or options.yes or options.dry_run:
        return ""
    return answered("To which queue?")


def _done(options: Namespace, control: Control, token: str, *meant: str) -> int:
    return acted(options, control, lambda: control.confirm(token, options.why, *meant))


def acted(
    options: Namespace, control: Control, call: Callable[[], ActionResult]
) -> int:
    """Do an act and tell what it did; return the exit status.

    Raises:
        KeyboardInterrupt: It was interrupted; what it had done was told.
    """
    result, was_interrupted = attended(options, control, call)
    status = told(options, result)
    if was_interrupted:
        raise KeyboardInterrupt
    return status


def _previewed(
    options: Namespace, control: Control, verb: str, queue: str, to: str
) -> Preview:
    which: list[str] = options.which
    if not which:
        raise Refused(_NOTHING_CHOSEN)
    look = partial(previewed, control) if options.dry_run else control.preview
    if all(map(_is_name, which)):
        place = f"held:{queue}" if verb == "release" else queue
        names = tuple(the_one(control, place, name) for name in which)
        return look(verb, queue, filebases=names, to=to)
    for word in filter(_BEGINNING.match, which):
        raise Refused(f"{word} is a name: a filter beside it has it as name:{word}")
    call = partial(look, verb, queue, " ".join(which), to=to)
    preview, was_interrupted = attended(options, control, call)
    if was_interrupted:
        raise KeyboardInterrupt
    return preview


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
    for line in warning_lines(preview):
        tell(line)
    if options.dry_run and preview.refusal != NO_WAY:
        end = f"this cannot be confirmed: {preview.refusal}"
        if not preview.refusal:
            end = f"to do it: {_how(options, preview)}"
        tell(f"{preview.count:,} would be meant; {end}")


def shown(options: Namespace, preview: Preview) -> int:
    """Show what an act would do, and no more; return the exit status."""
    _show(options, preview)
    if preview.refusal == NO_WAY:
        tell(NO_WAY)
        return FAILED
    return DONE


def _how(options: Namespace, preview: Preview) -> str:
    """Return the command line that acts on exactly what was shown."""
    if preview.undoes:
        return again(options, f"undo {preview.undoes}")
    words = [options.command]
    if options.command not in _OF_ONE_QUEUE:
        words.append(quote(preview.queue))
    if options.command == "move":
        words.append(quote(preview.to))
    return again(options, " ".join([*words, "--yes", preview.token]))


def _agreed(options: Namespace, verb: str, preview: Preview) -> bool:
    from qtool.commands.asking import agreed

    is_all = options.which == [EVERYTHING]
    count = f"{preview.count:,} entries"
    if preview.count == 1 and preview.first:
        count = preview.first[0].filebase
    question = f"{verb.capitalize()} {count} of {preview.queue}?"
    return agreed(question, EVERYTHING if is_all else verb, _how(options, preview))


def told(options: Namespace, result: ActionResult) -> int:
    """Tell what an act did; return the exit status."""
    if options.json:
        put_json(result)
    elif result.done:
        put(result_line(result, _BACK, names_one=True))
    if result.note:
        tell(result.note)
    for line in missed_lines(result):
        tell(line)
    if not result.done:
        tell("nothing was done")
        return FAILED
    return LEFT if result.skipped or result.failed else DONE
