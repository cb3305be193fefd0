"""Stopping a runner's slices, and starting them again once they have ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.control.following import PATIENCE_SECONDS
from qtool.control.standing import what_was_done
from qtool.errors import RunnerError, SliceClaimed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.engine.master import Master
    from qtool.settings import RunnerSettings


def restarted(
    master: Master,
    settings: RunnerSettings,
    numbers: Sequence[int],
    asked: int | None,
    held: str,
) -> str:
    """Restart the slices that run, or are to; return what happened in a line.

    A message in hand is waited for, but not for long: the slice begins again when it
    is through, if nobody stops it before.

    Args:
        master: Whose slices.
        settings: Of their runner.
        numbers: Which of them.
        asked: The one that was asked for; None is all.
        held: A line about those that somebody else holds.

    Raises:
        RunnerError: None runs, or one that was stopped cannot be started.
    """
    name, count = settings.name, settings.instances
    if asked is not None and not 0 <= asked < count:
        raise RunnerError(f"{name} has {count} slices: no {asked}")
    running = [number for number in numbers if master.is_wanted(name, number)]
    if not running:
        raise RunnerError(f"{name} is not running")
    regroups = [master.regroup(name, number) for number in running]
    deadline = time.monotonic() + PATIENCE_SECONDS
    is_over = all(each.wait(deadline - time.monotonic()) for each in regroups)
    errors = [each.error for each in regroups if each.error is not None]
    for error in errors:
        if not isinstance(error, SliceClaimed):
            raise RunnerError(f"{name} was stopped, and cannot be started: {error}")
    done = "restarted" if is_over else "to restart after the message in hand"
    line = what_was_done(settings, asked, running, done)
    return "; ".join(filter(None, (line, *(f"waits: {e}" for e in errors), held)))
