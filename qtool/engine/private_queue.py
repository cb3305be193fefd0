"""A folder of its own for one file that Mailman's own runner is to process.

The file is moved here, so that it is out of every other runner's way, and what
survives is moved back. The note of where it came from is on the disk before the
move; a lock that the child inherits says whether anybody is still at work.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from qtool import qfile
from qtool.errors import NoSuchEntry, QFileError, QueueError, Refused
from qtool.queues import durable, filebase
from qtool.queues.state import make_state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "step-"
_NOTE = "note.json"
_LOCK = "lock"
_CONFIGURATION = "mailman.cfg"
_OUTPUT = "output"
_QUEUE = "queue"
_LONGEST_NOTE = 65536
_LAYOUT_VERSION = 1
_MOST_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Where a file came from."""

    queue: str
    runner: str
    filebase: str


class PrivateQueue:
    """One file's own queue folder; the lock on it is held."""

    def __init__(self, path: Path, note: Note, lock: int) -> None:
        self._path = path
        self.note = note
        self.lock = lock
        """Descriptor of the lock, for a child to inherit."""
        self.directory = path / _QUEUE
        """The queue folder."""
        self.configuration = path / _CONFIGURATION
        """Where the child's configuration is; for our eyes alone."""
        self.output = path / _OUTPUT
        """What the child prints."""

    def take(self, directory: Path) -> None:
        """Move the file in from its queue's folder.

        Raises:
            NoSuchEntry: Somebody else has taken it.
            QueueError: It cannot be moved.
        """
        name = self.note.filebase + filebase.WAITING
        source = str(directory / name)
        try:
            durable.rename_new(source, str(self.directory / name))
        except FileNotFoundError as error:
            raise NoSuchEntry(
                f"{self.note.filebase} is not in {self.note.queue} any more"
            ) from error
        except OSError as error:
            raise QueueError(f"{source}: {error.strerror}") from error
        durable.sync_folder(str(self.directory))
        durable.sync_folder(str(directory))

    def entries(self) -> list[filebase.Name]:
        """Return what is in the folder, oldest first."""
        try:
            names = [filebase.parse(path.name) for path in self.directory.iterdir()]
        except FileNotFoundError:
            return []
        known = [n for n in names if n and n.suffix in filebase.ENTRY_SUFFIXES]
        return sorted(known, key=lambda name: (name.when, name.digest))

    def open_output(self) -> BinaryIO:
        """Return the file that takes what the child prints."""
        return self.output.open("xb")

    def write_configuration(self, text: str) -> None:
        """Write the child's configuration, which may hold the site's passwords."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(self.configuration, flags, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123 - a descriptor
            stream.write(text)

    def put_back(self, directory: Path) -> list[str]:
        """Move what survives to its queue's folder; return its filebases.

        Only when no child is left. It waits there again, and its recoveries are
        not counted against it.

        Raises:
            QueueError: It cannot be moved; it stays here, and the error says where.
        """
        returned = []
        for name in self.entries():
            here = self.directory / (name.filebase + name.suffix)
            there = directory / (name.filebase + filebase.WAITING)
            try:
                _forget_recoveries(here)
                durable.rename_new(str(here), str(there))
            except FileExistsError:
                if not here.samefile(there):
                    raise QueueError(f"{there} is there already: see {here}") from None
                here.unlink()
            except OSError as error:
                raise QueueError(f"{here}: {error.strerror}") from error
            returned.append(name.filebase)
        if returned:
            durable.sync_folder(str(directory))
            durable.sync_folder(str(self.directory))
        return returned

    def forget_configuration(self) -> None:
        """Remove the child's configuration."""
        self.configuration.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder, unless there is something in it that we do not know."""
        self.forget_configuration()
        self.output.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            with contextlib.suppress(FileNotFoundError):  # cut off before it was made
                for path in self.directory.iterdir():
                    if path.name.endswith((filebase.WRITING, filebase.EDITED)):
                        # A half-written copy of an entry that is whole elsewhere.
                        path.unlink()
                self.directory.rmdir()
            (self._path / _NOTE).unlink(missing_ok=True)
            (self._path / _LOCK).unlink(missing_ok=True)
            self._path.rmdir()

    def close(self) -> None:
        """Let go of the lock; a child that is still there keeps it."""
        os.close(self.lock)


def make(state_directory: Path, note: Note) -> PrivateQueue:
    """Make a private queue and its note, durably.

    Raises:
        Refused: The folder cannot be made.
    """
    try:
        make_state_folder(str(state_directory))
        path, lock = _locked_folder(state_directory)
    except OSError as error:
        raise Refused(f"{state_directory}: {error.strerror}") from error
    private = PrivateQueue(path, note, lock)
    try:
        durable.make_folder(str(private.directory))
        kept = {"version": _LAYOUT_VERSION, **asdict(note)}
        durable.write_new(str(path / _NOTE), json.dumps(kept, indent=1).encode())
        durable.sync_folder(str(path))
        durable.sync_folder(str(state_directory))
    except OSError as error:
        private.remove()
        private.close()
        raise Refused(f"{state_directory}: {error.strerror}") from error
    return private


def _locked_folder(state_directory: Path) -> tuple[Path, int]:
    for _ in range(_MOST_TRIES):
        path = state_directory / f"{_PREFIX}{secrets.token_hex(8)}"
        durable.make_folder(str(path))
        lock = _locked(path)
        if lock is not None:
            return path, lock
        # Somebody who recovers was faster and removes it, or there are no locks.
        with contextlib.suppress(OSError):
            (path / _LOCK).unlink()
            path.rmdir()
    raise Refused(f"{state_directory}: its file system offers no locks")


def abandoned(state_directory: Path) -> Iterator[PrivateQueue]:
    """Yield the private queues whose makers and children are all gone.

    The lock on each is held until the next is asked for.
    """
    try:
        paths = sorted(state_directory.glob(f"{_PREFIX}*"))
    except OSError:
        return
    for path in paths:
        if path.is_symlink() or not path.is_dir():
            continue
        lock = _locked(path)
        if lock is None:
            continue
        left = PrivateQueue(path, _read_note(path), lock)
        try:
            yield left
        finally:
            left.close()


def _locked(path: Path) -> int | None:
    """Return a locked descriptor; None if somebody is at work there, or it is gone."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        lock = os.open(path / _LOCK, flags, durable.FILE_MODE)
    except OSError:
        return None
    try:
        with contextlib.suppress(PermissionError):  # another of the group made it
            os.fchmod(lock, durable.FILE_MODE)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(path / _LOCK)):  # noqa: PTH116
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _read_note(path: Path) -> Note:
    try:
        with (path / _NOTE).open("rb") as stream:
            kept = json.loads(stream.read(_LONGEST_NOTE))
        return Note(**{key: str(kept[key]) for key in Note.__slots__})
    except (OSError, ValueError, KeyError, TypeError):
        # Without a whole note nothing had been moved yet.
        return Note(queue="", runner="", filebase="")


def _forget_recoveries(path: Path) -> None:
    try:
        entry = qfile.look(path)
        if "_bak_count" not in entry.msgdata or entry.opaque:
            return
        kept = {k: v for k, v in entry.msgdata.items() if k != "_bak_count"}
        msgdata = qfile.encode_msgdata(kept)
    except QFileError:
        return
    edited = path.with_name(f"{path.name}{filebase.EDITED}")
    edited.unlink(missing_ok=True)  # of a return that was cut off
    durable.write_new(str(edited), entry.message_bytes + msgdata)
    with contextlib.suppress(PermissionError):
        os.chown(edited, -1, path.stat().st_gid)
    # Nobody else works in this folder, and the message's own bytes stay the same.
    edited.replace(path)
