"""An installation: settings and their switchboards, and this process's own one."""

from __future__ import annotations

import os
import pwd
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.installation.configuration import (
    Configuration,
    Switchboards,
)
from qtool.installation.loading import load_settings
from qtool.settings import default

if TYPE_CHECKING:
    from qtool.lists import MailingList

__all__ = [
    "Configuration", "Switchboards", "adopt", "create_list", "default_root",
    "is_of_process", "load_settings", "process_configuration",
]  # fmt: skip

_process_lock = threading.Lock()
_process: list[Configuration] = []


def default_root() -> Path:
    """Return where the built-in default keeps its spool: the user's state folder."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        # XDG: a relative one is to be ignored.
        home = os.environ.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir
        state = str(Path(home) / ".local" / "state")
    return Path(state) / "qtool" / "spool"


def process_configuration() -> Configuration:
    """Return the one configuration of this process: the built-in default at first."""
    with _process_lock:
        if not _process:
            _process.append(Configuration(default(default_root())))
        return _process[0]


def adopt(configuration: Configuration) -> None:
    """Make this the process's configuration: for a prompt over a site that is open."""
    with _process_lock:
        _process[:] = [configuration]


def is_of_process(configuration: Configuration) -> bool:
    """Return whether this is the process's configuration."""
    with _process_lock:
        return any(each is configuration for each in _process)


def create_list(address: str) -> MailingList:
    """Return the list with that posting address in the process's configuration."""
    return process_configuration().lists.create(address)
