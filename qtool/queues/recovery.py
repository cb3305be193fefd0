"""Recovery: entries that a dead runner had in flight go back into the queue.

Each recovery is counted in the entry's msgdata; the third puts it into ``bad``,
because it may be what kills the runners. A recovery does not count where the
machine has booted since the entry was taken, for that was no fault of the message,
nor where the disk has no room to note it: a full spool must be able to drain.
Only the holder of a slice's claim recovers.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool import qfile
from qtool.errors import QFileError
from qtool.msgdata import from_json, to_json
from qtool.queues import durable
from qtool.queues.entries import machine_fault
from qtool.queues.filebase import TAKEN, WAITING, WRITING
from qtool.queues.writers import Writing

if TYPE_CHECKING:
    from qtool.queues.aside import Aside

_log = logging.getLogger("qtool.queues")

COUNT_KEY = "_bak_count"
MAX_RECOVERIES = 3
"""Which recovery puts an entry into ``bad`` instead."""


def boot_time() -> float:
    """Return when the machine booted, in epoch seconds."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


class Recovery:
    """Recovers entries of one queue."""

    def __init__(
        self,
        directory: str,
        aside: Aside,
        *,
        allowed: frozenset[str] = frozenset(),
        booted: float | None = None,
    ) -> None:
        self._directory = directory
        self._aside = aside
        self._allowed = allowed
        self._booted = boot_time() if booted is None else booted

    def put_back(self, name: str) -> None:
        """Put one entry in flight back into the queue, or into ``bad``."""
        taken = self._path(name, TAKEN)
        try:
            since = os.lstat(taken).st_ctime
        except FileNotFoundError:
            return
        if since < self._booted:
            self._rename_back(name)
        else:
            self._count_and_put_back(name)

    def _path(self, name: str, suffix: str) -> str:
        return f"{self._directory}/{name}{suffix}"

    def _count_and_put_back(self, name: str) -> None:
        taken = self._path(name, TAKEN)
        try:
            held = qfile.read(Path(taken), allowed=self._allowed)
        except QFileError as error:
            fault = machine_fault(error)
            if fault is not None:
                raise fault from error
            self._preserve(name, f"recovered, but {error.reason}")
            return
        count = _count_of(held.msgdata) + 1
        if count >= MAX_RECOVERIES:
            self._preserve(name, f"recovered {count} times and never finished")
            return
        counted = {**held.msgdata, COUNT_KEY: count}
        msgdata = qfile.encode_msgdata(counted, self._allowed)
        # Who ends what dead writers left must see that this one lives.
        with Writing(self._directory, name):
            if not self._written(name, held.message_bytes + msgdata):
                return
        durable.sync_folder(self._directory)
        os.unlink(taken)
        often = "once" if count == 1 else f"{count} times"
        _log.info("%s: recovered, %s so far", name, often)

    def _written(self, name: str, content: bytes) -> bool:
        """Let the entry wait with that content; return whether it does by this."""
        temporary, waiting = self._path(name, WRITING), self._path(name, WAITING)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # of a recovery that was cut off
        try:
            durable.write_new(temporary, content)
        except OSError as error:
            if error.errno not in durable.NO_ROOM:
                raise
            _log.warning("%s: its recovery is not counted: %s", name, error)
            self._rename_back(name)
            return False
        try:
            durable.rename_new(temporary, waiting)
        except FileExistsError:
            os.unlink(temporary)
            self._resolve_twins(name)
            return False
        except FileNotFoundError:  # ended as if it were the one that was cut off
            self._rename_back(name)
            return False
        return True

    def _rename_back(self, name: str) -> None:
        try:
            durable.rename_new(self._path(name, TAKEN), self._path(name, WAITING))
        except FileExistsError:
            self._resolve_twins(name)
        else:
            _log.info("%s: recovered, uncounted", name)

    def _resolve_twins(self, name: str) -> None:
        """End the flight of an entry beside which one of the same name waits."""
        taken, waiting = self._path(name, TAKEN), self._path(name, WAITING)
        if os.path.samestat(os.lstat(taken), os.lstat(waiting)) or self._same(name):
            # An act was cut off between making one name and removing the other.
            os.unlink(taken)
        else:
            self._preserve(name, "recovered, but another entry of its name waits")

    def _same(self, name: str) -> bool:
        """Return whether both differ in nothing but the count of recoveries."""
        try:
            taken, waiting = (
                qfile.read(Path(self._path(name, suffix)), allowed=self._allowed)
                for suffix in (TAKEN, WAITING)
            )
        except QFileError:
            return False
        return is_same(taken, waiting)

    def _preserve(self, name: str, reason: str) -> None:
        kept = self._aside.preserve(self._path(name, TAKEN), name, reason)
        _log.error("%s: preserved in bad as %s: %s", name, kept, reason)


def _count_of(msgdata: dict[str, object]) -> int:
    """Return how often an entry was recovered, whatever its file claims."""
    count = msgdata.get(COUNT_KEY, 0)
    return count if isinstance(count, int) and count > 0 else 0


def is_same(one: qfile.QFile, other: qfile.QFile) -> bool:
    """Return whether two entries differ in nothing but the count of recoveries."""
    if one.message_bytes != other.message_bytes:
        return False
    return bool(_comparable(one.msgdata) == _comparable(other.msgdata))


def _comparable(msgdata: dict[str, object]) -> Any:
    """Return metadata without the count, as values that share nothing.

    Comparing lists that share others may never end. What is too large to be told
    whole is told apart from everything.
    """
    whole = to_json({key: msgdata[key] for key in msgdata if key != COUNT_KEY})
    try:
        from_json(whole)
    except ValueError:
        return object()
    return whole
