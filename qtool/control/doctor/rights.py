"""Whether who owns a folder can use it and read what is in there."""

from __future__ import annotations

import os
import pwd
import stat
from functools import cache
from shlex import quote
from typing import TYPE_CHECKING

from qtool.control.doctor.found import Names, finding, verbatim
from qtool.control.models import Severity
from qtool.installation.rights import user_name

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.control.models import Finding


def is_readable(info: os.stat_result, uid: int, gid: int) -> bool:
    """Return whether a user may read a file, by its mode.

    Args:
        info: Of the file.
        uid: The user.
        gid: A group that the user is taken to be in, besides those on record.
    """
    if uid == 0:
        return True
    if info.st_uid == uid:
        return bool(info.st_mode & stat.S_IRUSR)
    if info.st_gid in _groups(uid, gid):
        return bool(info.st_mode & stat.S_IRGRP)
    return bool(info.st_mode & stat.S_IROTH)


@cache
def _groups(uid: int, gid: int) -> frozenset[int]:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return frozenset({gid})
    return frozenset({gid, *os.getgrouplist(entry.pw_name, entry.pw_gid)})


def mended_folder(info: os.stat_result) -> int:
    """Return the mode that a queue's folder should have."""
    mode = stat.S_IMODE(info.st_mode) | stat.S_IRWXU
    if mode & stat.S_IWGRP and _is_shared(info.st_uid, info.st_gid):
        mode |= stat.S_ISGID
    return mode & ~stat.S_IWOTH


def _is_shared(uid: int, gid: int) -> bool:
    """Return whether others than its owner may be meant by a folder's group."""
    import grp  # few sites need it

    try:
        members = set(grp.getgrgid(gid).gr_mem)
        owner = pwd.getpwuid(uid)
    except KeyError:
        return True
    return owner.pw_gid != gid or bool(members - {owner.pw_name})


def mended_file(info: os.stat_result) -> int:
    """Return the mode that a queue's file should have."""
    return stat.S_IMODE(info.st_mode) | stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP


def may_change(info: os.stat_result) -> bool:
    """Return whether this user may change the mode of a file."""
    return os.geteuid() in (0, info.st_uid)


class Owner:
    """Who owns a folder, and which of its files that user cannot read.

    Args:
        folder: The folder.

    Raises:
        OSError: There is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._info = folder.stat()
        self._ours, self._others = Names(), Names()

    def look_at(self, name: str, info: os.stat_result) -> None:
        """Look at one file in the folder."""
        if self.is_unreadable(info):
            (self._ours if self.is_mendable(info) else self._others).add(name)

    def is_unreadable(self, info: os.stat_result) -> bool:
        """Return whether the folder's owner cannot read a file."""
        return not is_readable(info, self._info.st_uid, self._info.st_gid)

    def is_mendable(self, info: os.stat_result) -> bool:
        """Return whether another mode helps, and this user may give it."""
        mended = mended_file(info)
        fields = list(info)
        fields[stat.ST_MODE] = stat.S_IFMT(info.st_mode) | mended
        return may_change(info) and not self.is_unreadable(os.stat_result(fields))

    def findings(self, queue: str) -> list[Finding]:
        """Return what is wrong with the rights of the folder and of its files."""
        owner = verbatim(user_name(self._info.st_uid))
        return [
            *self._of_folder(queue),
            *finding(
                "modes", Severity.CRITICAL, self._ours,
                f"{{n}} file{{s}} that {owner}, who owns the folder, may not read:"
                " runners set such a message aside, or stop",
                "let {them} be read (chmod u+rw,g+r)", queue=queue, fixable=True,
            ),
            *finding(
                "owners", Severity.CRITICAL, self._others,
                f"{{n}} file{{s}} of other users that {owner}, who owns the folder, may"
                " not read: runners set such a message aside, or stop",
                f"as root: chown {owner}:{verbatim(self._group)} the file{{s}} named"
                f" above, in {verbatim(quote(str(self._folder)))}", queue=queue,
            ),
        ]  # fmt: skip

    @property
    def _group(self) -> str:
        import grp

        try:
            return grp.getgrgid(self._info.st_gid).gr_name
        except KeyError:
            return str(self._info.st_gid)

    def _of_folder(self, queue: str) -> list[Finding]:
        mode = stat.S_IMODE(self._info.st_mode)
        after = mended_folder(self._info)
        if mode == after:
            return []
        reasons = [
            reason
            for flag, reason in (
                (stat.S_IRWXU & ~mode, "its owner may not use it"),
                (stat.S_IWOTH & mode, "everybody may put files into it"),
                (
                    stat.S_ISGID & after & ~mode,
                    "its owner could not read what members of its group write there",
                ),
            )
            if flag
        ]
        return finding(
            "folder-mode", Severity.WARNING, [str(self._folder)],
            f"the folder has the mode {mode:04o}: {', and '.join(reasons)}",
            verbatim(f"chmod {after:04o} {quote(str(self._folder))}"), queue=queue,
            fixable=may_change(self._info),
        )  # fmt: skip
