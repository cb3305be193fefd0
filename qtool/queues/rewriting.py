"""Giving an entry that waits or was set aside another content.

    X.pck.tmp is written; X.pck --hold--> X.edit <--rename-- X.pck.tmp
    X.edit --put back--> X.pck

The new file is whole and on the disk before the entry leaves the queue. There is
one file of the message at any moment: a second that was left behind by a crash would
be sent again after a runner is done with the first. Of many the new files can be
written before, and wait for the disk together; then each goes its way by itself.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from qtool.errors import EntryExists, QToolError, UnreadableQFile
from qtool.qfile.opening import read_bytes
from qtool.queues import durable
from qtool.queues.filebase import WAITING, WRITING
from qtool.queues.mending import Prepared
from qtool.queues.writers import FOLDER, is_alone, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qtool.queues.entries import Entries

Change: TypeAlias = "Callable[[bytes], bytes]"
"""Returns the new content for the old one."""

_LARGEST = 16 << 20
"""Bytes of entries that one group holds in memory: to put them back where one fails."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The new file of an entry, beside it."""

    name: str
    suffix: str
    path: str
    """Where the new file is."""
    file: os.stat_result
    """Which file that is."""
    before: os.stat_result
    """Which file the entry was when it was read."""
    content: bytes
    """What it held."""


class Group(Prepared):
    """The new files of several entries of one folder, on the disk.

    Args:
        entries: The folder.
    """

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._written: dict[str, _Written] = {}
        self._folder: int | None = None

    def write(self, changes: Iterable[tuple[str, str, Change]]) -> None:
        """Write new files, and wait for the file system once.

        What cannot be written is left out: whoever changes that entry tries anew, and
        tells why it fails.

        Args:
            changes: The filebase of each entry, the state that it is in, and what
                returns its new content.
        """
        try:
            # Open before the writes, so that failures of all are seen through it.
            self._folder = os.open(self._entries.directory, FOLDER)
            with contextlib.suppress(OSError):  # one by one the rest may find room
                self._write_all(self._folder, changes)
            if self._written:
                durable.sync_file_system(self._folder)
        except OSError:
            self.close()  # what may not be on the disk is not trusted
        except BaseException:
            self.close()
            raise

    def _write_all(
        self, folder: int, changes: Iterable[tuple[str, str, Change]]
    ) -> None:
        size = 0
        for name, suffix, change in changes:
            if name in self._written:
                continue
            with contextlib.suppress(QToolError, ValueError):
                self._entries.check_no_flight(name)
                tell(folder, name)
                new = _write(self._entries, folder, name, suffix, change, sync=False)
                self._written[name] = new
                size += len(new.content) + new.file.st_size
            if size > _LARGEST:
                break

    def taken(self, name: str, suffix: str) -> _Written | None:
        """Return the new file of an entry, once, to who removes it where it fails."""
        new = self._written.get(name)
        return self._written.pop(name) if new and new.suffix == suffix else None

    def close(self) -> None:
        """Remove what nobody took."""
        folder, self._folder = self._folder, None
        try:
            while self._written:
                _drop(self._written.popitem()[1])
        finally:
            if folder is not None:
                os.close(folder)


def rewrite(entries: Entries, name: str, change: Change, *, sync: bool) -> None:
    """Give a waiting entry another content.

    Args:
        entries: The folder.
        name: The entry's filebase.
        change: Returns the new content for the old one.
        sync: Wait until the change is on the disk.

    Raises:
        NoSuchEntry: It does not wait here, or a runner was faster.
        EntryExists: Somebody else rewrites it.
        QFileError: It cannot be read, or ``change`` raised that.
        OSError: It could not be written; it waits as it was, or as it is to be when
            only the wait for the disk failed.
    """
    entries.check_no_flight(name)
    with changed(entries, name, WAITING, change):
        entries.put_back(name)
    if sync:
        entries.sync()


