"""``qtool check``: whether all is well, for Nagios, Icinga and their like."""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.commands.findings import told
from qtool.commands.limits import COUNTS, TIMES, Limit, figure, limit
from qtool.commands.output import UNKNOWN, as_plugin, put, put_json, put_unknown
from qtool.commands.site import opened
from qtool.control.models import Severity
from qtool.errors import QToolError, Refused
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from qtool.commands.arguments import Parser
    from qtool.control.models import Board, QueueRow

_EXAMPLES = f"""\
examples:
  qtool check
  qtool check out --warn depth=1000 --warn oldest=15m --crit oldest=1h
  qtool --config /etc/mailman.cfg check shunt --warn depth=0 --crit depth=100

Thresholds are ranges as plugins have them: 10 is 0 to 10, 10: at least 10,
~:10 at most 10, 10:20 between, @10:20 not between. The names are
{", ".join((*COUNTS, *TIMES))}.
Without any the verdicts decide, as `qtool status` shows them.
exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
"""

_NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_OF_VERDICT = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
_GRAVEST_LAST = (0, UNKNOWN, 1, 2)
_MOST_NAMED = 2
_LONGEST_SECONDS = 9.0
"""What runs plugins waits for ten seconds, where nobody has told it otherwise."""
_PLAIN_LABEL = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is not as it should be."""

    status: int
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.who}: {self.what}".replace("|", "/")  # begins performance data


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.is_plugin = True
    parser.mixes = True
    parser.add_argument("queues", metavar="QUEUE", nargs="*", help="else all")
    for letter, name in (("w", "warn"), ("c", "crit")):
        parser.add_argument(f"-{letter}", f"--{name}", metavar="[NAME=]RANGE",
                            action="append", default=[], type=limit,
                            help="see below; may be repeated")  # fmt: skip
    parser.add_json("a JSON object for each queue")


def run(options: Namespace) -> int:
    """Print how the site is in the form of monitoring plugins."""
    return as_plugin(lambda: _checked(options))


def _checked(options: Namespace) -> int:
    try:
        with _in_time(), opened(options) as control:
            board = control.scan()
        rows = _chosen(board, options.queues)
    except (QToolError, OSError) as error:
        return put_unknown(str(error))
    problems = list(_problems(options, board, rows))
    status = max((p.status for p in problems), key=_GRAVEST_LAST.index, default=0)
    if options.json:
        _put_json(board, rows, problems)
        return status
    summary, figures = _summary(rows, problems), _figures(options, board, rows)
    put(f"QTOOL {_NAMES[status]} - {summary} | {figures}")
    for problem in problems:
        put(f"{_NAMES[problem.status]} {problem}")
    return status


@contextmanager
def _in_time() -> Iterator[None]:
    """Give up on a daemon, or a disk, that does not answer for long.

    Raises:
        Refused: It is too late.
    """

    def late(_number: int, _frame: object) -> None:
        raise Refused(f"no answer for {_LONGEST_SECONDS:g} s")

    former = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, former)


def _chosen(board: Board, names: Sequence[str]) -> list[QueueRow]:
    for name in names:
        if board.row(name) is None:
            raise Refused(f"there is no queue {visible(name, 80)} here")
    return [row for row in board.rows if not names or row.name in names]


# --- What is wrong


def _problems(
    options: Namespace, board: Board, rows: Sequence[QueueRow]
) -> Iterator[Problem]:
    if options.warn or options.crit:
        for row in rows:
            yield from _beyond(options, row, board.at)
        return
    if not options.queues:
        yield from _of_site(board)
    for row in rows:
        for verdict in row.verdicts:
            status = _OF_VERDICT[verdict.severity]
            if status:
                yield Problem(status=status, who=_name(row), what=told(verdict))


def _of_site(board: Board) -> Iterator[Problem]:
    if board.site.verdict is not None:
        verdict = board.site.verdict
        status = _OF_VERDICT[verdict.severity]
        yield Problem(status=status, who="spool", what=told(verdict))
    for name in board.site.strays:
        what = "mail waits there, and no section names that folder"
        yield Problem(status=1, who=visible(name, 60), what=what)


def _beyond(options: Namespace, row: QueueRow, at: float) -> Iterator[Problem]:
    """Yield the figures of a queue that are beyond a threshold, each once."""
    if not row.has_queue:
        return
    if row.depth is None:
        what = f"unreadable: {visible(row.note, 1000)}"
        yield Problem(status=UNKNOWN, who=_name(row), what=what)
        return
    seen = set()
    for status, limits in ((2, options.crit), (1, options.warn)):
        for each in limits:
            value = figure(row, each.name, at)
            if value is None or each.name in seen or not each.is_broken_by(value):
                continue
            seen.add(each.name)
            unit = "s" if each.name in TIMES else ""
            what = f"{each.name} is {value:g}{unit}, beyond {each}"
            yield Problem(status=status, who=_name(row), what=what)


# --- What is printed


def _summary(rows: Sequence[QueueRow], problems: Sequence[Problem]) -> str:
    if not problems:
        count = sum(row.has_queue for row in rows)
        waiting = sum(row.depth or 0 for row in rows)
        return (
            f"{count} queue{'' if count == 1 else 's'},"
            f" {waiting} message{' waits' if waiting == 1 else 's wait'}"
        )
    gravest = sorted(problems, key=lambda p: -_GRAVEST_LAST.index(p.status))
    line = "; ".join(map(str, gravest[:_MOST_NAMED]))
    more = len(problems) - _MOST_NAMED
    return f"{line}; and {more} more" if more > 0 else line


def _figures(options: Namespace, board: Board, rows: Sequence[QueueRow]) -> str:
    """Return the performance data."""
    asked = {each.name for each in (*options.warn, *options.crit)}
    names = [n for n in (*COUNTS, *TIMES) if n in {"depth", "oldest"} | asked]
    found = []
    for row in rows:
        for name in names:
            value = figure(row, name, board.at) if row.has_queue else None
            if value is None:
                continue
            unit = "s" if name in TIMES else ""
            bounds = ";".join(
                _last(limits, name) for limits in (options.warn, options.crit)
            )
            label = _label(f"{_name(row)}_{name}")
            found.append(f"{label}={value:.0f}{unit};{bounds};0")
    return " ".join(found)


def _last(limits: Sequence[Limit], name: str) -> str:
    return next((str(each) for each in reversed(limits) if each.name == name), "")


def _label(text: str) -> str:
    if _PLAIN_LABEL.fullmatch(text):
        return text
    text = text.replace("|", "/").replace("=", "-").replace("'", "''")
    return f"'{text}'"


def _name(row: QueueRow) -> str:
    return visible(row.name, 60)


def _put_json(
    board: Board, rows: Sequence[QueueRow], problems: Sequence[Problem]
) -> None:
    for who in dict.fromkeys([*(p.who for p in problems), *map(_name, rows)]):
        row = next((each for each in rows if _name(each) == who), None)
        own = [problem for problem in problems if problem.who == who]
        worst = max((p.status for p in own), key=_GRAVEST_LAST.index, default=0)
        put_json(
            {
                "queue": who,
                "status": _NAMES[worst],
                "problems": [problem.what for problem in own],
                "depth": row and row.depth,
                "oldest_seconds": row and figure(row, "oldest", board.at),
            }
        )
