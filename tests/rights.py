"""Doing something without the rights of root, also where root runs the tests."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STRANGER = 65534
_PROJECT = Path(__file__).resolve().parent.parent


@contextmanager
def powerless() -> Iterator[None]:
    """Be a user without rights meanwhile; whoever is one already stays the same."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(STRANGER, STRANGER, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a scratch folder that every user may enter, unlike ``tmp_path``."""
    with tempfile.TemporaryDirectory(prefix="qtool-open-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


# --- The program as another user, and over mounts, in a world of its own


@cache
def why_not() -> str:
    """Return why the program cannot be run as other users here; empty if it can."""
    if os.geteuid() != 0:
        return "only root can become other users"
    for tool in ("unshare", "setpriv", "mount"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    mounts = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    if subprocess.run(mounts, capture_output=True, check=False).returncode:
        return "root may not mount here"
    return ""


def elsewhere(
    words: Sequence[object],
    *,
    user: int = 0,
    groups: Sequence[int] = (),
    read_only: Path | None = None,
    also: Path | None = None,
) -> list[str]:
    """Return the command line that runs ``words`` with mounts that nobody else sees.

    There every user may reach this Python and this project, wherever they are.

    Args:
        words: The command line.
        user: Who runs it; its own group has the same number.
        groups: Other groups that it is a member of.
        read_only: A folder that is mounted so.
        also: Another folder that every user may reach.
    """
    script = ["set -e", *_reachable(also)]
    if read_only is not None:
        place = shlex.quote(str(read_only))
        script += [
            f"mount --bind {place} {place}",
            f"mount -o remount,bind,ro {place}",
        ]
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}"]
    as_user.append(f"--groups={','.join(map(str, groups))}" if groups
                   else "--clear-groups")  # fmt: skip
    line = shlex.join([*(as_user if user else ()), *map(str, words)])
    return ["unshare", "-m", "/bin/sh", "-c", "\n".join([*script, f"exec {line}"])]


@cache
def _reachable(also: Path | None) -> tuple[str, ...]:
    """Return the commands after which closed folders on the way are open ones."""
    needed = (sys.prefix, sys.base_prefix, _PROJECT, also or _PROJECT)
    wanted = {Path(each).resolve() for each in needed}
    closed: dict[Path, list[Path]] = {}
    for place in sorted(wanted):
        found = next(filter(_is_closed, reversed(place.parents)), None)
        if found is not None and not wanted & set(place.parents):
            closed.setdefault(found, []).append(place)
    script = ["mount -t tmpfs -o mode=755 none /mnt"] if closed else []
    for number, (folder, places) in enumerate(closed.items()):
        names = [shlex.quote(str(place)) for place in places]
        for each, name in enumerate(names):
            script.append(f"mkdir /mnt/{number}.{each}")
            script.append(f"mount --bind {name} /mnt/{number}.{each}")
        script.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(folder))}")
        for each, name in enumerate(names):
            script.append(f"mkdir -p {name}")
            script.append(f"mount --bind /mnt/{number}.{each} {name}")
    return tuple(script)


def _is_closed(folder: Path) -> bool:
    return not folder.stat().st_mode & stat.S_IXOTH
