"""``qtool resume``: let a paused runner go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands import steering

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser

_EXAMPLES = """\
examples:
  qtool resume out
  qtool resume out:0:4                 one slice alone
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    steering.arguments(parser)


def run(options: Namespace) -> int:
    """End the pause; print what happened."""
    return steering.steer(
        options, lambda control, *part: control.resume(*part), by_daemon=False
    )
