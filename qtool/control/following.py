"""What runners that run do when the configuration has changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.errors import SliceClaimed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtool.control.reloading import Change
    from qtool.engine.master import Master
    from qtool.engine.regrouping import Regroup

PATIENCE_SECONDS = 10.0
"""For how long the answer waits for messages in hand; the runners wait longer."""


def follow(
    master: Master, changes: Sequence[Change], *, begin: bool
) -> Mapping[str, str]:
    """Have runners follow what is configured now; return what was done, by runner.

    Args:
        master: Whose runners.
        changes: What is different.
        begin: Whether runners that can run now, and could not before, are started.
            Those that were wanted before are in any case.
    """
    regroups: dict[str, tuple[Change, Regroup]] = {}
    for change in changes:
        if change.sleep_seconds is not None and change.is_runnable:
            master.set_snooze(change.runner, change.sleep_seconds)
        if change.is_regrouped or change.is_removed:
            is_wanted = begin and change.is_new and change.starts
            regroup = master.regroup(
                change.runner, begin=change.is_runnable, is_wanted=is_wanted
            )
            regroups[change.runner] = change, regroup
    deadline = time.monotonic() + PATIENCE_SECONDS
    return {
        name: _told(change, regroup, is_over=regroup.wait(deadline - time.monotonic()))
        for name, (change, regroup) in regroups.items()
    }


def _told(change: Change, regroup: Regroup, *, is_over: bool) -> str:
    later = "" if is_over else " after the message in hand"
    if not regroup.stopped:
        stopped, started = "", "started"
    elif change.is_resliced:
        stopped, started = "stopped all slices", "started the new ranges"
    else:
        stopped, started = "stopped", "started again"
    error = regroup.error
    if error is not None:
        waits = "waits: " if isinstance(error, SliceClaimed) else ""
        return "; ".join(filter(None, (stopped, f"{waits}{error}")))
    if not regroup.begins:
        return f"{stopped}{later}" if stopped else ""
    return ", ".join(filter(None, (stopped, f"{started}{later}")))
