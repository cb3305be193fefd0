"""Which system calls a program made, as strace saw them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STRACE = shutil.which("strace")

CALLS = (
    "openat", "write", "fsync", "syncfs", "rename", "renameat2", "link", "linkat",
    "unlink", "unlinkat",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One system call that succeeded."""

    name: str
    path: str
    """The file it was about; the new name of a rename, or of one that had none."""
    old: str = ""
    """The old name of a rename; ``FOLDER/#INODE`` is a file without a name."""


def trace(script: str, *arguments: object, log: Path) -> list[Call]:
    """Run a script and return its calls, in order."""
    options = ["--seccomp-bpf", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
    run(script, *arguments, options=options)
    nameless: dict[str, str] = {}
    lines = log.read_text().splitlines()
    return [call for line in lines for call in _calls(line, nameless)]


def run(
    script: str, *arguments: object, options: Sequence[str], check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a script under strace."""
    assert STRACE is not None
    program = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(
        [STRACE, "-f", "-qq", "-y", "-s", "0", *options, *program],
        check=check,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=60,
    )


_DESCRIPTOR = re.compile(r"^(?:\d+ +)?(\w+)\(\d+<([^>]*)>.* = \d+")
_OPENED = re.compile(r"^(?:\d+ +)?openat\(.*O_(?:CREAT|TMPFILE).* = (\d+)<([^>]*)>")
_NAMED = re.compile(
    r'^(?:\d+ +)?linkat\(\d+<[^>]*>, "/proc/self/fd/(\d+)", \d+<([^>]*)>, "([^"]*)"'
    r".* = 0"
)
_NAMES = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) = 0")
_QUOTED = re.compile(r'"([^"]*)"')


def _calls(line: str, nameless: dict[str, str]) -> list[Call]:
    """Return what a line tells; ``nameless`` are files by their descriptors."""
    if match := _OPENED.match(line):
        nameless[match[1]] = match[2]
        return [Call("create", match[2])]
    if match := _NAMED.match(line):
        return [Call("rename", f"{match[2]}/{match[3]}", nameless[match[1]])]
    if match := _DESCRIPTOR.match(line):
        return [Call(match[1], match[2])]
    match = _NAMES.match(line)
    names = _QUOTED.findall(match[2]) if match else []
    if not match or not names:
        return []
    if len(names) == 2:
        return [Call("rename", names[1], names[0])]
    return [Call("unlink", names[0])]
