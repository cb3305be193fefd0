"""Waiting at the prompt for what takes long, and what Ctrl-C does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from qtool.control.acts.attended import Attended
from qtool.render.acts import under_way_line
from qtool.shell.output import erase, say, say_passing

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import UnderWay

R = TypeVar("R")

_IS_BEING_ENDED = "it is being ended, after the entry in hand"
_IS_LEFT = "it is not waited for any more; acts() tells what it did"


def attended(
    control: Control, call: Callable[[], R], interrupted: Callable[[R], object]
) -> R:
    """Do an act or preview one, and show at a terminal how far it is.

    The first Ctrl-C ends it after the entry in hand, and the prompt waits for that.
    Only after the third it does not, for a disk may never answer.

    Args:
        control: The site.
        call: What is to be done.
        interrupted: Is called with the result where Ctrl-C came before all was done.

    Raises:
        KeyboardInterrupt: After that.
    """
    attending = Attended(control, call)
    try:
        result = attending.result(_show if sys.stderr.isatty() else None, _insisted)
    finally:
        erase()
    if attending.was_interrupted:
        interrupted(result)
        raise KeyboardInterrupt
    return result


def _show(seen: UnderWay) -> None:
    say_passing(under_way_line(seen))


def _insisted(times: int) -> bool:
    is_awaited = times == 2
    erase()
    say(_IS_BEING_ENDED if is_awaited else _IS_LEFT, sys.stderr)
    return is_awaited
