"""Waiting for a long act: it is seen how far it is, and Ctrl-C ends it in order."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from qtool.errors import QToolError, ReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import UnderWay

R = TypeVar("R")

_PATIENCE_SECONDS = 0.5
"""What is done sooner is not asked how far it is."""
_EVERY_SECONDS = 0.2
_TRIES = 15
"""How often it is looked for, to be ended."""


class Attended(Generic[R]):
    """A call of ``Control`` that this process waits for.

    It is done in a thread of its own, so that an interrupt finds this one, and no
    entry half-way.

    Args:
        control: Whose call.
        call: What is to be done.
    """

    def __init__(self, control: Control, call: Callable[[], R]) -> None:
        self._control = control
        self._call = call
        self._results: list[R] = []
        self._errors: list[BaseException] = []
        self._over = threading.Event()
        self.was_interrupted = False
        """Whether the result is what was done before an interrupt."""

    def result(self, show: Callable[[UnderWay], None] | None = None) -> R:
        """Do the call, and return or raise what it does.

        Args:
            show: Is called with how far it is, some times a second.

        Raises:
            KeyboardInterrupt: It may go on: it was interrupted twice, or cannot be
                told.
        """
        run = copy_context().run
        thread = threading.Thread(target=run, args=(self._run,), daemon=True)
        seconds, is_begun = _PATIENCE_SECONDS, False
        while not self._over.is_set():
            try:
                if not is_begun:
                    is_begun = True
                    thread.start()
                # Not a join, which takes an interrupt for the thread's end.
                is_over = self._over.wait(seconds)
                seconds = _EVERY_SECONDS
                seen = self._seen() if show and not is_over else None
                if show and seen:
                    show(seen)
            except KeyboardInterrupt:
                if self.was_interrupted or not self._is_stopped():
                    raise
                self.was_interrupted = True
        if self._errors:
            raise self._errors[0]
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._errors.append(error)
        finally:
            self._over.set()

    def _seen(self) -> UnderWay | None:
        """Return how far it is; None where that is not known."""
        with suppress(QToolError, OSError):
            for each in self._control.under_way():
                if (each.pid, each.uid) == (os.getpid(), os.geteuid()):
                    return each
        return None

    def _is_stopped(self) -> bool:
        """Have it end; return whether it does, or has."""
        for _ in range(_TRIES):
            seen = self._seen()
            try:
                if seen is not None:
                    self._control.interrupt(seen.id)
                    return True
            except ReadOnly:  # it only looks: nobody has to wait for its end
                return False
            except (QToolError, OSError):
                pass
            if self._over.wait(_EVERY_SECONDS):  # it may be about to begin
                return True
        return False
