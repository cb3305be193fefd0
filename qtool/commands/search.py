"""Where the configuration is, Mailman's programs, and sockets: the only search."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands.output import tell
from qtool.errors import SettingsError
from qtool.installation import default_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SYSTEM = Path("/etc/qtool/qtool.cfg")
_RUNTIME = Path("/run/qtool")
_MAILMAN_PLACES = (Path("/etc/mailman.cfg"), Path("/etc/mailman3/mailman.cfg"))


def configuration_file(environment: Mapping[str, str]) -> Path | None:
    """Return the configuration to use; None for the built-in default.

    Raises:
        SettingsError: The environment names a file that is not there.
    """
    named = environment.get("QTOOL_CONFIG")
    if named:
        return _must_exist(named, "QTOOL_CONFIG")
    here = Path("qtool.cfg")
    if os.path.lexists(here):
        reason = distrust(here)
        if not reason:
            return here
        tell(f"./qtool.cfg is ignored: {reason}")
    for place in (*_home_places(environment), _SYSTEM):
        if place.is_file():
            return place
    if environment.get("MAILMAN_CONFIG_FILE"):
        return _must_exist(environment["MAILMAN_CONFIG_FILE"], "MAILMAN_CONFIG_FILE")
    return next((place for place in _MAILMAN_PLACES if place.is_file()), None)


def _must_exist(name: str, variable: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise SettingsError(f"{name}: no such file, and ${variable} names it")
    return path


def _home_places(environment: Mapping[str, str]) -> Iterator[Path]:
    configured = environment.get("XDG_CONFIG_HOME", "")
    if configured.startswith("/"):  # XDG: a relative one is to be ignored
        yield Path(configured) / "qtool" / "qtool.cfg"
    elif environment.get("HOME"):
        yield Path(environment["HOME"]) / ".config" / "qtool" / "qtool.cfg"


def distrust(path: Path) -> str:
    """Return why a file in the working folder may not name classes; empty if it may.

    Whoever can write it could run anything as the caller.
    """
    trusted = (0, os.geteuid())
    try:
        link, facts = path.lstat(), path.stat()
    except OSError as error:
        return error.strerror or "it cannot be read"
    if not stat.S_ISREG(facts.st_mode):
        return "it is no regular file"
    if link.st_uid not in trusted or facts.st_uid not in trusted:
        return "it belongs to another user; name it with --config to use it"
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others may write it: chmod go-w qtool.cfg"
    return ""


def mailman_programs(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of ``PATH`` that holds Mailman's ``mailman`` and ``runner``.

    Many programs are called ``runner``; Mailman's stands beside ``mailman``.
    """
    for name in environment.get("PATH", "").split(os.pathsep):
        folder = Path(name)
        if folder.is_absolute() and all(
            os.access(folder / program, os.X_OK) for program in ("mailman", "runner")
        ):
            return folder
    return None


def socket_folders(environment: Mapping[str, str]) -> list[Path]:
    """Return where the sockets of daemons are, the first choice first.

    The last one is this user's own, and may not be there yet.
    """
    # systemd may name several, a colon between them.
    named = environment.get("RUNTIME_DIRECTORY", "").split(":")
    folders = [Path(name) for name in named if name.startswith("/")]
    folders += [_RUNTIME, *_folders_in(_RUNTIME)]  # systemd's, for each user
    own = Path(environment.get("XDG_RUNTIME_DIR", ""))
    if own.is_absolute() and own.is_dir() and own.stat().st_uid == os.geteuid():
        folders.append(own / "qtool")
    else:
        folders.append(default_root().parent / "run")
    return list(dict.fromkeys(folders))


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []
