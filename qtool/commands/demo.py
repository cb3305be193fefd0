"""``qtool demo``: the board over a throw-away spool with traffic of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands.output import tell

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser

_EXAMPLES = """\
examples:
  qtool demo
  NO_COLOR=1 qtool demo
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES


def run(_options: Namespace) -> int:
    """Show the demo; its spool is removed when it is left."""
    from qtool import tui

    tui.refuse_terminal()
    tui.hasten()
    from qtool.control import open_demo
    from qtool.tui import app

    control = open_demo()
    spool = control.site().spool
    try:
        return app.run(control)
    finally:
        control.close()
        gone = "is still there" if Path(spool).exists() else "was removed"
        tell(f"the demo is over, and its spool {spool} {gone}")
