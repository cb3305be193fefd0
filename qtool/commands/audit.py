"""``qtool audit``: who did what, to which files, and from where."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from qtool.commands.moments import duration, moment
from qtool.commands.output import DONE, put_json, tell
from qtool.commands.site import opened
from qtool.commands.tables import Cell, Column, Styled, Table, terminal_width

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import AuditRecord

_EXAMPLES = """\
examples:
  qtool audit --since 2d                  who did what in the last two days
  qtool audit --who anne --act discard    what anne discarded
  qtool audit --file FILEBASE             what became of one message
  qtool audit -n 1000 smarthost           where that was the reason, say
"""
_MOST = 20
_PAGE = 500
_ELSEWHERE = frozenset({"why", "reason", "data", "filebase", "filebases"})
"""Arguments that have a column of their own, or none."""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.mixes = True
    parser.add_argument("text", metavar="TEXT", nargs="?", default="",
                        help="only where this is in what is told")  # fmt: skip
    parser.add_argument("--since", metavar="WHEN", type=_past, default=0.0,
                        help="a time, or how long ago: 2d, 2026-12-31")  # fmt: skip
    parser.add_argument("--until", metavar="WHEN", type=_past, default=0.0,
                        help="the same, for the end")  # fmt: skip
    parser.add_argument("--who", metavar="USER", default="",
                        help="a user, who logged in, or called sudo")  # fmt: skip
    parser.add_argument("--act", metavar="ACT", default="",
                        help="as it is called: step, discard, confirm")  # fmt: skip
    parser.add_argument("--file", metavar="FILEBASE", default="",
                        help="what was done to this one")  # fmt: skip
    parser.add_argument("-n", "--number", metavar="N", type=_number, default=_MOST,
                        help=f"the newest N of them; else {_MOST}")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="one JSON object an act, one a line")  # fmt: skip


def run(options: Namespace) -> int:
    """Print what is on record, the newest first."""
    table = Table(
        Column("WHEN"), Column("WHO", most=24), Column("ACT"), Column("ON", most=30),
        Column("RESULT", most=40), Column("WHY", most=40), Column("FILE"),
        Column("FROM"), width=terminal_width(),
    )  # fmt: skip
    count = 0
    with opened(options) as control:
        for records in _pages(control, options):
            count += len(records)
            if options.json:
                for record in records:
                    put_json(record)
            elif records:
                table.put(map(_row, records))
    if not count and not options.json:
        tell("nothing like that is on record")
    return DONE


def _pages(control: Control, options: Namespace) -> Iterator[tuple[AuditRecord, ...]]:
    left, after, broken = options.number, "", 0
    while left > 0:
        page = control.audit(
            options.since, options.until, options.who, options.act, options.file,
            options.text, min(left, _PAGE), after,
        )  # fmt: skip
        yield page.records
        left -= len(page.records)
        after = page.after
        broken += page.broken
        if not after:
            break
    if broken:
        lines = "line of the file was" if broken == 1 else "lines of the file were"
        tell(f"{broken} {lines} cut off or nobody's, and passed over")


def _row(record: AuditRecord) -> tuple[Cell, ...]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.at))
    file = record.files[0] if record.count == 1 and record.files else None
    many = f"{record.count:,} files" if record.count > 1 else None
    return (when, record.who, record.act, _on(record) or None, _result(record),
            record.why or None, file or many, _from(record) or None)  # fmt: skip


def _on(record: AuditRecord) -> str:
    """Return what it was done to, as far as that is short."""
    return " ".join(
        str(value)
        for name, value in record.arguments.items()
        if name not in _ELSEWHERE
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
        and value != ""
    )


def _result(record: AuditRecord) -> Cell:
    if record.is_read:
        return "looked"
    if not record.result:
        return Styled("no end recorded", "warning")
    if record.result == "failed":
        return Styled(f"failed: {record.error}", "error")
    outcome = record.counts.get("outcome")
    told: list[Any] = [outcome] if isinstance(outcome, str) else []
    missed = {n: v for n in ("skipped", "failed") if (v := record.counts.get(n))}
    if missed:
        told = [f"{record.count} done", *(f"{v} {n}" for n, v in missed.items())]
    return ", ".join(map(str, told)) or "done"


def _from(record: AuditRecord) -> str:
    process = f"pid {record.pid}" if record.pid else ""
    parts = (record.where, process, record.terminal.removeprefix("/dev/"),
             record.remote, record.host)  # fmt: skip
    return " ".join(filter(None, parts))


def _past(text: str) -> float:
    """Return the epoch seconds of a time, or of so long ago."""
    try:
        return time.time() - duration(text)
    except argparse.ArgumentTypeError:
        return moment(text)


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("expected a number from 1 on")
    return int(text)
