"""Who may change a spool: a reason in one line, or none."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from qtool.settings import Settings, SiteKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def refusal(settings: Settings, state: Path, folders: Sequence[Path]) -> str:
    """Return why nothing may be changed here; empty when acts are allowed.

    Args:
        settings: Whose spool it is.
        state: The folder of what qtool remembers; it need not exist.
        folders: Those of the queues; they need not exist.
    """
    if settings.kind is SiteKind.MAILMAN2:
        return "these queues are Mailman 2's: qtool shows them and changes nothing"
    root = settings.queue_root
    if settings.kind is SiteKind.MAILMAN3 and not root.is_dir():
        return f"there is no folder {root}: start Mailman once"
    existing = [folder for folder in folders if folder.is_dir()]
    stranger = _other_owner([root, *existing])
    if os.geteuid() == 0 and stranger:
        return (
            "you are root and this spool is another user's:"
            f" run: sudo -u {stranger} qtool ..."
        )
    place = _nearest_existing(state if state.is_dir() else root)
    if not _may_write(place):
        return f"you may not write in {place}"
    if existing and not any(_may_write(folder) for folder in existing):
        return f"you may not write in {existing[0]}"
    return ""


def _nearest_existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=True)


def _other_owner(folders: Sequence[Path]) -> str:
    """Return who owns the first folder that is not root's; empty if root owns all."""
    for folder in folders:
        uid = _nearest_existing(folder).stat().st_uid
        if uid:
            try:
                return pwd.getpwuid(uid).pw_name
            except KeyError:
                return f"'#{uid}'"
    return ""
