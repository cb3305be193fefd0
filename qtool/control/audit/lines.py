"""What a line of the audit log holds, and how it gets to the end of the file."""

from __future__ import annotations

import errno
import fcntl
import math
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

from qtool.control.acting import login_name
from qtool.errors import QToolError
from qtool.installation.rights import user_name
from qtool.queues import durable
from qtool.queues.state import make_state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.control.acting import Actor

MOST_FILES = 100
"""As many are named in a line; the journal has all of a larger act."""
_LONGEST_TEXT = 500
MOST_ITEMS = 25
_LARGEST_MAPPING = 4000
_HEADERS = "headers"
"""The argument of acts that holds pairs of a name and a value."""


def append(path: Path, facts: dict[str, Any]) -> None:
    """Add a line to the file, and wait until it is on the disk."""
    import json  # looking needs none

    # What has been done is recorded, whatever it returned.
    line = json.dumps(facts, ensure_ascii=True, default=str).encode("ascii") + b"\n"
    make_state_folder(str(path.parent))
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    flags |= os.O_NONBLOCK | os.O_CLOEXEC  # a pipe in its place is not waited for
    descriptor = os.open(path, flags, durable.FILE_MODE)
    try:
        is_new = _add(descriptor, path, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        durable.sync_folder(str(path.parent))


def _add(descriptor: int, path: Path, line: bytes) -> bool:
    """Write a line to the end of the file; return whether it is the first.

    One that somebody is just writing looks like one that was cut off, so it is done
    with a lock on the file.
    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise FileExistsError(f"{path} is no regular file")
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        size = os.fstat(descriptor).st_size
        if not size:
            with suppress(PermissionError):  # another user's, or without modes
                os.fchmod(descriptor, durable.FILE_MODE)
        elif os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    return not size


def told(actor: Actor) -> dict[str, Any]:
    """Return who somebody is, and from where; users by their names."""
    login = login_name(actor.pid)
    if not login and actor.caller_uid is not None:
        login = user_name(actor.caller_uid)
    return {
        "user": user_name(actor.uid),
        "uid": actor.uid,
        "login": login,
        "sudo": bounded(actor.sudo),
        "where": actor.where,
        "pid": actor.pid,
        "terminal": actor.terminal,
        "remote": bounded(actor.remote),
        "host": os.uname().nodename,
    }


def line_of(error: BaseException) -> str:
    """Return what went wrong, in a line."""
    if isinstance(error, QToolError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror}"
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def argument(name: str, value: object) -> Any:
    """Return what an act was given, for JSON; of headers and metadata their names.

    What they hold is mail, or may be a password.
    """
    if isinstance(value, Mapping):
        return bounded(sorted(map(str, value)))
    if name == _HEADERS and isinstance(value, list | tuple):
        return bounded([str(each[0]) for each in value if each])
    return bounded(value)


def bounded(value: object) -> Any:
    """Return a value for JSON that is never long; of a message its size and digest."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]}…"
    if isinstance(value, bytes):
        return _digested(value)
    if isinstance(value, list | tuple):
        shown = [bounded(each) for each in value[:MOST_ITEMS]]
        more = len(value) - len(shown)
        return [*shown, {"more": more}] if more else shown
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, Enum):
        return value.value
    return _mapping(value)


def _mapping(value: object) -> Any:
    import json

    from qtool.wire import dumped

    try:
        data = dumped(value)
        text = json.dumps(data)
    except (TypeError, ValueError, RecursionError):
        return {"type": type(value).__name__}
    return data if len(text) <= _LARGEST_MAPPING else _digested(text.encode("ascii"))


def _digested(data: bytes) -> dict[str, Any]:
    from hashlib import sha256  # few acts bring a message

    return {"bytes": len(data), "sha256": sha256(data).hexdigest()}
