"""The system calls that the store's promises stand on.

Nothing here replaces a file that exists, and a file whose fsync failed is never
trusted or tried again. Paths are plain strings: these run once per message.
"""

from __future__ import annotations

import contextlib
import errno
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable
    from typing import BinaryIO

FILE_MODE = 0o660
FOLDER_MODE = 0o2770
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""How a file is opened that may be none."""

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})
"""The kernel or the file system has no such call; mostly a rename of a newer kind."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Nothing can be written; renaming and removing still work."""
_NAMELESS = os.O_WRONLY | os.O_CLOEXEC | getattr(os, "O_TMPFILE", os.O_DIRECTORY)
"""Where there are no files without a name it opens a folder for writing: EISDIR."""
_NO_NAMELESS = CANNOT | {errno.EISDIR, errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
_NO_NAMELESS |= {errno.EPERM, errno.EACCES, errno.EXDEV}
"""There are no files without a name here, or none may be given one: ``/proc`` is not
there, is hidden, or something between forbids it."""
_LAST = frozenset({0xEF53, 0x58465342, 0xF2F52010, 0x01021994})
"""ext4, xfs, f2fs, tmpfs: a file lasts that was synced before it had a name. btrfs
passes over such an fsync, and has an empty file after a loss of power."""
_TRUE_SYNCFS = (5, 8)
"""First Linux whose ``syncfs`` reports writes that failed."""


@cache
def _libc() -> ctypes.CDLL:
    import ctypes  # only who writes needs it

    return ctypes.CDLL(None, use_errno=True)


def _error_number() -> int:
    """Return why the last call of the C library failed."""
    import ctypes

    return ctypes.get_errno()


@cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    return getattr(_libc(), "renameat2", None)


def write_new(path: str, data: bytes, *, sync: bool = True) -> None:
    """Write a new file and, with ``sync``, wait until it is on the disk.

    On any failure the file is removed again and the error goes up, with its name.

    Raises:
        FileExistsError: There is a file of that name.
        OSError: The write or the fsync failed.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        try:
            _fill(descriptor, data)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(path)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = path
        raise


def write_nameless(folder: int, name: str, data: bytes) -> bool:
    """Write a new file that has no name before it is on the disk.

    Whoever dies meanwhile leaves nothing behind.

    Args:
        folder: Descriptor of the folder.
        name: The file's name in it.
        data: What it holds.

    Returns:
        Whether it was written; False where there can be no such file, or it may not
        last.

    Raises:
        FileExistsError: There is a file of that name.
        OSError: The write or the fsync failed.
    """
    if file_system(folder) not in _LAST:
        return False
    try:
        descriptor = os.open(".", _NAMELESS, FILE_MODE, dir_fd=folder)
        try:
            _fill(descriptor, data)
            os.fsync(descriptor)
            source = f"/proc/self/fd/{descriptor}"
            # Both folders: without them Python calls link(), which follows nothing.
            os.link(source, name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _NO_NAMELESS:
            return False  # why there can be no file at all, a named one tells, too
        raise
    return True


def file_system(descriptor: int) -> int:
    """Return the kernel's number for the kind of file system; 0 where it is unknown."""
    import ctypes

    facts = (ctypes.c_long * 32)()  # ``struct statfs``, which begins with it
    if _libc().fstatfs(descriptor, facts) != 0:
        return 0
    return facts[0] & 0xFFFFFFFF


def _fill(descriptor: int, data: bytes) -> None:
    _open_to_group(descriptor)
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _open_to_group(descriptor: int) -> None:
    """Give a file the rights that the umask may have taken from it."""
    try:
        os.fchmod(descriptor, FILE_MODE)
    except PermissionError:
        return  # a file system without modes, and nothing worse


def rename_new(source: str, target: str) -> None:
    """Rename a file, never replacing another.

    Raises:
        FileExistsError: There is a ``target`` already.
        FileNotFoundError: There is no ``source``.
    """
    renameat2 = _renameat2()
    if renameat2 is None:
        _link_and_unlink(source, target)
        return
    old, new = os.fsencode(source), os.fsencode(target)
    if renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE) == 0:
        return
    number = _error_number()
    if number not in CANNOT:
        raise OSError(number, os.strerror(number), source, None, target)
    _link_and_unlink(source, target)


def exchange(first: str, second: str) -> None:
    """Let two files have each other's names, at once.

    Raises:
        OSError: They cannot; both names are as they were.
    """
    renameat2 = _renameat2()
    if renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), first, None, second)
    old, new = os.fsencode(first), os.fsencode(second)
    if renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_EXCHANGE) != 0:
        number = _error_number()
        raise OSError(number, os.strerror(number), first, None, second)


def _link_and_unlink(source: str, target: str) -> None:
    """Rename in two steps; a crash in between leaves two names of one file."""
    os.link(source, target, follow_symlinks=False)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(source)


def opened(path: str) -> BinaryIO:
    """Open a file to read it; never waits for a pipe in its place."""
    descriptor = os.open(path, READING)
    try:
        return os.fdopen(descriptor, "rb")
    except BaseException:  # it is a folder, and would stay open
        os.close(descriptor)
        raise


def read_small(path: str, limit: int) -> bytes:
    """Return the beginning of a small file; never waits for a pipe in its place."""
    with opened(path) as file:
        return file.read(limit) or b""


def sync_folder(path: str) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def can_sync_file_system() -> bool:
    """Return whether ``syncfs`` exists here and tells of writes that failed."""
    system = os.uname()
    numbers = system.release.split("-")[0].split(".")[:2]
    if system.sysname != "Linux" or not all(number.isdigit() for number in numbers):
        return False
    return tuple(map(int, numbers)) >= _TRUE_SYNCFS and hasattr(_libc(), "syncfs")


def sync_file_system(descriptor: int) -> None:
    """Wait until everything written to a file system is on the disk.

    Args:
        descriptor: Open on that file system since before the writes; otherwise a
            failure among them may go unreported.
    """
    if _libc().syncfs(descriptor) != 0:
        number = _error_number()
        raise OSError(number, os.strerror(number))


def make_folder(path: str) -> None:
    """Make a folder for queue files, and its parents, durably, if it is missing.

    It has the group of the folder that it is in.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path) or os.curdir
    _make_parents(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, FOLDER_MODE)
        with contextlib.suppress(PermissionError):
            os.chown(path, -1, os.stat(parent).st_gid)
        with contextlib.suppress(PermissionError):
            os.chmod(path, FOLDER_MODE)
        sync_folder(parent)


def _make_parents(path: str) -> None:
    if not os.path.isdir(path):
        parent = os.path.dirname(path) or os.curdir
        _make_parents(parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            sync_folder(parent)
