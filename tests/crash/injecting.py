"""Killing a process at a system call, or having the call fail, by strace."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.queues.tracing import STRACE

TOP = Path(__file__).resolve().parents[2]

CHANGES = (
    "mkdir", "chmod", "fchmod", "openat", "write", "fsync", "syncfs",
    "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat",
)  # fmt: skip
"""Calls by which a file or a folder changes, or comes to stay; ``openat`` creates."""

_CALL = re.compile(r"^(\d+) +(\w+)\(")


@dataclass(frozen=True)
class Point:
    """One system call of a process."""

    call: str
    number: int
    """Which call of that name it is in its thread, from 1."""
    line: str
    """What strace wrote about it."""


@dataclass(frozen=True)
class Place:
    """The folders that an actor works on."""

    root: Path
    other: Path

    def are_in(self, line: str) -> bool:
        """Return whether a line of strace names one of the folders."""
        return f"{self.root}/" in line or f"{self.other}/" in line


@dataclass(frozen=True)
class Ended:
    """How an actor ended."""

    was_killed: bool
    accepted: tuple[int, ...]
    failed: str
    points: tuple[Point, ...]


def run(actor: str, place: Place, log: Path, inject: str = "", call: str = "") -> Ended:
    """Run an actor under strace.

    Args:
        actor: Which.
        place: Where it works.
        log: Where strace writes.
        inject: What strace is to do to it.
        call: What is traced; all that changes something without it.
    """
    assert STRACE is not None
    options = ["-f", "-qq", "-y", "-s", "0", "-o", str(log)]
    options += ["-e", f"trace={call or ','.join(CHANGES)}"]
    # Only without a filter in the kernel does strace send its signals in time.
    options += ["-e", f"inject={inject}"] if inject else ["--seccomp-bpf"]
    program = [sys.executable, "-m", "tests.crash.actors", actor]
    done = subprocess.run(
        [STRACE, *options, *program, str(place.root), str(place.other)],
        cwd=TOP,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"},
        timeout=60,
    )
    assert done.returncode in {0, -9, 137}, done.stderr
    lines = done.stdout.splitlines()
    return Ended(
        was_killed=done.returncode != 0,
        accepted=tuple(int(line) for line in lines if line.isdigit()),
        failed="".join(line for line in lines if not line.isdigit()),
        points=_points(log, place),
    )


def killed(actor: str, place: Place, log: Path, point: Point) -> Ended:
    """Kill an actor when it makes a call: the call is not made.

    It is not killed where it makes fewer calls than another time: its threads do
    not always share their work in the same way.
    """
    inject = f"{point.call}:signal=SIGKILL:when={point.number}"
    return run(actor, place, log, inject, point.call)


def failing(actor: str, place: Place, log: Path, point: Point, error: str) -> Ended:
    """Let one call of an actor fail."""
    inject = f"{point.call}:error={error}:when={point.number}"
    return run(actor, place, log, inject)


def _points(log: Path, place: Place) -> tuple[Point, ...]:
    """Return the calls that changed something in the folders, each once."""
    counts: Counter[tuple[str, str]] = Counter()
    points = {}
    for line in log.read_text().splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        thread, call = match.groups()
        counts[thread, call] += 1
        if not place.are_in(line) or " = -1 " in line:
            continue
        if call != "openat" or "O_CREAT" in line:
            number = counts[thread, call]
            points[call, number] = Point(call, number, line)
    return tuple(points.values())
