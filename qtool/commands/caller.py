"""Who has called this program, and from where: for what is on record of acts."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from qtool.control.acting import Actor

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

_FRONT_ENDS = {None: "tui", "shell": "shell"}


def caller(
    options: Namespace, environment: Mapping[str, str], caller_uid: int
) -> Actor:
    """Return who acts from here on.

    Args:
        options: They say by what.
        environment: This process's.
        caller_uid: Whose process this was at its start.
    """
    return Actor(
        uid=os.geteuid(),
        pid=os.getpid(),
        where=_FRONT_ENDS.get(options.command, "command"),
        caller_uid=caller_uid,
        sudo=environment.get("SUDO_USER", ""),
        terminal=_terminal(),
        remote=environment.get("SSH_CONNECTION", "").partition(" ")[0],
    )


def _terminal() -> str:
    for descriptor in range(3):
        with suppress(OSError):
            return os.ttyname(descriptor)
    return ""
