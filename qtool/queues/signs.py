"""What one look at a folder tells of whether its queue moves."""

from __future__ import annotations

import os
from dataclasses import dataclass

from qtool.queues import filebase
from qtool.queues.filebase import TAKEN, WAITING
from qtool.queues.folder import chunks

_MOST_ASKED = 64
"""Of how many in flight it is asked when they were taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What one look tells of whether a queue moves; times in epoch seconds.

    All but that in a name are of the file system's clock, which on a network may be
    minutes off.
    """

    changed: float
    """When a name last came into the queue, was taken, or went."""
    youngest: float | None
    """Time in the youngest waiting name."""
    came: float | None
    """When the entry of that name came there; None where it is gone again."""
    taken: float | None
    """When the last of what is in flight was taken; None where nothing is."""


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
    named = filebase.parse(youngest)
    since = [_since(directory, name) for name in taken[:_MOST_ASKED]]
    return Signs(
        changed=changed,
        youngest=None if named is None else named.when,
        came=None if named is None else _since(directory, youngest),
        taken=max((each for each in since if each is not None), default=None),
    )


def _since(directory: str, name: str) -> float | None:
    """Return when a file got its name; None where it is gone."""
    try:
        return os.lstat(f"{directory}/{name}").st_ctime
    except FileNotFoundError:
        return None
