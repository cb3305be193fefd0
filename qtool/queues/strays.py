"""Folders beside the queues that hold mail, and that nobody looks into."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from qtool.queues.filebase import WAITING, parse

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_MOST_NAMES = 10_000
"""How many names are looked at in a folder, which may be no queue at all."""


def strays(root: Path, queues: Collection[Path]) -> tuple[str, ...]:
    """Return the names of the folders in ``root`` where entries wait, ``queues`` apart.

    Where there are no others it only lists ``root``.
    """
    known = set(map(str, queues))
    try:
        with os.scandir(root) as there:
            others = sorted(
                one.path
                for one in there
                if one.path not in known and one.name[0] != "." and one.is_dir()
            )
    except OSError:
        return ()
    if others:  # a queue may be configured by another name of its folder
        known = {os.path.realpath(path) for path in queues}
    return tuple(
        os.path.basename(path)
        for path in others
        if os.path.realpath(path) not in known and holds_entries(path)
    )


def holds_entries(folder: str | Path) -> bool:
    """Return whether entries wait in a folder."""
    try:
        with os.scandir(folder) as names:
            return any(_waits(one.name) for one in islice(names, _MOST_NAMES))
    except OSError:
        return False


def _waits(name: str) -> bool:
    parsed = parse(name) if name.endswith(WAITING) else None
    return parsed is not None and parsed.suffix == WAITING
