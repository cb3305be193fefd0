"""Being the only one who looks for a socket's daemon, and listens where none is.

The lock is on a file that only its user opens: a folder can be locked by everybody
who sees it. It is there only meanwhile, or where somebody was killed meanwhile.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.errors import Refused
from qtool.installation.rights import user_name
from qtool.queues import durable

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_LOCKS = Path("/proc/locks")
_WAIT_SECONDS = 2.0
"""How long to wait for another daemon that looks whether it may listen."""
_LEFT_SECONDS = 60.0
"""After which another user's lock is one that is left over, if nobody holds it."""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Have no other daemon look and bind at ``path`` meanwhile.

    Raises:
        Refused: Another one is at it, or has left a lock that is not this user's.
        OSError: There can be no lock.
    """
    lock = Path(f"{path}.lock")
    descriptor = _locked(lock)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()  # whoever waits for it finds that it is another one
        os.close(descriptor)


def _locked(lock: Path) -> int:
    deadline = time.monotonic() + _WAIT_SECONDS
    while (descriptor := _try(lock)) is None:
        if time.monotonic() >= deadline:
            raise Refused(f"{lock}: another daemon is about to listen there")
        time.sleep(_WAIT_SECONDS / 100)
    return descriptor


def _try(lock: Path) -> int | None:
    """Return the lock if it is ours now."""
    try:
        descriptor = os.open(lock, _FLAGS, 0o600)
    except PermissionError:
        return _replaced(lock)
    if _holds(descriptor, lock):
        return descriptor
    os.close(descriptor)
    return None


def _holds(descriptor: int, lock: Path) -> bool:
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(lock.lstat(), os.fstat(descriptor))
    return False


def _replaced(lock: Path) -> int | None:
    """Put a lock of ours in the place of another user's that was left there.

    Returns:
        Our lock; None where there is another one meanwhile.
    """
    try:
        former = lock.lstat()
    except FileNotFoundError:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
    if former.st_uid == os.geteuid():
        return None
    if time.time() < former.st_mtime + _LEFT_SECONDS or _is_held(former):
        raise _refusal(lock, former)
    folder = os.open(lock.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:  # one at a time, so that each puts back what it has taken wrongly
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _exchanged(lock, former)
    except BlockingIOError:
        return None
    except OSError as error:
        raise _refusal(lock, former) from error
    finally:
        os.close(folder)


def _exchanged(lock: Path, former: os.stat_result) -> int | None:
    """Exchange a lock for one of ours, which is held before others see it."""
    ours = Path(f"{lock}.new")
    ours.unlink(missing_ok=True)
    descriptor = os.open(ours, _FLAGS | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        durable.exchange(str(ours), str(lock))
        found = ours.lstat()
        if os.path.samestat(found, former) and not _is_held(found):
            return os.dup(descriptor)
        with suppress(FileNotFoundError):  # who held it has just removed ours
            durable.exchange(str(ours), str(lock))
        return None
    finally:
        os.close(descriptor)
        ours.unlink(missing_ok=True)


def _is_held(file: os.stat_result) -> bool:
    """Return whether anybody may hold a lock on a file that we cannot open."""
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return True
    # Not the device: on some file systems it has another number there.
    return any(f":{file.st_ino} " in line for line in lines)


def _refusal(lock: Path, former: os.stat_result) -> Refused:
    who = user_name(former.st_uid)
    return Refused(
        f"{lock} belongs to {who}, and keeps other users from listening there: remove"
        f" it, or have {who} do so"
    )
