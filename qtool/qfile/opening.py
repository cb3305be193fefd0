"""Opening a file of a queue: regular files only, and never by way of a link."""

from __future__ import annotations

import errno
import os
from stat import S_ISREG

from qtool.errors import CorruptQFile, ForeignQFile, UnreadableQFile

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIZE = 1 << 28
"""A larger file, in bytes, is no queue entry."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FOREIGN = {
    errno.ELOOP: "it is a symbolic link",
    errno.EMLINK: "it is a symbolic link",
    errno.ENXIO: "it is no regular file",
    errno.ENODEV: "it is no regular file",
    errno.EISDIR: "it is a directory",
}


def read_bytes(path: Path | str) -> bytes:
    """Return what is in the file.

    Raises:
        ForeignQFile: It is not a regular file, or too large.
        UnreadableQFile: It cannot be opened.
        CorruptQFile: It cannot be read to its end.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except ValueError as error:  # a NUL in the name
        raise UnreadableQFile("no file has such a name", path=path) from error
    except OSError as error:
        if error.errno in _FOREIGN:
            raise ForeignQFile(_FOREIGN[error.errno], path=path) from error
        raise UnreadableQFile(_said(error), path=path) from error
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            raise ForeignQFile("it is no regular file", path=path)
        if status.st_size > MAX_SIZE:
            raise ForeignQFile("it is larger than any queue entry", path=path)
        return _read(descriptor, status.st_size, path)
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int, path: Path | str) -> bytes:
    try:
        first = os.read(descriptor, size + 1)
        if len(first) == size:
            return first
        parts, total = [first], len(first)
        while part := os.read(descriptor, 1 << 20):
            parts.append(part)
            total += len(part)
            if total > MAX_SIZE:
                raise ForeignQFile("it is larger than any queue entry", path=path)
    except OSError as error:
        raise CorruptQFile(_said(error), path=path) from error
    return b"".join(parts)


def _said(error: OSError) -> str:
    said = error.strerror or "it cannot be read"
    return said[:1].lower() + said[1:]
