"""Small notes beside the queues, from one process to the next.

A note is replaced as a whole by who holds a lock on the folder, so who reads it
needs none. Mail never depends on one: a note that cannot be understood is dropped.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
from contextlib import contextmanager, suppress
from types import GenericAlias
from typing import TYPE_CHECKING, Generic, TypeVar

from qtool.queues import durable
from qtool.queues.state import make_state_folder
from qtool.queues.writers import FOLDER
from qtool.wire import Wire, dumped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")

_LARGEST = 1 << 20
"""Bytes of the file that are read."""
_HALF = re.compile(r"(?:alerts|drains|pauses|lists\.\d+)\.tmp", re.ASCII)
"""What is renamed once it is whole, of all that is written under the same lock."""

log = logging.getLogger("qtool.notes")


class Note(Generic[T]):
    """A list of facts of one kind.

    Args:
        path: Its file, in the state folder; both are made by the first change.
        kind: What the facts are: a frozen dataclass.
        layout: The version of that; a note of another one is dropped.
    """

    def __init__(self, path: Path, kind: type[T], layout: int) -> None:
        self._path = path
        self._kind = kind
        self._layout = layout
        self._wire = Wire({})
        self._said = ""
        """Which damage the log knows of."""
        self._kept: tuple[tuple[int, int, int], list[T]] | None = None
        """What was read the last time, and how the file looked."""

    def read(self) -> list[T]:
        """Return what is noted; nothing where one may not look, or it is damaged."""
        try:
            status = self._path.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            kept = self._kept  # another thread may be reading, too
            if kept is None or kept[0] != stamp:
                data = durable.read_small(str(self._path), _LARGEST)
                kept = self._kept = stamp, self._understood(data)
            return list(kept[1])
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []
        except OSError as error:
            self._say(error.strerror or str(error))
            return []

    @contextmanager
    def changing(self) -> Iterator[list[T]]:
        """Let the list be changed, and write it down durably where it was.

        Raises:
            OSError: It cannot be written down.
        """
        folder = self._path.parent
        folder.parent.stat()  # a note does not make a spool that is gone
        make_state_folder(str(folder))
        place = os.open(folder, FOLDER)
        try:
            fcntl.flock(place, fcntl.LOCK_EX)  # two who write would lose one
            facts = self.read()
            before = list(facts)
            yield facts
            if facts != before:
                self._write(facts)
                os.fsync(place)
        finally:
            os.close(place)

    def _understood(self, data: bytes) -> list[T]:
        """Return what a note says; nothing where it is damaged."""
        try:
            return self._parsed(data)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self._say(str(error))
            return []

    def _parsed(self, data: bytes) -> list[T]:
        kept = json.loads(data)
        if not isinstance(kept, dict) or kept.get("layout") != self._layout:
            raise ValueError("it has another layout")
        hint = GenericAlias(list, self._kind)
        found: list[T] = self._wire.loaded(hint, kept["facts"])
        return found

    def _say(self, damage: str) -> None:
        if damage != self._said:
            self._said = damage
            log.warning("%s is dropped: %s", self._path, damage)

    def _write(self, facts: list[T]) -> None:
        temporary = self._path.with_suffix(".tmp")
        with suppress(FileNotFoundError):
            temporary.unlink()  # of one who was killed: the lock is ours
        if not facts:
            with suppress(FileNotFoundError):
                self._path.unlink()
            return
        kept = {"layout": self._layout, "facts": dumped(facts)}
        durable.write_new(str(temporary), json.dumps(kept, indent=1).encode())
        try:
            temporary.replace(self._path)
        except OSError:
            temporary.unlink()
            raise


# --- What writers that died have left


def is_half(name: str) -> bool:
    """Return whether a file of that name is one that is being written, or was."""
    return _HALF.fullmatch(name) is not None


def half_written(folder: Path) -> list[str]:
    """Return the names of files in the state folder that nobody writes any more.

    The next write of the same note removes it.
    """
    try:
        names = sorted(filter(is_half, os.listdir(folder)))
        if not names:
            return []
        with _alone(folder) as is_alone:
            return names if is_alone else []
    except OSError:
        return []


def forget_half(folder: Path, name: str) -> bool:
    """Remove a file that nobody writes any more; return whether it was removed."""
    with _alone(folder) as is_alone:
        if not is_alone or not is_half(name):
            return False
        try:
            (folder / name).unlink()
        except FileNotFoundError:
            return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Keep writers away; yield whether there was none."""
    place = os.open(folder, FOLDER)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody writes, or there are no locks
            yield False
        else:
            yield True
    finally:
        os.close(place)
