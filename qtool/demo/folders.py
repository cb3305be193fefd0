"""The throw-away spool of a demo, and those that dead demos left behind."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from qtool.installation import default_root

_MARK = ".qtool-demo"
"""Lies in every spool of a demo; without it nothing is removed."""
_NAME = re.compile(
    r"qtool-demo-(?P<host>[\w.]+)-(?P<pid>[0-9]+)-(?P<started>[0-9]+)(?:-[0-9]+)?"
)


def make_spool() -> Path:
    """Return a new spool for this process, in the user's state folder.

    Where that cannot be written it is the folder for temporary files. Spools of
    processes that live no more are removed first.
    """
    places = [default_root().parent, Path(tempfile.gettempdir())]
    for place in places:
        remove_dead(place)
    name = f"qtool-demo-{_host()}-{os.getpid()}-{_started(os.getpid())}"
    for place in places:
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            spool = _new_folder(place, name)
            (spool / _MARK).touch()
        except OSError:
            if place is places[-1]:
                raise
            continue
        return spool
    raise AssertionError("the last place raises")


def remove(spool: Path) -> None:
    """Remove the spool of a demo, and nothing that is not marked as one."""
    if not spool.is_symlink() and (spool / _MARK).is_file():
        # Whatever else is removed, the mark goes last: so a removal that is cut
        # short is taken up again.
        for entry in spool.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _MARK:
                entry.unlink(missing_ok=True)
        shutil.rmtree(spool, ignore_errors=True)


def remove_dead(place: Path) -> list[Path]:
    """Remove the spools of this machine's demos that run no more; return them."""
    try:
        found = list(place.iterdir())
    except OSError:
        return []
    dead = [spool for spool in found if _is_dead(spool)]
    for spool in dead:
        remove(spool)
    return dead


def _new_folder(place: Path, name: str) -> Path:
    for number in range(1000):  # a process may run several demos, one after another
        spool = place / (f"{name}-{number}" if number else name)
        try:
            spool.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return spool
    raise FileExistsError(f"{place / name}")


def _is_dead(spool: Path) -> bool:
    match = _NAME.fullmatch(spool.name)
    if match is None or match["host"] != _host():
        return False
    try:
        is_ours = spool.lstat().st_uid == os.geteuid()
    except OSError:
        return False
    return is_ours and _started(int(match["pid"])) != int(match["started"])


def _host() -> str:
    return re.sub(r"[^\w.]", "_", os.uname().nodename)


def _started(pid: int) -> int:
    """Return when a process started, in ticks since boot; 0 if there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return 0 if Path("/proc/self").exists() or not _lives(pid) else 1
    except OSError:
        return 1
    # The name of the program comes second, in brackets, and may hold anything.
    return int(status.rpartition(")")[2].split()[19])


def _lives(pid: int) -> bool:
    """Return whether a process lives, where there is no ``/proc``."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
