"""``qtool snooze``: change how long a runner of the daemon waits between passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands import steering
from qtool.commands.moments import duration
from qtool.errors import Refused

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control

_EXAMPLES = """\
examples:
  qtool snooze retry 15m
  qtool snooze in 0.5

It lasts until the daemon ends. `sleep_time` in the configuration is for good.
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("runner", metavar="RUNNER", help="a runner, or All")
    parser.add_argument("seconds", metavar="DURATION", type=duration,
                        help="its new sleep time: 15s, 1m, 0.5")  # fmt: skip
    steering.json_argument(parser)


def run(options: Namespace) -> int:
    """Change the sleep time; print the new one and the former."""

    def snooze(control: Control, runner: str, number: int | None) -> str:
        if number is not None:
            raise Refused(f"all slices of {runner} have one sleep time: name no slice")
        return control.snooze(runner, options.seconds)

    return steering.steer(options, snooze, by_daemon=True)
