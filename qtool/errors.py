"""One error tree, a class for each situation an operator can meet.

The docstring of a class is its default message, so every error reads as a
sentence. Messages may hold names that came from a queue: front ends pass them
through ``untrusted.visible`` before showing them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from pathlib import Path


def _sentence(situation: type[Exception]) -> str:
    """Return what a class says by itself: its docstring, or that of its parent."""
    return next(each.__doc__ for each in situation.__mro__ if each.__doc__)


class QToolError(Exception):
    """Something went wrong in qtool."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or _sentence(type(self)))


# --- Files ---------------------------------------------------------------


class QFileError(QToolError):
    """The file cannot be read as a qfile."""

    def __init__(
        self, reason: str | None = None, *, path: Path | str | None = None
    ) -> None:
        from pathlib import Path  # errors are rare, and it is dear to import

        self.path = Path(path) if path is not None else None
        """The file, where it is known."""
        self.reason = reason or _sentence(type(self))
        """Why, in words, without the file's name."""
        super().__init__(f"{path}: {self.reason}" if path else self.reason)


class CorruptQFile(QFileError):
    """The file is truncated or damaged."""


class UnsafeQFile(QFileError):
    """The file holds something that a mail queue never needs."""


class ForeignQFile(QFileError):
    """The file is not a qfile."""


class UnreadableQFile(QFileError):
    """The file cannot be opened."""


# --- Queues --------------------------------------------------------------


class QueueError(QToolError):
    """The queue refused."""


class NoSuchQueue(QueueError):
    """There is no queue of that name."""


class NoSuchEntry(QueueError):
    """The entry is not in the queue any more."""


class EntryExists(QueueError):
    """An entry of that name is there already, and nothing is overwritten."""


class SliceClaimed(QueueError):
    """The slice is claimed by another runner."""


class MailmanRuns(SliceClaimed):
    """Mailman runs, and its queues are its own."""


class ClaimsUnsupported(QueueError):
    """The file system offers no locks that a claim could stand on."""


# --- Settings ------------------------------------------------------------


class SettingsError(QToolError):
    """The configuration is wrong."""


# --- Runners -------------------------------------------------------------


class RunnerError(QToolError):
    """The runner cannot do that."""


class NoSuchRunner(RunnerError):
    """There is no runner of that name."""


class NoRunnerClass(RunnerError):
    """The runner has no class."""


class RunnerImportError(RunnerError):
    """The runner's class cannot be imported."""


class ClassImporting(RunnerImportError):
    """The runner's class is being imported, and that takes long."""


class RunnerGone(RunnerError):
    """The process of the runner has ended."""


class RunnerSilent(RunnerError):
    """The process of the runner does not answer."""


# --- Filters -------------------------------------------------------------


class FilterError(QToolError):
    """The filter cannot be read."""

    def __init__(
        self, message: str | None = None, *, text: str = "", position: int = 0
    ) -> None:
        super().__init__(message)
        self.text = text
        """The filter, where it is known."""
        self.position = position
        """What is wrong begins at this character of it, from 0."""


# --- Acts ----------------------------------------------------------------


class Refused(QToolError):
    """The act is refused."""


class ReadOnly(Refused):
    """This spool is read-only for you."""


class Unreachable(QToolError):
    """The daemon does not answer."""


class NoSuchAct(QToolError):
    """There is no act of that number on record."""
