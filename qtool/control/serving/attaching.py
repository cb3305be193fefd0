"""Whether a daemon serves a site; importing this costs nothing where none does."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qtool.control.control import Control
    from qtool.settings import Settings

LONGEST_PATH = 107
"""Bytes of a socket's path: the system takes no more."""
_LONGEST_NAME = 24
BUILT_IN = "built-in default"
"""The source of settings that no file holds."""


def socket_name(settings: Settings) -> str:
    """Return the name of the socket of one spool under one configuration.

    It is short, for so is the longest path: it tells the end of the
    spool's path, and what is cut off is in the number.
    """
    spool = os.path.realpath(settings.queue_root)
    source = settings.source
    if source != BUILT_IN:
        source = os.path.realpath(source)
    facts = f"{spool}\0{source}"
    number = zlib.crc32(facts.encode("utf-8", "surrogateescape"))
    shown = spool.strip("/").replace("/", "-")
    ascii_only = "".join(c if c.isascii() and c.isprintable() else "_" for c in shown)
    return f"{ascii_only[-_LONGEST_NAME:].lstrip('-.') or 'root'}.{number:08x}.sock"


def attach(
    settings: Settings,
    folders: Iterable[Path],
    *,
    read_only: bool = False,
    late: Callable[[str, int], None] | None = None,
) -> Control | None:
    """Return the site through the daemon that serves it; None where none does.

    A socket that a killed daemon left there is none.

    Args:
        settings: The site.
        folders: Where its socket may be.
        read_only: Refuse every act.
        late: Is told who does not answer for a while: what it is, and its pid.

    Raises:
        Refused: A daemon is there, and it is not for this user.
        Unreachable: One is there, and lets nobody in at this moment.
    """
    name = socket_name(settings)
    for folder in folders:
        path = folder / name
        if not _is_there(path):
            continue
        from qtool.control.serving.client import Attached
        from qtool.control.serving.link import Link, NobodyThere
        from qtool.installation import Configuration

        link = Link(path, settings.queue_root, late)
        try:
            return Attached(Configuration(settings), link, read_only=read_only)
        except NobodyThere:
            continue
    return None


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Refused(
            f"whether a daemon serves this site cannot be seen: {path}:"
            f" {error.strerror}"
        ) from error
    return True
