"""``qtool edit``: change the metadata or the headers of a waiting entry."""

from __future__ import annotations

import difflib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool.commands.asking import confirmed
from qtool.commands.entry_form import form_of, parsed, text_of
from qtool.commands.mending import EXIT_STATUS, told
from qtool.commands.output import DONE, FAILED, tell
from qtool.commands.site import opened
from qtool.commands.tables import put_lines
from qtool.control.paging import the_one
from qtool.errors import Refused
from qtool.msgdata import from_json, volatile
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.commands.entry_form import Headers
    from qtool.control.control import Control
    from qtool.control.models import EntryView

_EXAMPLES = """\
examples:
  qtool edit in 1795273010.25                        in your $EDITOR
  qtool edit in 1795273010.25 --set 'listid="ant.example.com"'
  qtool edit in 1795273010.25 --header 'Subject: hello' --yes
"""

_LONGEST_LINE = 400
_STYLES = {"+": "added", "-": "removed", "@": "muted"}


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES + EXIT_STATUS
    parser.add_argument("queue", metavar="QUEUE")
    parser.add_argument("name", metavar="NAME",
                        help="the entry, by the beginning of its name")  # fmt: skip
    parser.add_argument("--set", metavar="KEY=JSON", action="append", default=[],
                        help="metadata: a JSON value")  # fmt: skip
    parser.add_argument("--unset", metavar="KEY", action="append", default=[],
                        help="metadata that goes")  # fmt: skip
    parser.add_argument("--header", metavar="'NAME: VALUE'", action="append",
                        default=[], help="replaces those of that name")  # fmt: skip
    parser.add_argument("--drop-header", metavar="NAME", action="append",
                        default=[], help="headers that go")  # fmt: skip
    parser.add_why()
    parser.add_argument("-y", "--yes", action="store_true",
                        help="change it without a question")  # fmt: skip
    parser.add_json("what was done, as one JSON object")


def run(options: Namespace) -> int:
    """Change one entry: show the difference, ask, and write it."""
    with opened(options) as control:
        filebase = the_one(control, options.queue, options.name)
        entry = (options.queue, filebase)
        # A daemon does not know that this end only looks.
        refusal = control.read_only_reason() or control.edit_refusal(*entry)
        if refusal:
            raise Refused(refusal)
        view = control.entry(*entry)
        if view.error:
            raise Refused(f"{view.path}: {view.error}")
        if options.set or options.unset or options.header or options.drop_header:
            return _written(options, control, view, *_wanted(options, view))
        return _by_hand(options, control, view)


def _by_hand(options: Namespace, control: Control, view: EntryView) -> int:
    """Write what a person makes of an entry; what is refused can be edited on."""
    form = form_of(view)
    while True:
        form = _edited(form)
        try:
            return _written(options, control, view, *parsed(form))
        except Refused as error:
            if not sys.stdin.isatty():
                raise
            tell(str(error))
        if not confirmed("Go on with your text?", "edit"):
            tell("nothing was done")
            return FAILED


def _written(
    options: Namespace,
    control: Control,
    view: EntryView,
    headers: Headers,
    msgdata: dict[str, Any],
) -> int:
    """Show the difference, ask, and write it."""
    before = text_of(view.headers, view.msgdata)
    after = text_of(headers, msgdata)
    if before == after:
        tell("nothing was changed")
        return DONE
    _show(options, before, after)
    is_other = headers != view.headers
    if is_other and view.drops:
        tell(f"it becomes text, which has no place for: {', '.join(view.drops)}")
    if not options.yes and not confirmed("Write this?", "edit"):
        tell("nothing was done")
        return FAILED
    new = (msgdata, headers if is_other else None)
    result = control.edit(view.queue, view.filebase, *new, view.seen, options.why)
    return told(options, result)


def _wanted(options: Namespace, view: EntryView) -> tuple[Headers, dict[str, Any]]:
    """Return the headers and metadata that the options ask for."""
    msgdata = {key: view.msgdata[key] for key in view.msgdata}
    for word in options.set:
        key, equals, text = word.partition("=")
        if not (key and equals):
            raise Refused(f"--set {word}: expected KEY=JSON")
        if volatile(key):
            raise Refused(f"--set {key}: a key that is not kept")
        msgdata[key] = _value(word, text)
    for key in options.unset:
        if key not in msgdata:
            raise Refused(f"--unset {key}: there is no such metadata")
        del msgdata[key]
    return _headers(options, view.headers), msgdata


def _value(word: str, text: str) -> Any:
    try:
        return from_json({"value": json.loads(text)})["value"]
    except ValueError as error:
        raise Refused(f"--set {word}: expected a JSON value: {error}") from error


def _headers(options: Namespace, headers: Headers) -> Headers:
    kept = list(headers)
    for name in options.drop_header:
        if name.lower() not in (pair[0].lower() for pair in kept):
            raise Refused(f"--drop-header {name}: there is no such header")
        kept = [pair for pair in kept if pair[0].lower() != name.lower()]
    for word in options.header:
        name, colon, value = word.partition(":")
        if not colon:
            raise Refused(f"--header {word}: expected 'NAME: VALUE'")
        names = [pair[0].lower() for pair in kept]
        at = names.index(name.lower()) if name.lower() in names else len(kept)
        kept = [pair for pair in kept if pair[0].lower() != name.lower()]
        kept.insert(at, (name, value.strip()))
    return tuple(kept)


def _edited(form: str) -> str:
    """Return what a person made of a form in their editor."""
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="qtool-edit-") as folder:
        path = Path(folder) / "entry"
        path.write_text(form, "utf-8", "surrogateescape")
        try:
            ended = subprocess.run([*words, str(path)], check=False)  # noqa: S603 - theirs
        except OSError as error:
            raise Refused(f"{words[0]}: {error.strerror} (set $EDITOR)") from error
        if ended.returncode:
            raise Refused(f"{words[0]} ended with {ended.returncode}: nothing was done")
        return path.read_text("utf-8", "surrogateescape")


def _show(options: Namespace, before: str, after: str) -> None:
    """Show what would be different; to a program that is talk."""
    pairs = before.splitlines(), after.splitlines()
    lines = list(difflib.unified_diff(*pairs, n=1, lineterm=""))[2:]
    if options.json:
        for line in lines:
            tell(line)
        return
    put_lines(
        [(_STYLES.get(line[:1], ""), visible(line, _LONGEST_LINE))] for line in lines
    )
