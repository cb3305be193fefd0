"""Giving a waiting entry other metadata, which loses cleanly to a runner.

    X.pck.tmp is written; X.pck --hold--> X.edit <--rename-- X.pck.tmp
    X.edit --place--> X.pck

The new file is whole and on the disk before the entry leaves the queue. There is
one file of the message at any moment: a second that was left behind by a crash would
be sent again after a runner is done with the first.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from qtool import qfile
from qtool.errors import EntryExists
from qtool.msgdata import volatile
from qtool.qfile.opening import read_bytes
from qtool.queues import durable
from qtool.queues.filebase import EDITED, WAITING, WRITING
from qtool.queues.writers import is_alone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.queues.entries import Entries

_FORM_KEYS = ("version", "_parsemsg")
"""What tells how the message is written: it belongs to the file."""


def rewrite(entries: Entries, name: str, msgdata: Mapping[str, Any]) -> None:
    """Give a waiting entry other metadata; the bytes of its message stay.

    Volatile keys are left out. When this returns, the change survives a loss of
    power.

    Raises:
        NoSuchEntry: It does not wait here, or a runner was faster.
        EntryExists: Somebody else rewrites it.
        QFileError: It cannot be read, or ``msgdata`` cannot be kept.
        OSError: It could not be written durably; it waits as it was.
    """
    waiting, edited = entries.path(name, WAITING), entries.path(name, EDITED)
    temporary = entries.path(name, WRITING)
    with entries.writing(name) as folder:
        before = _look(entries, folder, name)
        content = _changed(waiting, msgdata)
        _write(folder, name, temporary, content)
        try:
            _hold(entries, name, before)
            try:
                os.rename(temporary, edited)
            except OSError:
                entries.put_back(name)
                raise
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        entries.put_back(name)
        os.fsync(folder)


def _look(entries: Entries, folder: int, name: str) -> os.stat_result:
    """Return which file it is; one whose editor was killed waits again first."""
    waiting = entries.path(name, WAITING)
    try:
        return os.lstat(waiting)
    except FileNotFoundError:
        if is_alone(folder, name, groups=False):
            entries.put_back(name)
    try:
        return os.lstat(waiting)
    except FileNotFoundError:
        raise entries.missing(name) from None


def _hold(entries: Entries, name: str, before: os.stat_result) -> None:
    """Hold the entry, if it is still the file that was read."""
    held = entries.hold(name)
    if not os.path.samestat(os.lstat(held), before):
        # Taken, and recovered as another file: with a count.
        entries.put_back(name)
        raise entries.missing(name)


def _changed(path: str, msgdata: Mapping[str, Any]) -> bytes:
    """Return what a file holds, with other metadata."""
    held = qfile.decode(read_bytes(path), strict=False, path=path)
    kept = {key: value for key, value in msgdata.items() if not volatile(key)}
    form = {key: held.msgdata[key] for key in _FORM_KEYS if key in held.msgdata}
    return held.message_bytes + qfile.encode_msgdata({**kept, **form})


def _write(folder: int, name: str, temporary: str, content: bytes) -> None:
    """Write the new file; that there is one means that somebody else is at it."""
    try:
        durable.write_new(temporary, content)
    except FileExistsError:
        if not is_alone(folder, name, groups=False):
            raise EntryExists(f"{name} is being rewritten already") from None
        os.unlink(temporary)  # of one that was killed
        durable.write_new(temporary, content)
