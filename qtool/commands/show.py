"""``qtool show``: one entry of a queue, whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from qtool import render
from qtool.commands.output import DONE, FAILED, put, put_bytes, put_json, tell
from qtool.commands.site import opened
from qtool.control.paging import the_one
from qtool.errors import Refused
from qtool.msgdata import format_msgdata
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.models import EntryView

_EXAMPLES = """\
examples:
  qtool show shunt 1795292186.81       the entry whose name begins so
  qtool show in NAME --format raw | less
  qtool show out NAME --json | jq .msgdata.recipients
"""

_LONGEST_NAME, _LONGEST_VALUE = 200, 10_000


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.mixes = True
    parser.epilog = _EXAMPLES
    parser.add_argument("queue", metavar="QUEUE", help="also held:QUEUE and trash:N")
    parser.add_argument("name", metavar="NAME",
                        help="the beginning of its name, as far as it is its"
                        " own")  # fmt: skip
    parser.add_argument("--format", choices=("qfile", "raw"),
                        help="qfile: as `mailman qfile` prints it; raw: the bytes of"
                        " the message")  # fmt: skip
    parser.add_json("one JSON object")


def run(options: Namespace) -> int:
    """Print the headers, the body and the metadata of an entry."""
    if options.format and options.json:
        raise Refused(f"--format {options.format} is no JSON: without --format it is")
    with opened(options) as control:
        filebase = the_one(control, options.queue, options.name)
        if options.format:
            _put_bytes(control.content(options.queue, filebase, options.format))
            return DONE
        view = control.entry(options.queue, filebase)
    if options.json:
        put_json(view)
    if view.error:
        tell(f"{options.queue}: {filebase}: {view.error}")
        return FAILED
    if not options.json:
        _put(view)
    return DONE


def _put_bytes(content: bytes) -> None:
    """Write what was asked for: to a terminal nothing that would steer it."""
    if sys.stdout.isatty():
        text = content.decode("utf-8", "surrogateescape")
        put(visible_block(text, sys.maxsize).removesuffix("\n"))
        return
    put_bytes(content)


def _put(view: EntryView) -> None:
    put(f"{view.filebase}{view.suffix}: {render.size(view.size)}, {view.form}")
    if view.reason:
        put(f"preserved: {visible(view.reason, _LONGEST_VALUE)}")
    put("")
    for name, value in view.headers:
        put(f"{visible(name, _LONGEST_NAME)}: {visible(value, _LONGEST_VALUE)}")
    put("")
    put(visible_block(view.body, sys.maxsize).rstrip("\n"))
    if view.body_cut:
        whole = render.size(view.body_bytes)
        tell(f"this is the beginning of a body of {whole}; --format raw has it all")
    put("")
    for line in format_msgdata(view.msgdata):
        put(line)
