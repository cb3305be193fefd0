"""As root, becoming the user whose spool it is, before anything in it is opened.

A file of root's in a queue is one that its owner's programs cannot read.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.errors import Refused
from qtool.installation.rights import disagreement, spool_owner, user_name

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qtool.settings import Settings

_UMASK = 0o007
_PR_SET_DUMPABLE = 4
_ROOTS_OWN = (
    "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "MAIL", "TMPDIR",
)  # fmt: skip
"""Variables that name root's folders, and that the owner is not to write into."""


def become_owner(settings: Settings, environment: MutableMapping[str, str]) -> str:
    """Have this process, and all that it starts, be who owns the spool.

    That is for root alone, for good, and where the queues are of one user. A spool
    that is not there yet will be the caller's.

    Args:
        settings: The site.
        environment: This process's, to be made the owner's.

    Returns:
        What to tell in a line; nothing where nothing was done.

    Raises:
        Refused: Root may not do so here, or the owner may not read this program.
    """
    if os.geteuid() != 0:
        return ""
    owner = spool_owner(settings)
    if owner is None or not owner.st_uid or disagreement(settings):
        return ""
    name = user_name(owner.st_uid)
    try:
        _become(owner.st_uid, owner.st_gid)
    except OSError as error:
        raise Refused(
            f"{settings.queue_root} belongs to {name}, and root cannot become {name}"
            f" here: {error.strerror}"
        ) from error
    _refuse_unreadable(name)
    _be_seen()
    os.umask(_UMASK)
    _move_home(owner.st_uid, environment)
    return f"you are root: acting as {name}, to whom {settings.queue_root} belongs"


def _become(uid: int, gid_of_spool: int) -> None:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # in no group but the one that the files have
        gid = gid_of_spool
        os.setgroups([])
    else:
        gid = entry.pw_gid
        os.initgroups(entry.pw_name, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _be_seen() -> None:
    """Let the owner's other processes see what this one has open, as they do others.

    ``qtool stop`` looks for daemons that way. Linux hides who was root from them.
    """
    import ctypes  # nobody else who starts needs it

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def _move_home(uid: int, environment: MutableMapping[str, str]) -> None:
    for name in _ROOTS_OWN:
        environment.pop(name, None)
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        environment.update(HOME="/", USER=f"#{uid}", LOGNAME=f"#{uid}")
    else:
        name = entry.pw_name
        environment.update(HOME=entry.pw_dir, USER=name, LOGNAME=name)
    runtime = Path(f"/run/user/{uid}")
    if runtime.is_dir():
        environment["XDG_RUNTIME_DIR"] = str(runtime)


def _refuse_unreadable(name: str) -> None:
    """Say it now: commands import what they need when they need it."""
    for file in (__file__, os.__file__):
        if not os.access(file, os.R_OK):
            raise Refused(f"{name} may not read {file}: install qtool where it may")
