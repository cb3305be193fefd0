"""A process that is killed, or whose disk fails, at one of its system calls.

In one process, so that a test can try every call in turn: who is killed makes no
further call, whatever its code would clean up. ``tests/crash`` kills real ones.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from itertools import count
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
    """

    def __init__(self, last: int, error: int | None, only: tuple[str, ...]) -> None:
        self._left = last
        self._error = error
        self._only = only
        self.came_so_far = False

    def wrapped(self, call: str, made: Callable[..., Any]) -> Callable[..., Any]:
        def make(*args: Any, **kws: Any) -> Any:
            if not self._only or call in self._only:
                self._left -= 1
            if self._left == -1 or (self._left < 0 and self._error is None):
                self._left = -1 if self._error is None else -2
                self.came_so_far = True
                if self._error is None:
                    raise Killed
                raise OSError(self._error, os.strerror(self._error))
            return made(*args, **kws)

        return make


@contextmanager
def dying(
    last: int, error: int | None = None, only: tuple[str, ...] = ()
) -> Iterator[_Process]:
    """Let everything in the block die, or one call fail, after ``last`` calls."""
    process = _Process(last, error, only)
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
) -> int:
    """Let an act die, or fail, at every call in turn; return how many there were.

    Args:
        prepared: Makes everything anew, and returns the act and what checks it.
        error: What the call raises; None kills the process there.
        only: The calls that count; all of them where it is empty.
    """
    for last in count():
        act, check = prepared(last)
        with dying(last, error, only) as process:
            if error is None:
                act()
            else:
                with suppress(OSError, QFileError):
                    act()
        check()
        if not process.came_so_far:
            return last
    raise AssertionError
