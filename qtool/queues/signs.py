"""What one look at a folder tells of whether its queue moves."""

from __future__ import annotations

import contextlib
import os

from qtool.queues import filebase
from qtool.queues.filebase import TAKEN, WAITING
from qtool.queues.folder import chunks
from qtool.queues.switchboard import Signs

_MOST_ASKED = 64
"""Of how many in flight it is asked when they were taken."""


def signs_of(directory: str) -> Signs | None:
    """Return what is to be seen now; None where there is no folder.

    Raises:
        OSError: It cannot be read.
    """
    youngest, taken = "", []
    for chunk in chunks(directory):
        names = [entry.name for entry in chunk]
        # Times compare as text; what only looks like one is found out below.
        waiting = [n for n in names if n.endswith(WAITING) and n[10:11] == "."]
        youngest = max([youngest, *waiting])
        taken += [name for name in names if name.endswith(TAKEN)]
    try:
        changed = os.stat(directory).st_mtime
    except FileNotFoundError:
        return None
    since = []
    for name in taken[:_MOST_ASKED]:
        with contextlib.suppress(FileNotFoundError):
            since.append(os.lstat(f"{directory}/{name}").st_ctime)
    named = filebase.parse(youngest)
    return Signs(
        changed=changed,
        youngest=None if named is None else named.when,
        taken=max(since, default=None),
    )
