"""The end of all runner slices of a master."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtool.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.engine.runner_thread import RunnerThread

_SETTLING = 5.0
"""Seconds that closing waits for a runner which is about to settle its message."""


def end(threads: Sequence[RunnerThread], *, unclaim: bool) -> None:
    """Stop slices and wait until they have ended.

    Args:
        threads: Which.
        unclaim: Give the messages in hand back, and wait for no ``_dispose``.
    """
    for thread in threads:
        with suppress(RunnerError):  # it has ended meanwhile
            thread.stop()
    if unclaim:
        for thread in threads:
            # Who has nothing in hand is gone in a moment, and cleans up.
            if not thread.wait(0.0 if thread.in_hand else 0.2):
                thread.give_up(_SETTLING)
    for thread in threads:
        thread.wait()
