"""The ``qtool`` program: find the command, run it, say in one line what went wrong."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from qtool.commands.arguments import parse
from qtool.commands.output import FAILED, INTERRUPTED, drop_output, tell
from qtool.errors import QToolError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        argv: The words after the program's name; those of this process by default.
    """
    _open_streams()
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except QToolError as error:
        tell(str(error))
        return FAILED
    except BrokenPipeError:
        drop_output()
        return FAILED
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        tell(f"{where}{error.strerror or error}")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _run(argv: Sequence[str]) -> int:
    try:
        options = parse(argv)
        # A command costs what it imports, so only the one that is asked for is.
        command = import_module(f"qtool.commands.{options.command or 'console'}")
        status: int = command.run(options)
    except SystemExit as leaving:  # help, usage, and scripts of the shell
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        tell(str(leaving.code))
        return FAILED
    return status


def _open_streams() -> None:
    """Put nothing behind the standard streams that the caller has closed.

    Otherwise a queue's file would get the number of one, and what is written there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open, and pathlib costs