@contextlib.contextmanager
def changed(
    entries: Entries,
    name: str,
    suffix: str,
    change: Change,
    group: Group | None = None,
) -> Iterator[str]:
    """Hold an entry that has another content; yield its path.

    Whoever asks puts it where it belongs. Where that fails it is in its place again,
    as it was. The errors are those of ``rewrite``.

    Args:
        entries: The folder.
        name: The entry's filebase.
        suffix: The state that it is in.
        change: Returns the new content for the old one.
        group: Where its new file may be already.
    """
    new = None if group is None else group.taken(name, suffix)
    with contextlib.ExitStack() as stack:
        if new is None:
            folder = stack.enter_context(entries.writing(name))
            new = _write(entries, folder, name, suffix, change, sync=True)
        yield stack.enter_context(_held(entries, new))


def _write(
    entries: Entries, folder: int, name: str, suffix: str, change: Change, *, sync: bool
) -> _Written:
    """Write the new file; that there is one means that somebody else is at it."""
    path = entries.path(name, WRITING)
    before, content = _read(entries, folder, name, suffix)
    remove_dead(folder, name, path)
    try:
        durable.write_new(path, change(content), sync=sync)
    except FileExistsError:
        raise EntryExists(f"{name} is being rewritten already") from None
    return _Written(name, suffix, path, os.lstat(path), before, content)


@contextlib.contextmanager
def _held(entries: Entries, new: _Written) -> Iterator[str]:
    """Hold an entry that has its new file; where that fails there is the old one."""
    try:
        held = _hold(entries, new)
        try:
            os.rename(new.path, held)
        except BaseException:
            entries.put_back(new.name, new.suffix)
            raise
    except BaseException:
        _drop(new)
        raise
    try:
        yield held
    except BaseException:
        _restore(new.path, new.content, held)
        entries.put_back(new.name, new.suffix)
        raise


def _read(
    entries: Entries, folder: int, name: str, suffix: str
) -> tuple[os.stat_result, bytes]:
    """Return which file it is and what it holds; a dead editor's is put back first."""
    path = entries.path(name, suffix)
    for _ in range(2):
        try:
            return os.lstat(path), read_bytes(path)
        except FileNotFoundError:
            pass
        except UnreadableQFile as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
        if not entries.end_editing(name, suffix, folder):
            break
    raise entries.missing(name)


def _hold(entries: Entries, new: _Written) -> str:
    """Hold the entry, if it is still the file that was read."""
    held = entries.hold(new.name, new.suffix)
    if _version(os.lstat(held)) != _version(new.before):
        # Taken, and recovered with a count: GNU Mailman writes that into the file.
        entries.put_back(new.name, new.suffix)
        raise entries.missing(new.name)
    return held


def _version(info: os.stat_result) -> tuple[int, int, int, int]:
    return info.st_dev, info.st_ino, info.st_mtime_ns, info.st_size


def remove_dead(folder: int, name: str, temporary: str) -> None:
    """Remove a temporary file whose writer was killed.

    Args:
        folder: Descriptor of the folder; what is locked through it is one's own.
        name: The entry's filebase.
        temporary: Path of the file.
    """
    if os.path.lexists(temporary) and is_alone(folder, name, groups=False):
        _remove(temporary)


def write_over(path: str, content: bytes, temporary: str) -> None:
    """Give a file that nobody else can reach another content, at once and durably.

    Args:
        path: The file, in an operator's hand.
        content: The other content.
        temporary: Where it is written, beside it.
    """
    durable.write_new(temporary, content)
    try:
        os.rename(temporary, path)
    except BaseException:
        _remove(temporary)
        raise


def _restore(temporary: str, content: bytes, held: str) -> None:
    """Give what is held its content back; where that fails, too, it is changed."""
    with contextlib.suppress(OSError):
        if os.path.lexists(held):
            write_over(held, content, temporary)


def _drop(new: _Written) -> None:
    """Remove a new file, and nothing that others have in its place meanwhile."""
    with contextlib.suppress(OSError):
        if _version(os.lstat(new.path)) == _version(new.file):
            os.unlink(new.path)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
