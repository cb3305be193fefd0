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

from qtool.queues.filebase import EDITED, WRITING
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
                if name.endswith(EDITED):
                    _end_editing(entries, folder, name.removesuffix(EDITED), now)
                else:
                    base = name.removesuffix(WRITING)
                    _end_writing(entries, folder, base, now, own=own)
        os.fsync(folder)
    finally:
        os.close(folder)


def _end_editing(entries: Entries, folder: int, name: str, now: float) -> None:
    age = now - os.lstat(entries.path(name, EDITED)).st_ctime
    nobody = is_alone(folder, name, groups=False)
    if nobody or (nobody is None and age > DEAD_SECONDS):
        entries.put_back(name)
        _log.warning("%s: waits again; who edited it died", name)


def _end_writing(
    entries: Entries, folder: int, name: str, now: float, *, own: bool
) -> None:
    path = entries.path(name, WRITING)
    age = now - os.lstat(path).st_mtime
    nobody = is_alone(folder, name, groups=True)
    if (nobody and own) or (nobody is not False and age > DEAD_SECONDS):
        os.unlink(path)
        _log.warning("%s: removed; its writer died", path)
