"""Waiting at the prompt for acts over many entries, and what Ctrl-C does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from qtool.control.acts.attended import Attended
from qtool.render.acts import under_way_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import UnderWay

R = TypeVar("R")

_ERASE = "\r\x1b[K"


def attended(
    control: Control, call: Callable[[], R], interrupted: Callable[[R], object]
) -> R:
    """Do an act or preview one, and show at a terminal how far it is.

    Args:
        control: The site.
        call: What is to be done.
        interrupted: Is called with the result where Ctrl-C came before all was done.

    Raises:
        KeyboardInterrupt: After that.
    """
    attending, was_shown = Attended(control, call), False

    def show(seen: UnderWay) -> None:
        nonlocal was_shown
        was_shown = True
        sys.stderr.write(f"{_ERASE}{under_way_line(seen)}")
        sys.stderr.flush()

    try:
        result = attending.result(show if sys.stderr.isatty() else None)
    finally:
        if was_shown:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()
    if attending.was_interrupted:
        interrupted(result)
        raise KeyboardInterrupt
    return result
