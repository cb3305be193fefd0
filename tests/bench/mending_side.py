"""What acts on many entries take, and the bare system calls that they stand on."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.opening import open_site
from tests.bench.serving import serve

if TYPE_CHECKING:
    from qtool.control.control import Control

_NOREPLACE = 1


def _site(root: str) -> Control:
    control = open_site(root=Path(root))
    control.find("in", "", "", 1, 0.0, names_only=True)  # load what it takes
    return control


def move_and_undo(root: str, count: int) -> tuple[float, float]:
    """Seconds of a move of everything, with its preview, and of its undo."""
    control = _site(root)
    start = time.perf_counter()
    moved = control.confirm(control.preview("move", "in", "all", to="out").token)
    middle = time.perf_counter()
    undone = control.undo()
    end = time.perf_counter()
    control.close()
    assert len(moved.done) == len(undone.done) == count
    return middle - start, end - middle


def raw_move(root: str, sync_seconds: float) -> float:
    """Seconds of a rename of each, and fsyncs of both folders now and then."""
    here, there = f"{root}/in", f"{root}/out"
    rename = ctypes.CDLL(None, use_errno=True).renameat2
    folders = [os.open(folder, os.O_RDONLY) for folder in (here, there)]
    start = synced = time.perf_counter()
    for name in sorted(os.listdir(here)):  # noqa: PTH208
        old, new = f"{here}/{name}".encode(), f"{there}/{name}".encode()
        assert rename(-100, old, -100, new, _NOREPLACE) == 0
        if time.perf_counter() - synced >= sync_seconds:
            for folder in folders:
                os.fsync(folder)
            synced = time.perf_counter()
    for folder in folders:
        os.fsync(folder)
    seconds = time.perf_counter() - start
    for folder in folders:
        os.close(folder)
    os.rename(here, f"{root}/other")  # noqa: PTH104
    os.rename(there, here)  # noqa: PTH104
    os.rename(f"{root}/other", there)  # noqa: PTH104
    return seconds


if __name__ == "__main__":
    names = (move_and_undo, raw_move)
    serve({function.__name__: function for function in names})
