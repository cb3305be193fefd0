"""Waiting for acts over many entries: how far they are, and what Ctrl-C does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from qtool.commands.output import erase, tell, tell_passing
from qtool.commands.site import again
from qtool.control.acts.attended import Attended
from qtool.errors import Refused
from qtool.render.acts import under_way_line

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import UnderWay

R = TypeVar("R")


def attended(
    options: Namespace, control: Control, call: Callable[[], R]
) -> tuple[R, bool]:
    """Do an act or preview one, and show at a terminal how far it is.

    Returns:
        What it returns, and whether Ctrl-C has ended it before all was done.

    Raises:
        KeyboardInterrupt: Nothing was done; or it goes on, and that is told.
    """
    attending = Attended(control, call)
    try:
        result = attending.result(_show if sys.stderr.isatty() else None)
    except KeyboardInterrupt:
        tell(f"interrupted: {again(options, 'undo --list')} tells what was done")
        raise
    except Refused as error:
        if not attending.was_interrupted:
            raise
        tell(str(error))
        raise KeyboardInterrupt from error
    finally:
        erase()
    return result, attending.was_interrupted


def _show(seen: UnderWay) -> None:
    tell_passing(sys.stderr, under_way_line(seen))
