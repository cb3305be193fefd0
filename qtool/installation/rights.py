"""Whose a spool is, and who may change it: a reason in one line, or none."""

from __future__ import annotations

import os
import pwd
import stat
from typing import TYPE_CHECKING

from qtool.queues.state import layout_refusal
from qtool.settings import Settings, SiteKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def spool_owner(settings: Settings) -> os.stat_result | None:
    """Return the facts of the folder that says whose the spool is.

    None where there is no such folder yet: then it will be who makes it.
    """
    return _facts(settings.queue_root)


def disagreement(settings: Settings) -> str:
    """Return which queue is not for who owns the spool; empty where all agree."""
    root = _facts(settings.queue_root)
    for runner in settings.runners.values():
        queue = runner.queue_directory and _facts(runner.queue_directory)
        if root and queue and not is_shared(queue, root):
            return (
                f"{settings.queue_root} belongs to {user_name(root.st_uid)} and"
                f" {runner.queue_directory} to {user_name(queue.st_uid)}:"
                " give both to one of them (chown)"
            )
    return ""


def is_shared(queue: os.stat_result, root: os.stat_result) -> bool:
    """Return whether who owns the spool and who owns a queue in it can share that."""
    if queue.st_uid == root.st_uid:
        return True
    wanted = stat.S_ISGID | stat.S_IRWXG
    if queue.st_gid != root.st_gid or queue.st_mode & wanted != wanted:
        return False
    try:
        owner = pwd.getpwuid(root.st_uid)
    except KeyError:
        return True  # whoever becomes that user is in this group, and no other
    return not owner.pw_uid or root.st_gid in os.getgrouplist(
        owner.pw_name, owner.pw_gid
    )


def user_name(uid: int) -> str:
    """Return a user's name, or what stands for one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def refusal(settings: Settings, state: Path, folders: Sequence[Path]) -> str:
    """Return why nothing may be changed here; empty when acts are allowed.

    Args:
        settings: Whose spool it is.
        state: The folder of what qtool remembers; it need not exist.
        folders: Those of the queues; they need not exist.
    """
    root = settings.queue_root
    if settings.kind is SiteKind.MAILMAN3 and is_missing(root):
        return f"there is no folder {root}: start Mailman once"
    if os.geteuid() == 0 and (reason := _not_roots(settings)):
        return reason
    reason = kept = _unwritable(_nearest_existing(root))
    if _facts(state):
        kept = _unwritable(state)
    if kept:
        return reason or kept
    if reason := layout_refusal(str(state)):
        return reason
    reasons = [_unwritable(folder) for folder in folders if _facts(folder)]
    # One that cannot be written by itself is said when it is acted on.
    return reasons[0] if reasons and all(reasons) else ""


def _not_roots(settings: Settings) -> str:
    """Return why root must not act here: the owner could not read what it writes."""
    owner = spool_owner(settings)
    if owner is not None and owner.st_uid:
        name = user_name(owner.st_uid)
        return disagreement(settings) or (
            f"you are root, and {settings.queue_root} belongs to {name}"
        )
    return disagreement(settings)


def _unwritable(folder: Path) -> str:
    """Return why this user can put nothing into a folder; empty where it can."""
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return f"{folder} is on a read-only file system"
        return f"you may not write in {folder}"
    facts = folder.stat()
    takes_group = facts.st_mode & stat.S_ISGID or facts.st_gid == os.getegid()
    if facts.st_uid != os.geteuid() and not takes_group:
        return (
            f"its owner could not read what you write in {folder}: chmod g+s {folder}"
        )
    return ""


def _facts(folder: Path) -> os.stat_result | None:
    try:
        return folder.stat()
    except OSError:
        return None


def is_missing(folder: Path) -> bool:
    """Whether there is none; one that may not be looked at may be there."""
    try:
        folder.stat()
    except PermissionError:
        return False
    except OSError:
        return True
    return False


def _nearest_existing(path: Path) -> Path:
    while _facts(path) is None and path != path.parent:
        path = path.parent
    return path
