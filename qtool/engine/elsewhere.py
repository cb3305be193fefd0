"""What a runner failed of in another process, as if it had been raised here."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

from qtool.wire import loaded_error

if TYPE_CHECKING:
    from qtool.engine.hangs import Hang
    from qtool.engine.lines import Failed

_ASKED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""A process that dies of these was asked to go, before it had anything in hand."""


class ChildTraceback(Exception):
    """The traceback of an error in the other process."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


class ChildFailed(Exception):
    """What a runner failed of there, in a line."""


class ChildLeft(BaseException):
    """A runner left there for good, as by ``SystemExit``."""


def raised_there(failed: Failed) -> BaseException:
    """Return what is raised here for what a runner failed of there."""
    error: BaseException
    if failed.kind:
        error = loaded_error({"type": failed.kind, "message": failed.note})
    else:
        error = (ChildLeft if failed.is_final else ChildFailed)(failed.note)
    error.__cause__ = ChildTraceback(failed.traceback)
    return error


def died_there(status: int, words: str) -> ChildFailed | None:
    """Return the failure of a process that its runner did not end; None for none.

    Args:
        status: As ``subprocess`` gives it.
        words: The last that it said.
    """
    if -status in _ASKED:
        return None
    return _failure(f"its process {ended_so(status)}", words)


def hung_there(hang: Hang) -> ChildFailed:
    """Return the failure of a process that was killed because it hung."""
    return _failure(f"{hang.told}; its process was killed", hang.stack)


def silent_there() -> ChildFailed:
    """Return the failure of a process that was killed because it read nothing."""
    return _failure("its process did not listen, and was killed")


def traceback_there(error: BaseException | None) -> str | None:
    """Return the traceback of an error in the other process; None for one of ours."""
    while error is not None:
        if isinstance(error, ChildTraceback):
            return error.text
        error = error.__cause__
    return None


def log_failure(log: logging.Logger, line: str, error: BaseException | None) -> None:
    """Log what a runner failed of, with the traceback that it had where it was."""
    there = traceback_there(error)
    if there is None:
        log.error("%s", line, exc_info=error)
    else:
        log_record(log, logging.ERROR, line, there)


def log_record(
    log: logging.Logger,
    level: int,
    text: str,
    traceback: str,
    when: float | None = None,
) -> None:
    """Log what has a traceback of another process.

    Args:
        log: Where.
        level: As ``logging`` counts.
        text: The message.
        traceback: Empty for none.
        when: In epoch seconds; None is now.
    """
    if log.isEnabledFor(level):
        record = log.makeRecord(log.name, level, "", 0, text, (), None)
        record.exc_text = traceback or None
        record.created = record.created if when is None else when
        log.handle(record)


def _failure(note: str, traceback: str = "") -> ChildFailed:
    error = ChildFailed(note)
    error.__cause__ = ChildTraceback(traceback)
    return error


def ended_so(status: int) -> str:
    """Return in words how a process has ended.

    Args:
        status: As ``subprocess`` gives it.
    """
    if status >= 0:
        return f"ended by itself, with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}"
