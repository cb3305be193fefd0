"""``qtool pause``: have a runner take nothing for a while, whoever runs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.commands import steering
from qtool.commands.moments import duration, moment

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser

_EXAMPLES = """\
examples:
  qtool pause out --why 'the relay is down' --for 2h
  qtool pause out:0:4 --until 18:30
  qtool pause All

The pause is on record in the spool: it needs no daemon, and outlives restarts.
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    steering.arguments(parser)
    parser.add_argument("--why", metavar="TEXT", default="", help="for people")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--for", metavar="DURATION", type=duration, dest="seconds",
                     help="when it ends by itself: 90s, 2h, 1d")  # fmt: skip
    end.add_argument("--until", metavar="TIME", type=moment,
                     help="the same: 18:30, 2026-12-31T18:30")  # fmt: skip


def run(options: Namespace) -> int:
    """Put the pause on record; print what happened."""
    until = options.until
    if options.seconds is not None:
        until = time.time() + options.seconds
    return steering.steer(
        options,
        lambda control, *part: control.pause(*part, reason=options.why, until=until),
        by_daemon=False,
    )
