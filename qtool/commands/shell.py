"""``qtool shell``: a prompt, a line of code, a script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands.output import FAILED, tell
from qtool.commands.site import opened

if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    """Run what was given, or else the prompt."""
    from qtool.shell import session

    arguments = list(options.arguments)
    if options.code is not None:
        source = ("-c", options.code)
        arguments = [word for word in (options.script, *arguments) if word is not None]
    elif options.script not in (None, "-"):
        try:
            source = (options.script, Path(options.script).read_bytes())
        except OSError as error:
            tell(f"{options.script}: {error.strerror}")
            return FAILED
