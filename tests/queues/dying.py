"""A process that is killed, or whose disk fails, at one of its system calls.

In one process, so that a test can try every call in turn: who is killed makes no
further call, whatever its code would clean up. ``tests/crash`` kills real ones.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import QFileError
from qtool.queues import durable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CALLS = (
    "open", "write", "fsync", "rename", "link", "unlink", "mkdir", "chmod", "fchmod",
)  # fmt: skip
_OF_OURS = ("rename_new", "exchange", "sync_file_system")


class Killed(BaseException):
    """The process is dead."""


class _Process:
    """Counts calls, and fails at one of them.

    Args:
        last: How many calls are made.
        error: What the next one raises; None kills the process there.
        only: The calls that count; all of them where it is empty.
        disk: A folder whose disk fails for good at that call; others do not count.
    """

    def __init__(
        self,
        last: int,
        error: int | None,
        only: tuple[str, ...],
        disk: Path | None = None,
    ) -> None:
        self._left = last
        self._error = error
        self._only = only
        self._disk = disk
        self.came_so_far = False

    def _counts(self, call: str, args: tuple[Any, ...]) -> bool:
        if self._disk is None:
            return not self._only or call in self._only
        found = [_path_of(each) for each in args[:2]]
        return any(path.startswith(f"{self._disk}/") for path in found)

    def wrapped(self, call: str, made: Callable[..., Any]) -> Callable[..., Any]:
        def make(*args: Any, **kws: Any) -> Any:
            counts = self._counts(call, args)
            if counts:
                self._left -= 1
            is_broken = self._disk is not None and self._left < 0 and counts
            is_dead = self._left < 0 and self._error is None
            if self._left == -1 or is_broken or is_dead:
                self._left = -1 if self._error is None else -2
                self.came_so_far = True
                if self._error is None:
                    raise Killed
                raise OSError(self._error, os.strerror(self._error))
            return made(*args, **kws)

        return make


def _path_of(argument: object) -> str:
    """Return the path that an argument of a call stands for; empty for none."""
    if isinstance(argument, str | Path):
        return str(argument)
    if type(argument) is int:
        with suppress(OSError):
            return str(Path(f"/proc/self/fd/{argument}").readlink())
    return ""


@contextmanager
def dying(
    last: int,
    error: int | None = None,
    only: tuple[str, ...] = (),
    disk: Path | None = None,
) -> Iterator[_Process]:
    """Let everything in the block die, or one call fail, after ``last`` calls.

    With a ``disk`` all that goes there fails from that call on.
    """
    process = _Process(last, error, only, disk)
    with pytest.MonkeyPatch.context() as patch:
        for module, names in ((os, _CALLS), (durable, _OF_OURS)):
            for name in names:
                made = process.wrapped(name, getattr(module, name))
                patch.setattr(module, name, made)
        with suppress(Killed):
            yield process


def at_every_call(
    prepared: Callable[[int], tuple[Callable[[], object], Callable[[], object]]],
    error: int | None = None,
    only: tuple[str, ...] = (),
    disk: Callable[[int], Path] | None = None,
) -> int:
    """Let an act die, or fail, at every call in turn; return how many there were.

    Args:
        prepared: Makes everything anew, and returns the act and what checks it.
        error: What the call raises; None kills the process there.
        only: The calls that count; all of them where it is empty.
        disk: Returns what fails for good from that call on; see ``dying``.
    """
    for last in count():
        act, check = prepared(last)
        with dying(last, error, only, disk and disk(last)) as process:
            if error is None:
                act()
            else:
                with suppress(OSError, QFileError):
                    act()
        check()
        if not process.came_so_far:
            return last
    raise AssertionError
