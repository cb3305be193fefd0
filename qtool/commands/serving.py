"""The socket that ``qtool run`` serves its site on, while it runs."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from qtool.commands.output import tell
from qtool.commands.search import socket_folders
from qtool.control.serving.attaching import LONGEST_PATH, socket_name
from qtool.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control


@contextmanager
def served(control: Control, *, whole: bool) -> Iterator[None]:
    """Let ``qtool`` and programs attach meanwhile.

    Args:
        control: The site.
        whole: Whether all of its runners run here: of several processes that share
            them, none speaks for the site, so none is attached to.

    Raises:
        Refused: Another daemon serves this site already.
        SettingsError: There is no such group.
    """
    from qtool.control.serving.server import Server

    settings = control.configuration.settings
    group = _group(settings.socket_group)
    path = _place(socket_name(settings)) if whole else None
    if path is None:
        if whole:
            tell("nobody can attach: there is no folder for a socket (/run/qtool)")
        yield
        return
    server = Server(control, path, group=group)
    try:
        yield
    finally:
        server.close()


def _group(name: str) -> int | None:
    import grp

    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError:
        raise SettingsError(f"socket_group: there is no group {name}") from None


def _place(name: str) -> Path | None:
    """Return where the socket can be; the folder that is this user's own is made."""
    folders = socket_folders(os.environ)
    with suppress(OSError):
        folders[-1].mkdir(mode=0o700, parents=True, exist_ok=True)
    return next((each / name for each in folders if _takes(each, name)), None)


def _takes(folder: Path, name: str) -> bool:
    fits = len(os.fsencode(folder / name)) <= LONGEST_PATH
    return fits and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
