"""``qtool run``: the runners in the foreground, without a screen."""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import time
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from qtool.commands.alerting import alerted
from qtool.commands.drained import told
from qtool.commands.emptying import Emptying, started
from qtool.commands.loglines import log_to_stderr
from qtool.commands.metrics import scraped
from qtool.commands.news import aside, next_of
from qtool.commands.notify import Herald, Notifier
from qtool.commands.output import DONE, FAILED, USAGE, tell
from qtool.commands.serving import served
from qtool.commands.site import open_control
from qtool.control.models import State
from qtool.control.starting import TAKES_LONG, side_by_side
from qtool.errors import QToolError, ReadOnly, Refused
from qtool.installation.specs import choose

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from types import FrameType

    from qtool.commands.alerting import Hush
    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import DrainReport
    from qtool.installation.specs import Chosen

_EXAMPLES = """\
examples:
  qtool run                            until a signal
  qtool run --once                     process what waits, then leave
  qtool run --once --json | jq 'select(.shunted > 0) | .runner'
  qtool run -r in -r out:0:4           these, and of `out` a quarter

exit status of --once: 0 nothing is left, 3 work is left, 1 failures
"""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ALIVE = frozenset(
    {State.RUNNING, State.PAUSED, State.STOPPING, State.RESTARTING, State.HUNG}
)
_SETTLING_SECONDS = 0.3
"""After an error is logged, until it is looked whether any runner is left."""
_LEAVING_SECONDS = 2.0
"""How long what was under way may go on once nothing is in hand any more."""
_STARTED, _ERROR, _EMPTY = "started", "error", "empty"
_ENDED, _CLOSED, _LATE = "ended", "closed", "late"

News: TypeAlias = "SimpleQueue[int | str]"
"""What happened meanwhile: the number of a signal, or one of the words above."""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("-o", "--once", action="store_true",
                        help="process what waits, then leave")  # fmt: skip
    parser.add_argument("-r", "--runner", metavar="RUNNER[:slice:range]",
                        action="append", default=[], help="only this one, or one"
                        " slice of it; All: every one; may be repeated")  # fmt: skip
    parser.add_argument("--processes", action="store_true",
                        help="give each slice of a runner a process of its"
                        " own")  # fmt: skip
    parser.add_argument("--until-empty", action="store_true",
                        help="leave once nothing waits any more")  # fmt: skip
    parser.add_json("with --once: what each runner did, one JSON object a line")


def run(options: Namespace) -> int:
    """Run until a signal, or with ``--once`` until nothing is ready."""
    if options.json and not options.once:
        tell("--json goes with --once; of a daemon: qtool log -f --json")
        return USAGE
    control = open_control(options)
    if options.processes:
        settings = control.configuration.settings
        control.configuration.use(replace(settings, asked_processes=True))
    _refuse(control)
    chosen = choose(control.configuration, options.runner, once=options.once)
    news: News = SimpleQueue()
    handler = log_to_stderr(lambda: news.put(_ERROR))
    previous = {number: signal.signal(number, _note(news)) for number in _SIGNALS}
    try:
        if options.once:
            return _once(control, news, chosen, in_json=options.json)
        ours = chosen if options.runner else ()
        with (
            scraped(control),
            served(control, whole=not ours),
            alerted(control, ours) as hush,
        ):
            return _run(control, news, chosen, hush, until_empty=options.until_empty)
    finally:
        for number, former in previous.items():
            signal.signal(number, former)
        logging.getLogger("qtool").removeHandler(handler)


def _refuse(control: Control) -> None:
    read_only = control.site().read_only
    if read_only:
        raise ReadOnly(read_only)


def _note(news: News) -> Callable[[int, FrameType | None], None]:
    """Return a handler that only leaves a note: the loop acts on it."""
    return lambda number, _frame: news.put(number)


# --- Until a signal


def _run(
    control: Control,
    news: News,
    chosen: Sequence[Chosen],
    hush: Hush,
    *,
    until_empty: bool,
) -> int:
    herald = Herald(control, Notifier(os.environ))
    starting = aside(lambda: _start(control, chosen), news, _STARTED, tells=False)
    is_started, is_ready, look_at = False, False, math.inf
    while True:
        new = next_of(news, look_at, _LATE)
        if new == signal.SIGHUP and not _is_at_terminal():
            aside(lambda: _reload(control), SimpleQueue(), _ENDED)
        elif isinstance(new, int) or new == _EMPTY:
            hush()
            herald.stopping()
            _tell_leaving(control, new)
            ended = _finished(control.close, control, news, asked=True)
            return DONE if ended else FAILED
        elif new == _STARTED:
            for line in starting.result():
                tell(line)
            is_started, look_at = True, -math.inf
        elif new == _ERROR and is_started:
            look_at = time.monotonic() + _SETTLING_SECONDS
        elif new == _LATE:
            look_at = math.inf
            if not _alive(control):
                control.close()
                tell("every runner has failed or stopped")
                return FAILED
            if not is_ready:
                is_ready = True
                if until_empty:
                    _leave_when_empty(control, news, chosen)
                herald.ready()


