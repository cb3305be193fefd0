"""Where the bench writes: a folder on a real disk, and what that disk is called."""

from __future__ import annotations

import os
import platform
from pathlib import Path


class NotADisk(Exception):
    """What is measured there would say nothing about a spool."""


_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}


def file_system(directory: Path) -> str:
    """Type and device of the file system that holds ``directory``.

    Raises:
        NotADisk: It keeps its files in memory, where fsync costs nothing.
    """
    device = directory.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    lines = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    kind, source = "unknown", "unknown"
    for line in lines:
        before, _, after = line.partition(" - ")
        if before.split()[2] == wanted:
            kind, source = after.split()[:2]
    if kind in _MEMORY:
        raise NotADisk(f"{directory} is on {kind}: choose a folder on a disk (--dir)")
    return f"{kind} on {source}"


def machine() -> str:
    """Cores, Python and kernel in a line."""
    python = platform.python_version()
    return f"{os.cpu_count()} cores, Python {python}, Linux {platform.release()}"
