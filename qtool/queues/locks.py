"""Locks on bytes of a file, which the kernel drops when their process dies.

They are owned by an open file description: among the threads of a process they
exclude each other as across processes, and a forked child would share them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from qtool.errors import ClaimsUnsupported

_FLOCK = "hhqqi4x"
"""``struct flock``: type, whence, start, length, pid."""
_BUSY = frozenset({errno.EAGAIN, errno.EACCES})


def take(descriptor: int, start: int, length: int = 1, *, shared: bool = False) -> bool:
    """Lock bytes, as far as nobody else has locked some of them.

    Args:
        descriptor: The file, open for writing; for reading where it is ``shared``.
        start: The first byte.
        length: How many.
        shared: Whether others may share them.

    Returns:
        Whether they are locked; False where somebody holds some.

    Raises:
        ClaimsUnsupported: The file system has no such locks.
    """
    try:
        _call("F_OFD_SETLK", descriptor, _kind(shared), start, length)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise _unsupported(error) from error
    return True


def wait_for(descriptor: int, start: int, *, shared: bool = False) -> None:
    """Lock a byte; waits until nobody else holds it.

    Raises:
        ClaimsUnsupported: The file system has no such locks.
    """
    try:
        _call("F_OFD_SETLKW", descriptor, _kind(shared), start, 1)
    except OSError as error:
        raise _unsupported(error) from error


def give_back(descriptor: int, start: int) -> None:
    """Unlock a byte.

    Raises:
        ClaimsUnsupported: The file system has no such locks.
    """
    try:
        _call("F_OFD_SETLK", descriptor, fcntl.F_UNLCK, start, 1)
    except OSError as error:
        raise _unsupported(error) from error


def held(
    descriptor: int, start: int, length: int = 1, *, shared: bool = False
) -> tuple[int, int] | None:
    """Return the first and the end of bytes that another holds there, or None.

    Args:
        descriptor: The file; what is locked through it does not count.
        start: The first byte to look at.
        length: How many.
        shared: Look for what keeps one from sharing them: others who share do not.

    Raises:
        ClaimsUnsupported: The file system has no such locks.
    """
    try:
        answer = _call("F_OFD_GETLK", descriptor, _kind(shared), start, length)
    except OSError as error:
        raise _unsupported(error) from error
    kind, _, first, number, _ = struct.unpack(_FLOCK, answer)
    return None if kind == fcntl.F_UNLCK else (first, first + number)


def _kind(shared: bool) -> int:
    return fcntl.F_RDLCK if shared else fcntl.F_WRLCK


def _call(name: str, descriptor: int, kind: int, start: int, length: int) -> bytes:
    command: int | None = getattr(fcntl, name, None)
    if command is None or struct.calcsize("P") != 8:
        raise ClaimsUnsupported
    request = struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0)
    return fcntl.fcntl(descriptor, command, request)


def _unsupported(error: OSError) -> ClaimsUnsupported:
    return ClaimsUnsupported(f"no lock can stand on this file system: {error}")
