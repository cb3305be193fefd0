"""``qtool start``: have the daemon start a runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands import steering

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser

_EXAMPLES = """\
examples:
  qtool start out
  qtool start out:0:4                  the first of its four slices
  qtool start All

The daemon (qtool run) starts it. What another process holds waits for that.
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    steering.arguments(parser)


def run(options: Namespace) -> int:
    """Start it; print what happened."""
    return steering.steer(
        options, lambda control, *part: control.start(*part, waits=True), by_daemon=True
    )
