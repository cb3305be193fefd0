"""An act under way: its record is locked by who is at it, until it is closed."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from qtool.control.acts.records import end_lines
from qtool.queues import durable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack
    from pathlib import Path
    from types import TracebackType


class Begun:
    """An act that is on record, and under way until this is closed.

    Args:
        path: Its file, which may get another name.
        count: Of how many entries it is.
    """

    number = 0
    at_end: ExitStack | None = None
    """What ends with it."""

    def __init__(self, path: Path, count: int) -> None:
        self._count = count
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags)
        lock(self._descriptor, fcntl.LOCK_EX)

    def end(
        self, done: Sequence[str], left: int = 0, unsure: Sequence[str] = ()
    ) -> None:
        """Note to which entries it was done, and how many others can be tried again.

        Args:
            done: Their filebases.
            left: How many others.
            unsure: Which of those may have changed where they stayed.

        Raises:
            OSError: It cannot be noted durably: it is as if it had been cut off.
        """
        data = end_lines(done, left, self._count, unsure)
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Be done with it, whatever has come of it."""
        os.close(self._descriptor)
        if self.at_end is not None:
            self.at_end.close()

    def __enter__(self) -> Begun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def lock(descriptor: int, how: int) -> bool:
    """Lock a file as long as it is open; return whether nobody else has it locked."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # where there are no locks, none can be missed
    return True


def is_locked(path: str) -> bool:
    """Return whether somebody is at it."""
    descriptor = os.open(path, durable.READING)
    try:
        return not lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
