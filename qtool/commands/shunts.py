"""``qtool shunts``: why messages were put aside."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtool import render
from qtool.commands.output import DONE, FAILED, put, put_json, tell
from qtool.commands.site import opened
from qtool.commands.tables import Column, Table, put_lines, terminal_width
from qtool.errors import NoSuchEntry
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Failure, FailureGroup

_EXAMPLES = """\
examples:
  qtool shunts                         each message, and why
  qtool shunts --by-failure            those of one kind together
  qtool shunts 'list:ant age>1d'       only some of them
  qtool shunts 1795292186.811604+cf94  one, with its traceback
  qtool shunts --queue bad
  qtool shunts --log /var/log/mailman3/mailman.log.1
"""

_BEGINNING = re.compile(r"[0-9]+\.[0-9]+(?:\+[0-9a-f]*)?(?:\.(?:pck|psv|bak))?")
"""Of the name of an entry."""
_SHORT_NAME = len("1795292186.811604+cf94")
_PAGE = 200
_PATIENCE_SECONDS = 1.0
_LONGEST_TRACEBACK = 20_000


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.mixes = True
    parser.epilog = _EXAMPLES
    parser.add_argument("words", metavar="FILTER", nargs="*",
                        help="which messages, or the name of one")  # fmt: skip
    parser.add_argument("--by-failure", action="store_true",
                        help="one line for each kind of failure")  # fmt: skip
    parser.add_argument("--queue", metavar="QUEUE", default="shunt",
                        help="the queue; else shunt")  # fmt: skip
    parser.add_argument("--log", metavar="FILE", type=Path,
                        help="Mailman's log, with its rotated files; else the"
                        " site's own")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="one JSON object a line")  # fmt: skip


def run(options: Namespace) -> int:
    """Print why messages are in ``shunt``."""
    if options.log:
        options.log.stat()  # raises where it is not there
    log = str(options.log.absolute()) if options.log else ""
    where = " ".join(options.words)
    with opened(options) as control:
        if options.by_failure:
            groups = control.failures(options.queue, where, log)
            if not groups:
                _tell_none(options.queue, where)
            return _put_groups(groups, in_json=options.json)
        if _BEGINNING.fullmatch(where):
            base = _the_one(control, options.queue, where)
            return _put_one(control, options.queue, base, log, in_json=options.json)
        return _put_failures(control, options, where, log)


def _the_one(control: Control, queue: str, beginning: str) -> str:
    """Return the one entry whose name begins so.

    Raises:
        NoSuchEntry: There is none, or there are several.
    """
    name = beginning.removesuffix(".pck").removesuffix(".psv").removesuffix(".bak")
    found = control.named(queue, name)
    if len(found) == 1:
        return found[0]
    which = "several entries" if found else "no entry"
    raise NoSuchEntry(f"{which} in {queue} whose name begins with {name}")


def _put_failures(control: Control, options: Namespace, where: str, log: str) -> int:
    width = terminal_width()
    table = Table(
        Column("AGE", right=True),
        Column("NAME", most=_SHORT_NAME),
        Column("ORIGIN", most=10),
        Column("LIST", most=16),
        Column("WHY"),
        width=width,
    )
    now, missing, count = time.time(), "", 0
    for failures in _pages(control, options.queue, where, log):
        count += len(failures)
        if options.json:
            for failure in failures:
                put_json(failure)
            continue
        table.put(_row(failure, now, short=width is not None) for failure in failures)
        missing = next((f.note for f in failures if not f.why), missing)
    if missing:
        tell(f"nothing tells why some are there: {missing}")
    if not count:
        _tell_none(options.queue, where)
    return DONE


def _tell_none(queue: str, where: str) -> None:
    tell(f"nothing in {queue}" + (" is like that" if where else ""))


def _row(failure: Failure, now: float, *, short: bool) -> Sequence[str | None]:
    return (
        render.age(now - failure.when),
        # Enough to tell it apart, and to be copied.
        failure.filebase[:_SHORT_NAME] if short else failure.filebase,
        failure.origin or None,
        failure.list_id or None,
        failure.why or None,
    )


def _pages(
    control: Control, queue: str, where: str, log: str
) -> Iterator[list[Failure]]:
    after = ""
    while True:
        found = control.find(queue, where, after, _PAGE, _PATIENCE_SECONDS)
        bases = tuple(entry.filebase for entry in found.entries)
        if bases:
            yield control.reasons(queue, bases, log)
        if found.complete:
            return
        after = found.after


def _put_groups(groups: list[FailureGroup], *, in_json: bool) -> int:
    table = Table(
        Column("COUNT", right=True),
        Column("OLDEST", right=True),
        Column("NEWEST", right=True),
        Column("ORIGIN", most=10),
        Column("LIST", most=16),
        Column("FAILURE"),
        width=terminal_width(),
    )
    now = time.time()
    for group in groups if in_json else ():
        put_json(group)
    if in_json or not groups:
        return DONE
    heading, *lines = table.lines(
        (
            group.count, render.age(now - group.oldest),
            render.age(now - group.newest), group.origin or None,
            group.list_id or None, group.example,
        )
        for group in groups
    )  # fmt: skip
    put_lines([heading])
    for group, line in zip(groups, lines, strict=True):
        put_lines([line])
        for what, text in (("in", group.frame), ("select", group.where)):
            if text:
                put(f"       {what} {visible(text, 2000)}")
    return DONE


def _put_one(
    control: Control, queue: str, base: str, log: str, *, in_json: bool
) -> int:
    failure = control.reasons(queue, (base,), log)[0]
    if in_json:
        put_json(failure)
        return DONE if failure.why else FAILED
    for line in _told(failure):
        put(line)
    for warning in control.rerun_warnings(queue, base):
        put(f"{'warning':<10}: {visible(warning, 2000)}")
    if failure.traceback:
        put("")
        put(visible_block(failure.traceback, _LONGEST_TRACEBACK).rstrip("\n"))
    return DONE if failure.why else FAILED


def _told(failure: Failure) -> Iterator[str]:
    facts = {
        "name": failure.filebase,
        "why": failure.why,
        "raised in": failure.frame,
        "own code": "" if failure.own_frame == failure.frame else failure.own_frame,
        "when": render.moment(failure.when),
        "runner": failure.runner,
        "origin": failure.origin,
        "list": failure.list_id,
        "known from": failure.source,
        "note": failure.note,
    }
    for name, text in facts.items():
        if text:
            yield f"{name:<10}: {visible(text, 2000)}"
