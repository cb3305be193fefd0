"""Writing new entries durably, one by one or by a group commit."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from qtool.queues import durable
from qtool.queues.filebase import WAITING, WRITING
from qtool.queues.writers import FOLDER, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qtool.queues.entries import Entries


def put_one(entries: Entries, name: str, content: bytes) -> None:
    """Write one entry; it survives a loss of power when this returns."""
    path = entries.path(name, "")
    folder = _opened(entries)
    try:
        if durable.write_nameless(folder, name + WAITING, content):
            _settle(folder, [path])
        else:
            tell(folder, name)
            durable.write_new(path + WRITING, content)
            _publish(folder, [path])
    finally:
        os.close(folder)


def put_many(entries: Entries, contents: Mapping[str, bytes], *, group: bool) -> None:
    """Write several entries by filebase; they survive when this returns.

    Args:
        entries: Where.
        contents: What each filebase holds.
        group: Wait for the file system once instead of for every file. It waits
            for what strangers have written, too.
    """
    together = group and durable.can_sync_file_system()
    paths = [entries.path(name, "") for name in contents]
    # Open before the writes, so that failures of all of them are seen through it.
    folder = _opened(entries)
    try:
        tell(folder, None)
        try:
            for path, content in zip(paths, contents.values(), strict=True):
                durable.write_new(path + WRITING, content, sync=not together)
            if together:
                durable.sync_file_system(folder)
        except BaseException:
            _remove(paths, WRITING)
            raise
        _publish(folder, paths)
    finally:
        os.close(folder)


def _publish(folder: int, paths: list[str]) -> None:
    """Make entries that are written visible, then durable, in that order.

    Where that fails, none of them is left but what somebody has taken already.
    """
    written = paths[::-1]
    try:
        while written:
            path = written[-1]
            durable.rename_new(path + WRITING, path + WAITING)
            written.pop()
    except BaseException:
        _remove(written, WRITING)
        _remove(paths[: len(paths) - len(written)], WAITING)
        raise
    _settle(folder, paths)


def _settle(folder: int, paths: list[str]) -> None:
    """Wait until names are on the disk; where they cannot be, take them back.

    Who is told that it failed enqueues again: what waits all the same is doubled.
    """
    try:
        os.fsync(folder)
    except OSError:
        _remove(paths, WAITING)
        raise


def _remove(paths: Iterable[str], suffix: str) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path + suffix)


def _opened(entries: Entries) -> int:
    """Open a folder, which is made where it is missing."""
    try:
        return os.open(entries.directory, FOLDER)
    except FileNotFoundError:
        entries.make_folder()
        return os.open(entries.directory, FOLDER)
