"""Waiting for a long act: it is seen how far it is, and Ctrl-C ends it in order."""

from __future__ import annotations

import os
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from qtool.errors import QToolError, ReadOnly, Unreachable

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
_SILENCES = 2
"""Without so many answers nobody is there to end it."""


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
        self._interrupts = self._answered = self._tries = 0
        self._silences = 0
        """How often in a row who does it has not answered how far it is."""

    def result(
        self,
        show: Callable[[UnderWay], None] | None = None,
        insisted: Callable[[int], bool] | None = None,
    ) -> R:
        """Do the call, and return or raise what it does.

        Args:
            show: Is called with how far it is, some times a second.
            insisted: Is called at the second interrupt and each further one, with
                how many there were; returns whether the end is waited for all the
                same. Without it, it is not, nor where nobody takes the first.

        Raises:
            KeyboardInterrupt: It goes on, and is not waited for.
        """
        run = copy_context().run
        thread = threading.Thread(target=run, args=(self._run,), daemon=True)
        seconds, is_begun = _PATIENCE_SECONDS, False
        while not self._over.is_set():
            # An interrupt is answered within, for the next may come meanwhile.
            try:
                if not is_begun:
                    is_begun = True
                    thread.start()
                if self._interrupts and not self._is_awaited(insisted):
                    break
                # Not a join, which takes an interrupt for the thread's end.
                is_over = self._over.wait(seconds)
                seconds = _EVERY_SECONDS
                if show and not is_over and (seen := self._seen()):
                    show(seen)
            except KeyboardInterrupt:
                self._interrupts += 1
        if not self._over.is_set():
            raise KeyboardInterrupt
        self.was_interrupted = self._interrupts > 0
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
        try:
            # The newest: one that is not waited for any more may be among them.
            acts = self._control.under_way()
            self._silences = 0
            for each in reversed(acts):
                if (each.pid, each.uid) == (os.getpid(), os.geteuid()):
                    return each
        except Unreachable:
            self._silences += 1
        except (QToolError, OSError):
            pass
        return None

    def _is_awaited(self, insisted: Callable[[int], bool] | None) -> bool:
        """Have it end, as far as it is to; return whether that is waited for."""
        if self._answered < self._interrupts:
            self._answered = self._interrupts
            is_first = self._answered == 1
            if not is_first and not (insisted and insisted(self._answered)):
                return False
        if self.was_interrupted:
            return True
        seen = self._seen()
        if self._silences >= _SILENCES and not insisted:
            return False
        try:
            if seen is not None:
                self._control.interrupt(seen.id)
                self.was_interrupted = True
        except ReadOnly:  # it only looks: nobody has to wait for its end
            return False
        except (QToolError, OSError):
            pass
        self._tries += 1
        return self.was_interrupted or insisted is not None or self._tries <= _TRIES
