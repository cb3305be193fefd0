"""Giving an entry that waits or was set aside another content.

    X.pck.tmp is written; X.pck --hold--> X.edit <--rename-- X.pck.tmp
    X.edit --put back--> X.pck

The new file is whole and on the disk before the entry leaves the queue. There is
one file of the message at any moment: a second that was left behind by a crash would
be sent again after a runner is done with the first.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from qtool.errors import EntryExists, UnreadableQFile
from qtool.qfile.opening import read_bytes
from qtool.queues import durable
from qtool.queues.filebase import WAITING, WRITING
from qtool.queues.writers import is_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtool.queues.entries import Entries


def rewrite(
    entries: Entries, name: str, change: Callable[[bytes], bytes], *, sync: bool
) -> None:
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
    entries: Entries, name: str, suffix: str, change: Callable[[bytes], bytes]
) -> Iterator[str]:
    """Hold an entry that has another content; yield its path.

    Whoever asks puts it where it belongs. Where that fails it is in its place again,
    as it was. The errors are those of ``rewrite``.

    Args:
        entries: The folder.
        name: The entry's filebase.
        suffix: The state that it is in.
        change: Returns the new content for the old one.
    """
    temporary = entries.path(name, WRITING)
    with entries.writing(name) as folder:
        before, content = _read(entries, folder, name, suffix)
        remove_dead(folder, name, temporary)
        _write(name, temporary, change(content))
        try:
            held = _hold(entries, name, suffix, before)
            try:
                os.rename(temporary, held)
            except BaseException:
                entries.put_back(name, suffix)
                raise
        except BaseException:
            _remove(temporary)
            raise
        try:
            yield held
        except BaseException:
            _restore(temporary, content, held)
            entries.put_back(name, suffix)
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


def _hold(entries: Entries, name: str, suffix: str, before: os.stat_result) -> str:
    """Hold the entry, if it is still the file that was read."""
    held = entries.hold(name, suffix)
    if _version(os.lstat(held)) != _version(before):
        # Taken, and recovered with a count: GNU Mailman writes that into the file.
        entries.put_back(name, suffix)
        raise entries.missing(name)
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


def _write(name: str, temporary: str, content: bytes) -> None:
    """Write the new file; that there is one means that somebody else is at it."""
    try:
        durable.write_new(temporary, content)
    except FileExistsError:
        raise EntryExists(f"{name} is being rewritten already") from None


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


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
