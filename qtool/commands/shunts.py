"""``qtool shunts``: why messages were put aside."""

from __future__ import annotations

import re
import time
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from qtool.commands.output import DONE, FAILED, put, put_json, tell
from qtool.commands.site import opened
from qtool.commands.tables import Table, put_lines, terminal_width
from qtool.control.paging import failure_pages, the_one
from qtool.errors import Refused
from qtool.render.shunts import (
    columns,
    group_columns,
    group_row,
    lines,
    lines_below,
    row,
)
from qtool.untrusted import visible_block

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import FailureGroup

_EXAMPLES = """\
examples:
  qtool shunts                         each message, and why
  qtool shunts --by-failure            those of one kind together
  qtool shunts 'list:ant age>1d'       only some of them
  qtool shunts 1795292186.811604+cf94  one, with its traceback
  qtool shunts --queue bad
  qtool shunts --log /var/log/mailman3/mailman.log.1

exit status of one: 1 where nothing tells why it is there
"""

_BEGINNING = re.compile(r"[0-9]+\.[0-9]+(?:\+[0-9a-f]*)?(?:\.(?:pck|psv|bak))?")
"""Of the name of an entry."""
_LONGEST_TRACEBACK = 20_000


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.mixes = True
    parser.epilog = _EXAMPLES
    parser.add_argument("words", metavar="FILTER", nargs="*",
                        help="which messages, or the name of one")  # fmt: skip
    parser.add_argument("--by-failure", action="store_true",
                        help="one line for each kind of failure")  # fmt: skip
    parser.add_argument("-q", "--queue", metavar="QUEUE", default="shunt",
                        help="the queue; else shunt")  # fmt: skip
    parser.add_argument("--log", metavar="FILE", type=Path,
                        help="Mailman's log, with its rotated files; else the"
                        " site's own")  # fmt: skip
    parser.add_json()


def run(options: Namespace) -> int:
    """Print why messages are in ``shunt``."""
    if options.log and not S_ISREG(options.log.stat().st_mode):
        raise Refused(f"{options.log} is no file that can be searched")
    log = str(options.log.absolute()) if options.log else ""
    where = " ".join(options.words)
    with opened(options) as control:
        if options.by_failure:
            groups = control.failures(options.queue, where, log)
            if not groups:
                _tell_none(options.queue, where)
            return _put_groups(groups, in_json=options.json)
        if _BEGINNING.fullmatch(where):
            base = the_one(control, options.queue, where)
            return _put_one(control, options.queue, base, log, in_json=options.json)
        return _put_failures(control, options, where, log)


def _put_failures(control: Control, options: Namespace, where: str, log: str) -> int:
    width = terminal_width()
    table = Table(*columns(width), width=width)
    now, missing, count = time.time(), "", 0
    for failures in failure_pages(control, options.queue, where, log):
        count += len(failures)
        if options.json:
            for failure in failures:
                put_json(failure)
            continue
        table.put(row(failure, now, short=width is not None) for failure in failures)
        missing = next((f.note for f in failures if not f.why), missing)
    if missing:
        tell(f"nothing tells why some are there: {missing}")
    if not count:
        _tell_none(options.queue, where)
    return DONE


def _tell_none(queue: str, where: str) -> None:
    tell(f"nothing in {queue}" + (" is like that" if where else ""))


def _put_groups(groups: list[FailureGroup], *, in_json: bool) -> int:
    width, now = terminal_width(), time.time()
    table = Table(*group_columns(width), width=width)
    for group in groups if in_json else ():
        put_json(group)
    if in_json or not groups:
        return DONE
    heading, *rows = table.lines(group_row(group, now) for group in groups)
    put_lines([heading])
    for group, line in zip(groups, rows, strict=True):
        put_lines([line])
        for text in lines_below(group):
            put(text)
    return DONE


def _put_one(
    control: Control, queue: str, base: str, log: str, *, in_json: bool
) -> int:
    failure = control.reasons(queue, (base,), log)[0]
    if in_json:
        put_json(failure)
        return DONE if failure.why else FAILED
    for line in lines(failure, control.rerun_warnings(queue, base)):
        put(line)
    if failure.traceback:
        put("")
        put(visible_block(failure.traceback, _LONGEST_TRACEBACK).rstrip("\n"))
    return DONE if failure.why else FAILED
