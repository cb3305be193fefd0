"""``qtool restart``: have the daemon stop a runner, and start it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands import steering

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser

_EXAMPLES = """\
examples:
  qtool restart out
  qtool restart out:0:4                the first of its four slices
  qtool restart All

A message in hand is finished first. What does not run is not started.
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    steering.arguments(parser)


def run(options: Namespace) -> int:
    """Restart it; print what happened."""
    return steering.steer(
        options, lambda control, *part: control.restart(*part), by_daemon=True
    )
