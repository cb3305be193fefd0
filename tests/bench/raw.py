"""The same promises in bare system calls: the limits that a Switchboard can reach."""

from __future__ import annotations

import ctypes
import math
import os
import time
from typing import TYPE_CHECKING

from tests.bench.files import filebase

if TYPE_CHECKING:
    from pathlib import Path


def _write(queue: Path, name: str, content: bytes, *, sync: bool) -> None:
    file = os.open(f"{queue}/{name}.pck.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(file, content)
    if sync:
        os.fsync(file)
    os.close(file)


def _place(queue: Path, name: str) -> None:
    os.rename(f"{queue}/{name}.pck.tmp", f"{queue}/{name}.pck")  # noqa: PTH104


def enqueue(queue: Path, content: bytes, number: int) -> float:
    """Write, fsync, rename, fsync of the directory; ``number`` times."""
    folder = os.open(queue, os.O_RDONLY)
    names = [filebase() for _ in range(number)]
    start = time.perf_counter()
    for name in names:
        _write(queue, name, content, sync=True)
        _place(queue, name)
        os.fsync(folder)
    seconds = time.perf_counter() - start
    os.close(folder)
    return seconds


def enqueue_many(queue: Path, content: bytes, size: int, batches: int) -> float:
    """Batches of ``size`` written, one syncfs, renamed, one fsync of the directory."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = os.open(queue, os.O_RDONLY)
    names = [[filebase() for _ in range(size)] for _ in range(batches)]
    start = time.perf_counter()
    for batch in names:
        for name in batch:
            _write(queue, name, content, sync=False)
        libc.syncfs(folder)
        for name in batch:
            _place(queue, name)
        os.fsync(folder)
    seconds = time.perf_counter() - start
    os.close(folder)
    return seconds


def dequeue(queue: Path, sync_seconds: float = math.inf) -> float:
    """List, then rename, open, read, close and unlink each; nothing is decoded.

    Args:
        queue: The folder.
        sync_seconds: After how long what is gone is made durable.
    """
    folder = os.open(queue, os.O_RDONLY)
    start = synced = time.perf_counter()
    for name in sorted(os.listdir(queue)):  # noqa: PTH208
        waiting, taken = f"{queue}/{name}", f"{queue}/{name[:-4]}.bak"
        os.rename(waiting, taken)  # noqa: PTH104
        file = os.open(taken, os.O_RDONLY)
        os.read(file, 1 << 14)
        os.close(file)
        os.unlink(taken)  # noqa: PTH108
        if time.perf_counter() - synced >= sync_seconds:
            os.fsync(folder)
            synced = time.perf_counter()
    if sync_seconds < math.inf:
        os.fsync(folder)
    seconds = time.perf_counter() - start
    os.close(folder)
    return seconds


def listing(queue: Path) -> float:
    """One bare listdir."""
    start = time.perf_counter()
    os.listdir(queue)  # noqa: PTH208 # the bare call is what is measured
    return time.perf_counter() - start
