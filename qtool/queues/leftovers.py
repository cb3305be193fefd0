"""What processes that died had begun: files half written, entries half edited.

Nobody is waited for and nothing is taken: whoever is still at an entry holds a lock
that says so. GNU Mailman's own writers hold none, and on some file systems nobody
can; what is left over must be an hour old there.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

from qtool.queues.filebase import IN_HAND, WRITING
from qtool.queues.writers import FOLDER, is_alone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtool.queues.entries import Entries

_log = logging.getLogger("qtool.queues")

DEAD_SECONDS = 3600.0
"""Age from which who began it must be dead, in any case: it takes a moment."""


def end(entries: Entries, names: Iterable[str], now: float, *, own: bool) -> None:
    """Remove temporary files of the dead, and let entries that they edited wait.

    Args:
        entries: The folder.
        names: Whole names of temporary files and edited entries in it.
        now: The time, in epoch seconds.
        own: Whether only qtool writes into this folder.
    """
    found = list(names)
    if not found:
        return
    folder = os.open(entries.directory, FOLDER)
    try:
        for name in found:
            with contextlib.suppress(FileNotFoundError):
                if not _is_left(entries.directory, folder, name, now, own=own):
                    continue
                base, state = _parts(name)
                if state is None:
                    path = entries.path(base, WRITING)
                    os.unlink(path)
                    _log.warning("%s: removed; its writer died", path)
                else:
                    entries.put_back(base, state)
                    _log.warning("%s: is put back; who edited it died", name)
        os.fsync(folder)
    finally:
        os.close(folder)


def left(directory: str, names: Iterable[str], now: float, *, own: bool) -> list[str]:
    """Return those that ``end`` would end; writes nothing.

    Args:
        directory: The folder.
        names: Whole names of temporary files and edited entries in it.
        now: The time, in epoch seconds.
        own: Whether only qtool writes into this folder.
    """
    found = list(names)
    if not found:
        return []
    folder, dead = os.open(directory, FOLDER), []
    try:
        for name in found:
            with contextlib.suppress(FileNotFoundError):
                if _is_left(directory, folder, name, now, own=own):
                    dead.append(name)
    finally:
        os.close(folder)
    return dead


def _is_left(directory: str, folder: int, name: str, now: float, *, own: bool) -> bool:
    """Return whether nobody is at a file any more that was begun."""
    info = os.lstat(f"{directory}/{name}")
    base, state = _parts(name)
    if state is not None:
        nobody = is_alone(folder, base, groups=False)
        return nobody is True or (nobody is None and now - info.st_ctime > DEAD_SECONDS)
    nobody = is_alone(folder, base, groups=True)
    return (nobody is True and own) or (
        nobody is not False and now - info.st_mtime > DEAD_SECONDS
    )


def _parts(name: str) -> tuple[str, str | None]:
    """Return the filebase, and the state that an entry in a hand was in."""
    for state, held in IN_HAND.items():
        if name.endswith(held):
            return name.removesuffix(held), state
    return name.removesuffix(WRITING), None
