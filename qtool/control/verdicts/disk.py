"""How much room the spool has, and whether that is too little."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.control.models import Severity, Verdict, VerdictKind
from qtool.control.verdicts.cases import critical, rank
from qtool.control.verdicts.phrases import room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FREE_BYTES = ((0.10, 2 << 30), (0.03, 256 << 20))
_FREE_INODES = ((0.10, 200_000), (0.03, 20_000))
"""Less free than both a share and a number is a warning; and then it is critical."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """How much room the spool's file system has, for who is not root."""

    size: int
    """Bytes, in all."""
    free: int
    """Bytes."""
    inodes: int
    """How many files there can be in all; 0 where there is no such limit."""
    free_inodes: int


def disk_of(folder: Path) -> Disk | None:
    """Return how much room there is; None where nobody tells."""
    try:
        told = os.statvfs(folder)
    except OSError:
        return None
    return Disk(
        size=told.f_blocks * told.f_frsize,
        free=told.f_bavail * told.f_frsize,
        inodes=told.f_files,
        free_inodes=told.f_favail,
    )


def judge_disk(disk: Disk | None) -> Verdict | None:
    """Return what is to be said about the room in the spool; None for nothing."""
    if disk is None:
        return None
    size, free = room(disk.size), room(disk.free)
    found = (
        _fullness("disk", disk.free, disk.size, _FREE_BYTES, f"{free} of {size}"),
        _fullness(
            "inodes", disk.free_inodes, disk.inodes, _FREE_INODES,
            f"{disk.free_inodes} of {disk.inodes}",
        ),
    )  # fmt: skip
    return max(filter(None, found), key=rank, default=None)


def is_there(folder: Path) -> bool:
    """Return whether there is such a folder, as far as one may know."""
    try:
        folder.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def spool_gone(evidence: str) -> Verdict:
    """Return that the spool is not there, though somebody works in it."""
    return critical(VerdictKind.UNREADABLE, "the spool is gone", evidence)


def _fullness(
    what: str, free: int, size: int, limits: Sequence[tuple[float, int]], told: str
) -> Verdict | None:
    if size <= 0:
        return None
    grave = sum(free < min(share * size, number) for share, number in limits)
    if not grave:
        return None
    return Verdict(
        kind=VerdictKind.NEARLY_FULL,
        severity=Severity.WARNING if grave == 1 else Severity.CRITICAL,
        words=f"{what} nearly full",
        evidence=f"{told} free ({100 * free / size:.1f}%)",
    )
