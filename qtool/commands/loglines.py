"""The log as lines on standard error, while a command runs runners."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, TextIO

from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_MESSAGE = 2000


class Lines(logging.StreamHandler[TextIO]):
    """One harmless line a record; tracebacks stay in the step's report.

    Args:
        on_error: Called after each line of an error.
    """

    def __init__(self, on_error: Callable[[], None]) -> None:
        super().__init__(sys.stderr)
        self._on_error = on_error

    def format(self, record: logging.LogRecord) -> str:
        return line_of(
            record.created, record.levelname, record.name, record.getMessage()
        )

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if record.levelno >= logging.ERROR:
            self._on_error()


def log_to_stderr(on_error: Callable[[], None]) -> logging.Handler:
    """Have qtool's log be told; return what is to be removed at the end."""
    handler = Lines(on_error)
    log = logging.getLogger("qtool")
    log.addHandler(handler)
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
    return handler


def line_of(at: float, level: str, logger: str, text: str) -> str:
    """Return one record of a log as a harmless line."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    return f"{when} {level} {logger} {visible(text, _LONGEST_MESSAGE)}"
