"""The ``qtool`` program: find the command, run it, say in one line what went wrong."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import BufferedWriter, TextIOWrapper
from typing import TYPE_CHECKING

from qtool.commands.arguments import parse
from qtool.commands.output import (
    FAILED,
    INTERRUPTED,
    STANDARD_OUTPUT,
    Closed,
    drop_output,
    flush,
    tell,
    tell_error,
)
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
        return _status(sys.argv[1:] if argv is None else argv)
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        if error.filename == STANDARD_OUTPUT:
            drop_output()
        tell_error(error)
    return FAILED


def _status(argv: Sequence[str]) -> int:
    """Run a command and return its status; raise where its output is lost."""
    try:
        return _run(argv)
    except QToolError as error:
        tell(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        flush()


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
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open, and pathlib costs
    if sys.stdout is None:
        sys.stdout = TextIOWrapper(BufferedWriter(Closed(os.devnull, "w")), "utf-8")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - likewise