def _is_at_terminal() -> bool:
    """Return whether a hang-up means that the terminal is gone, as it says."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return any(stream is not None and stream.isatty() for stream in streams)


def _reload(control: Control) -> None:
    for line in control.reload():
        tell(line)


def _start(control: Control, chosen: Sequence[Chosen]) -> list[str]:
    """Start what was chosen, or all; return what to say, also of what cannot start.

    Raises:
        QToolError: Nothing of what was chosen can.
    """
    if not chosen:
        return [control.start_all()]
    lines: dict[Chosen, str] = {}
    refusals: dict[Chosen, QToolError] = {}

    def begin(each: Chosen) -> None:
        try:
            lines[each] = control.start(each.name, each.slice, waits=True)
        except QToolError as error:
            refusals[each] = error

    late = side_by_side(begin, chosen)
    if len(refusals) == len(chosen):
        raise refusals[chosen[0]]
    return [
        *(lines[each] for each in chosen if each in lines),
        *(str(refusals[each]) for each in chosen if each in refusals),
        *(f"{each.name}: {TAKES_LONG}" for each in late),
    ]


def _leave_when_empty(control: Control, news: News, chosen: Sequence[Chosen]) -> None:
    queues = frozenset(
        each.name for each in chosen or started(control.configuration.settings)
    )
    control.watch(Emptying(queues, lambda: news.put(_EMPTY)).see)


def _alive(control: Control) -> bool:
    rows = control.scan().rows
    return any(
        row.waits
        or row.state in _ALIVE
        or any(cell.state in _ALIVE for cell in row.cells)
        for row in rows
    )


def _finished(
    work: Callable[[], object], control: Control, news: News, *, asked: bool
) -> bool:
    """Do ``work`` beside the main thread, which takes the signals.

    Args:
        work: Ends by itself, or early once ``control`` is closed.
        control: What a signal closes, and a second one closes at once.
        news: Where the signals come from.
        asked: Whether the first signal has come before.

    Returns:
        Whether it came to its end.
    """
    aside(work, news, _ENDED)
    is_closed, deadline = False, _deadline(control) if asked else math.inf
    while (new := next_of(news, deadline, _LATE)) != _ENDED:
        if new == _CLOSED:
            is_closed, deadline = True, time.monotonic() + _LEAVING_SECONDS
        elif new == _LATE and is_closed:
            return True  # what it waits for has nothing in hand
        elif new == _LATE or (asked and isinstance(new, int)):
            late = "stop_grace is over: " if new == _LATE else ""
            tell(f"{late}giving the messages in hand back")
            control.close(unclaim=True)
            return False
        elif isinstance(new, int):
            asked, deadline = True, _deadline(control)
            _tell_finishing(control, new)
            aside(control.close, news, _CLOSED)
    return True


def _deadline(control: Control) -> float:
    return time.monotonic() + control.configuration.settings.stop_grace_seconds


def _tell_leaving(control: Control, new: int | str) -> None:
    if isinstance(new, int):
        _tell_finishing(control, new)
    else:
        tell("nothing waits any more")


def _tell_finishing(control: Control, number: int) -> None:
    line = f"{signal.Signals(number).name}: finishing the messages in hand"
    busy = [f"{one.runner} {one.filebase}" for one in control.finishing()]
    if busy:
        line += f": {', '.join(busy)}; a second signal gives them back"
    tell(line)


# --- Once


def _once(
    control: Control, news: News, chosen: Sequence[Chosen], *, in_json: bool
) -> int:
    reports: list[DrainReport] = []

    def drain() -> None:
        if all(row.runner is None for row in control.scan().rows):
            raise Refused("there is nothing to run: no runner is configured here")
        reports.append(control.drain(tuple(map(str, chosen))))

    if not _finished(drain, control, news, asked=False):
        return FAILED
    control.close()
    return told(reports[0], in_json=in_json) if reports else FAILED
