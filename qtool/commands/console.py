"""``qtool`` without a command: the board."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from qtool.commands.site import opened
from qtool.installation.rights import user_name

if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    """Show the board until it is left. Nothing is processed before it is asked for."""
    from qtool import tui

    tui.refuse_terminal()
    tui.hasten()

    said: list[str] = []  # the screen would hide it, so the app says it
    before = os.geteuid()
    with opened(options, said.append, apart=True) as control:
        from qtool.tui import app  # while the engine comes up

        if options.start:
            control.start_all()
        now = os.geteuid()
        return app.run(control, said, user_name(now) if now != before else "")
