"""What runners that run do when the configuration has changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.errors import QToolError

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
    """
    regroups: dict[str, tuple[Change, Regroup]] = {}
    for change in changes:
        if change.sleep_seconds is not None and change.is_runnable:
            master.set_snooze(change.runner, change.sleep_seconds)
        if change.is_regrouped or change.is_removed:
            regroup = master.regroup(change.runner, begin=change.is_runnable)
            regroups[change.runner] = change, regroup
    deadline = time.monotonic() + PATIENCE_SECONDS
    done = {
        name: _told(change, regroup, is_over=regroup.wait(deadline - time.monotonic()))
        for name, (change, regroup) in regroups.items()
    }
    for change in changes:
        if begin and change.is_new and change.starts:
            done[change.runner] = _begun(master, change.runner)
    return done


def _told(change: Change, regroup: Regroup, *, is_over: bool) -> str:
    if not regroup.stopped:
        return ""
    stopped = "stopped all slices" if change.is_resliced else "stopped"
    started = "started the new ranges" if change.is_resliced else "started again"
    if regroup.error is not None:
        return f"{stopped}; {regroup.error}"
    if not regroup.begins:
        return stopped if is_over else f"{stopped} after the message in hand"
    return f"{stopped}, {started}{'' if is_over else ' after the message in hand'}"


def _begun(master: Master, name: str) -> str:
    try:
        master.start(name)
    except QToolError as error:
        return str(error)
    return "started"
