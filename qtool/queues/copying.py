"""Files that go to another file system, which no rename reaches."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from qtool.queues import durable


def move_new(source: str, target: str, temporary: str | None = None) -> None:
    """Move a file, to another file system if need be, never replacing another.

    Args:
        source: The file.
        target: Its new name.
        temporary: Where a copy is written; beside the target where it is None.

    Raises:
        FileExistsError: There is a ``target`` already.
        FileNotFoundError: There is no ``source``.
        OSError: It failed, and the file is where it was.
    """
    try:
        durable.rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target, temporary or f"{target}.tmp", keep=False)


def copy_new(source: str, target: str, temporary: str) -> None:
    """Copy a file durably, never replacing another.

    Args:
        source: The file.
        target: Name of the copy.
        temporary: Where it is written, beside the target.

    Raises:
        FileExistsError: There is a ``target`` already.
        FileNotFoundError: There is no ``source``.
        OSError: It failed, and there is no copy.
    """
    _copy(source, target, temporary, keep=True)


def remove(path: str, copy: os.stat_result) -> None:
    """Remove the copy, and nothing that others have put in its place."""
    with contextlib.suppress(OSError):
        if os.path.samestat(os.lstat(path), copy):
            os.unlink(path)


def _copy(source: str, target: str, temporary: str, *, keep: bool) -> None:
    """Copy durably; then remove, and a crash in between leaves both."""
    durable.write_new(temporary, _content(source))
    copy = os.lstat(temporary)
    try:
        durable.rename_new(temporary, target)
        durable.sync_folder(os.path.dirname(target))
        if not keep:
            os.unlink(source)
    except BaseException:
        remove(temporary, copy)
        if keep or os.path.lexists(source):  # that stays, so the copy must go
            remove(target, copy)
        raise


def _content(source: str) -> bytes:
    with os.fdopen(os.open(source, durable.READING), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EXDEV, "only a regular file can be copied", source)
        return file.read()
