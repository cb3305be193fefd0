"""Claims: who may take entries of a slice, for as long as the claim lives.

A claim is a lock on a range of bytes of one file per queue, owned by an open file
description: the ranges of overlapping slices overlap, across processes and among
the threads of one, and the kernel drops the lock when the process dies. A lock
tells no name, so a small file of facts lies beside it, believed only while its
range is locked. A forked child would share its parent's claim: spawn instead.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtool.errors import ClaimsUnsupported, SliceClaimed
from qtool.queues import durable, locks
from qtool.queues.state import make_state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from qtool.queues.slices import Slice

_log = logging.getLogger("qtool.queues")

SHIFT = 98
"""Offsets have 63 bits, so one byte stands for 2**98 digests."""
_FACTS_LIMIT = 4096
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a claim."""

    host: str
    pid: int
    """0 where it is not known."""
    started: float
    """When the claim was taken, in epoch seconds."""
    what: str
    """What it is for, in words."""

    def __str__(self) -> str:
        if not self.pid:
            return "an unknown process"
        return f"pid {self.pid} on {self.host} ({self.what})"


_UNKNOWN = Holder(host="", pid=0, started=0.0, what="")


class Claim:
    """A slice that this process holds until ``release``."""

    def __init__(self, descriptor: int, path: str, facts: str) -> None:
        self.path = path
        """The lock file."""
        self._descriptor: int | None = descriptor
        self._facts = facts
        self._locked = os.fstat(descriptor)

    @property
    def is_held(self) -> bool:
        """Whether it has not been released."""
        return self._descriptor is not None

    @property
    def is_lost(self) -> bool:
        """Whether others would lock another file: it was removed, or replaced."""
        return self.is_held and _is_another(self.path, self._locked)

    def release(self) -> None:
        """Give the slice back; more than once does no harm."""
        is_lost = self.is_lost
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            if not is_lost:  # they may be of who has it now
                with contextlib.suppress(OSError):
                    os.unlink(self._facts)  # believed no more anyway
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Claims:
    """The claims on one queue."""

    def __init__(
        self,
        queue: str,
        queue_directory: str,
        state_directory: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._queue = queue
        self._state = state_directory
        self._folder = os.path.join(state_directory, "claims")
        self.path = f"{self._folder}/{_key(queue_directory, state_directory)}"
        self._clock = clock

    def take(self, part: Slice, what: str) -> Claim:
        """Claim a slice for this process.

        Raises:
            SliceClaimed: Somebody holds it, or a part of it.
            ClaimsUnsupported: The file system has no such locks, or the slice is
                too narrow for one.
        """
        start, end = _range(part)
        make_state_folder(self._state)
        durable.make_folder(self._folder)
        for _ in range(_ATTEMPTS):
            descriptor = self._open()
            try:
                is_locked = locks.take(descriptor, start, end - start)
                if is_locked and self._is_current(descriptor):
                    return self._held(descriptor, start, end, what)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
            holder = self.holder(part)
            if holder is not None:
                raise SliceClaimed(
                    f"{self._queue}, {part}, is claimed by {holder}"
                    if not part.is_whole
                    else f"{self._queue} is claimed by {holder}"
                )
        raise SliceClaimed(f"{self._queue}, {part}, changes hands too quickly")

    def holder(self, part: Slice) -> Holder | None:
        """Return who holds a slice or a part of it; writes nothing."""
        start, end = _range(part)
        try:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path, flags)
        except (FileNotFoundError, PermissionError):
            return None
        try:
            held = locks.held(descriptor, start, end - start)
        finally:
            os.close(descriptor)
        return None if held is None else read_facts(self._facts_path(*held))

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, durable.FILE_MODE)
        with contextlib.suppress(PermissionError):  # another user of the group made it
            os.fchmod(descriptor, durable.FILE_MODE)
        return descriptor

    def _is_current(self, descriptor: int) -> bool:
        """Return whether the locked file is still the one that others would open."""
        return not _is_another(self.path, os.fstat(descriptor))

    def _held(self, descriptor: int, start: int, end: int, what: str) -> Claim:
        import json  # as hashlib below: looking at free slices needs neither

        facts = self._facts_path(start, end)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(facts)  # left by one that died
        text = json.dumps(
            {
                "host": os.uname().nodename,
                "pid": os.getpid(),
                "started": self._clock(),
                "what": what,
            }
        )
        try:
            durable.write_new(facts, text.encode(), sync=False)
        except OSError as error:
            if error.errno not in durable.NO_ROOM:
                raise
            # A full spool must be able to drain; its holder is unknown then.
            _log.warning("%s: cannot note who holds a claim: %s", self._queue, error)
        return Claim(descriptor, self.path, facts)

    def _facts_path(self, start: int, end: int) -> str:
        return f"{self.path}.{start:x}-{end:x}.json"


def noted(state_directory: str) -> Iterator[tuple[str, Holder]]:
    """Yield the notes on claims of a spool: the lock file, and who is said to hold it.

    Of each, the holder may be gone, or hold another part of it.
    """
    folder = os.path.join(state_directory, "claims")
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        lock, _, end = name.removesuffix(".json").rpartition(".")
        if name.endswith(".json") and lock and "-" in end:
            holder = read_facts(f"{folder}/{name}")
            if holder.pid > 0:
                yield f"{folder}/{lock}", holder


def _range(part: Slice) -> tuple[int, int]:
    """Return the bytes that stand for a slice."""
    if part.upper - part.lower < 1 << SHIFT:
        raise ClaimsUnsupported(f"{part} is too narrow to be claimed")
    return part.lower >> SHIFT, part.upper >> SHIFT


def _is_another(path: str, locked: os.stat_result) -> bool:
    try:
        return not os.path.samestat(os.stat(path), locked)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # that nobody may look there takes nothing away


def _key(queue_directory: str, state_directory: str) -> str:
    """Return a file name for a queue's claims: the same for each name of its folder."""
    root = os.path.realpath(os.path.dirname(state_directory))
    path = os.path.relpath(os.path.realpath(queue_directory), root)
    key = path.replace("%", "%25").replace("/", "%2F")
    if len(os.fsencode(key)) > 150:
        import hashlib

        key = hashlib.sha256(os.fsencode(path)).hexdigest()
    return key


def read_facts(path: str) -> Holder:
    import json

    try:
        facts: Any = json.loads(durable.read_small(path, _FACTS_LIMIT))
        return Holder(
            host=str(facts["host"]),
            pid=int(facts["pid"]),
            started=float(facts["started"]),
            what=str(facts["what"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _UNKNOWN
