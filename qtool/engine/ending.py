"""The end of all runner slices of a master."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from qtool.engine.gate import Gate
from qtool.engine.shunting import one_line
from qtool.errors import QToolError, RunnerError

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
        _stop(thread)
    if unclaim:
        at_once = [threading.Thread(target=_give_up, args=(one,)) for one in threads]
        for each in at_once:
            each.start()
        for each in at_once:
            each.join()
    for thread in threads:
        thread.wait()


def _stop(thread: RunnerThread) -> None:
    runner = thread.runner
    try:
        thread.stop()
    except RunnerError:
        return  # it has ended meanwhile
    except Exception as error:  # noqa: BLE001 - a class may raise anything
        _log(thread, "does not stop by itself", error)
        if runner is not None and isinstance(runner.gate, Gate):
            runner.gate.stop()


def _give_up(thread: RunnerThread) -> None:
    # Who has nothing in hand is gone in a moment, and cleans up.
    if thread.wait(0.0 if thread.in_hand else 0.2):
        return
    try:
        thread.give_up(_SETTLING)
    except Exception as error:  # noqa: BLE001 - a class may raise anything
        # It stays in flight, and the next start recovers it.
        _log(thread, "does not give back what it has in hand", error)


def _log(thread: RunnerThread, what: str, error: Exception) -> None:
    log = logging.getLogger(f"qtool.runner.{thread.name}")
    reason = str(error) if isinstance(error, QToolError) else one_line(error)
    log.error("%s %s: %s", thread, what, reason, exc_info=error)
