"""Writing new entries durably, one by one or by a group commit."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from qtool.queues import durable
from qtool.queues.filebase import WAITING, WRITING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qtool.queues.entries import Entries


def put_one(entries: Entries, name: str, content: bytes) -> None:
    """Write one entry; it survives a loss of power when this returns."""
    path = entries.path(name, WRITING)
    try:
        durable.write_new(path, content)
    except FileNotFoundError:
        entries.make_folder()
        durable.write_new(path, content)
    _publish(entries, [name])


def put_many(entries: Entries, contents: Mapping[str, bytes], *, group: bool) -> None:
    """Write several entries by filebase; they survive when this returns.

    Args:
        entries: Where.
        contents: What each filebase holds.
        group: Wait for the file system once instead of for every file. It waits
            for what strangers have written, too.
    """
    together = group and durable.can_sync_file_system()
    folder = _open_folder(entries)
    try:
        for name, content in contents.items():
            path = entries.path(name, WRITING)
            durable.write_new(path, content, sync=not together)
        if together:
            durable.sync_file_system(folder)
    except BaseException:
        _remove_temporaries(entries, contents)
        raise
    finally:
        os.close(folder)
    _publish(entries, list(contents))


def _publish(entries: Entries, names: list[str]) -> None:
    """Make entries that are written visible, then durable, in that order.

    Where the last step fails they are visible all the same, and may be taken
    already: the error goes up, and whoever enqueues them again repeats them.
    """
    written = names[::-1]
    try:
        while written:
            name = written[-1]
            durable.rename_new(entries.path(name, WRITING), entries.path(name, WAITING))
            written.pop()
    except BaseException:
        _remove_temporaries(entries, written)
        raise
    durable.sync_folder(entries.directory)


def _remove_temporaries(entries: Entries, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(entries.path(name, WRITING))


def _open_folder(entries: Entries) -> int:
    """Open the folder, so that failures of all later writes are seen through it."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        return os.open(entries.directory, flags)
    except FileNotFoundError:
        entries.make_folder()
        return os.open(entries.directory, flags)
