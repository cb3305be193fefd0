"""Facts about the files of a folder, for who looks for what is wrong there."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from qtool.queues import durable, filebase, leftovers
from qtool.queues.entries import Entries
from qtool.queues.filebase import TAKEN
from qtool.queues.folder import chunks
from qtool.queues.writers import FOLDER, is_alone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

_NETWORK = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB",
    0x5346414F: "AFS",
    0x00C36400: "Ceph",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x7461636F: "OCFS2",
    0x01161970: "GFS2",
    0x47504C45: "GlusterFS",
}
"""File systems that several machines may have mounted, by the kernel's number."""


def files(directory: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is in a folder, in no order, with the facts; follows no link.

    Raises:
        OSError: The folder cannot be read.
    """
    for chunk in chunks(str(directory)):
        for entry in chunk:
            try:
                yield entry.name, entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue


def network(path: Path) -> str:
    """Return the kind of a file system that other machines may use; else empty."""
    try:
        descriptor = os.open(path, FOLDER)
    except OSError:
        return ""
    try:
        return _NETWORK.get(durable.file_system(descriptor), "")
    finally:
        os.close(descriptor)


def nobody_at(directory: Path, names: Iterable[str]) -> list[str]:
    """Return the filebases among ``names`` that no act has in hand, as far as known."""
    folder = os.open(directory, FOLDER)
    try:
        return [n for n in names if is_alone(folder, n, groups=False) is not False]
    finally:
        os.close(folder)


def taken_at(directory: Path, name: str) -> float | None:
    """Return when an entry in flight was taken, in epoch seconds; None if it is not."""
    try:
        return os.lstat(f"{directory}/{name}{TAKEN}").st_ctime
    except FileNotFoundError:
        return None


def left_over(
    directory: Path, names: Collection[str], now: float, *, own: bool
) -> list[str]:
    """Return those of some begun files that nobody is at any more."""
    return sorted(leftovers.left(str(directory), names, now, own=own))


def end_left_over(directory: Path, name: str, now: float, *, own: bool) -> bool:
    """End one begun file if nobody is at it; return whether that was done."""
    path = directory / name
    parsed = filebase.parse(name)
    if parsed is None or parsed.suffix not in filebase.BEGUN_SUFFIXES:
        return False
    if not os.path.lexists(path):
        return False
    entries = Entries(directory.name, str(directory), create=own)
    leftovers.end(entries, [name], now, own=own)
    return not os.path.lexists(path)


def change_mode(path: Path, before: int, after: int) -> bool:
    """Give a file or folder another mode, if it has the one before; no link's.

    Returns:
        Whether that was done.

    Raises:
        OSError: It cannot be done.
    """
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return False
    try:
        info = os.fstat(descriptor)
        if stat.S_ISLNK(info.st_mode) or stat.S_IMODE(info.st_mode) != before:
            return False
        # Through /proc, for a file that may not be opened can still be changed.
        os.chmod(f"/proc/self/fd/{descriptor}", after)
    finally:
        os.close(descriptor)
    return True
