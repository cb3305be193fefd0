"""Logs as GNU Mailman writes them, of its third and its second edition."""

from __future__ import annotations

import gzip
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "/opt/mm/lib/python3.11/site-packages/mailman/core/runner.py"
PLACE_2 = "/usr/lib/mailman/Mailman/Queue/Runner.py"


def stamped(when: float, pid: int, text: str) -> str:
    """A record as both editions begin it."""
    shown = time.strftime("%b %d %H:%M:%S %Y", time.localtime(when))
    return f"{shown} ({pid}) {text}\n"


def traceback(error: str, *frames: str, place: str = PLACE) -> str:
    """The text of a traceback; each of ``frames`` is ``FILE:LINE FUNCTION``."""
    lines = ["Traceback (most recent call last):"]
    for frame in (f"{place}:179 _one_iteration", *frames):
        where, _, function = frame.rpartition(" ")
        file, _, line = where.rpartition(":")
        lines += [f'  File "{file}", line {line}, in {function}', "    a.line(of)",
                  "    ~~~~~~^^^^"]  # fmt: skip
    return "\n".join([*lines, error])


def shunting(when: float, pid: int, base: str, text: str) -> str:
    """What Mailman logs when it shunts: the error, its traceback, the name."""
    error = text.rpartition("\n")[2].partition(": ")[2]
    return "".join(
        stamped(when, pid, part)
        for part in (f"Uncaught runner exception: {error}", text, f"SHUNTING: {base}")
    )


def chatter(start: float, end: float, every: float = 1.0) -> str:
    """What runners log while nothing is wrong."""
    count = int((end - start) / every)
    lines = (
        stamped(start + n * every, 7, f"ACCEPT: <m{n}@example.com>")
        for n in range(count)
    )
    return "".join(lines)


def write(path: Path, text: str, *, until: float) -> Path:
    """Write a log whose last line is of that time, compressed where its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    os.utime(path, (until, until))
    return path
