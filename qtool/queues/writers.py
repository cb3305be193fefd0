"""Who works on a folder's files besides runners: a file that nobody is at is left over.

Whoever writes an entry, or changes one that waits, holds a shared lock on the folder
meanwhile, at the byte that stands for the entry: asked for, never waited for, and
dropped by the kernel when the process dies. So the next start can tell a temporary
file that is being written from one whose writer was killed, however young it is.
"""

from __future__ import annotations

import contextlib
import os

from qtool.errors import ClaimsUnsupported
from qtool.queues import filebase, locks

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
"""How a folder is opened."""

_MANY = 1 << 62
"""The byte that stands for a group of entries; those of single ones are lower."""


class Writing:
    """Tells others that an entry is being written, until it is closed.

    Args:
        directory: The folder.
        name: The entry's filebase; None is any number of new ones.

    Raises:
        FileNotFoundError: There is no such folder.
    """

    def __init__(self, directory: str, name: str | None) -> None:
        self.folder = os.open(directory, FOLDER)
        """Descriptor of the folder."""
        tell(self.folder, name)

    def __enter__(self) -> int:
        return self.folder

    def __exit__(self, *_: object) -> None:
        os.close(self.folder)


def tell(folder: int, name: str | None) -> None:
    """Tell others that an entry is being written, until ``folder`` is closed.

    Args:
        folder: Descriptor of the folder.
        name: The entry's filebase; None is any number of new ones.
    """
    # Where there are no such locks, what is left over must grow old instead.
    with contextlib.suppress(ClaimsUnsupported):
        locks.take(folder, _byte(name), shared=True)


def is_alone(folder: int, name: str, *, groups: bool) -> bool | None:
    """Return whether nobody else is at an entry; None where that is not known.

    Args:
        folder: Descriptor of the folder; what is locked through it does not count.
        name: The entry's filebase.
        groups: Whether who writes a group of new entries may be at this one.
    """
    bytes_asked = [_byte(name), _MANY] if groups else [_byte(name)]
    try:
        return all(locks.held(folder, byte) is None for byte in bytes_asked)
    except ClaimsUnsupported:
        return None


def _byte(name: str | None) -> int:
    return _MANY if name is None else int(filebase.digest_of(name), 16) >> 98
