"""Runners that get other slices, or another class, while they run.

All slices of a runner end before any of the new ones begins, so that no two of
them overlap. Nobody waits longer than he likes for a message in hand: what is to
begin, begins when that is through.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from qtool.errors import QToolError, RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.engine.runner_thread import RunnerThread


class Regroup:
    """One runner on its way from its former slices to those that are configured now.

    Args:
        former: The slices that are to end.
        begin: Starts the new ones, paused where its argument says so.
    """

    def __init__(
        self, former: Sequence[RunnerThread], begin: Callable[[bool], object]
    ) -> None:
        self.error: QToolError | None = None
        """Why new slices could not be started."""
        self.stopped = 0
        """How many of the former slices were asked to stop."""
        self.begins = False
        """Whether new slices are to begin."""
        self._former = former
        self._begin = begin
        self._over = threading.Event()

    def start(self, *, begin: bool = True, is_wanted: bool = False) -> None:
        """Stop the former slices, and have the new ones begin when they have ended.

        Args:
            begin: Whether any are to begin, if former ones ran.
            is_wanted: They are to begin in any case: they were about to.
        """
        up = [thread for thread in self._former if thread.is_up]
        wanted = [thread for thread in up if thread.is_wanted]
        paused = bool(wanted) and all(thread.is_pausing for thread in wanted)
        for thread in wanted:
            with suppress(RunnerError):  # it has ended meanwhile
                thread.stop()
        self.stopped = len(wanted)
        self.begins = begin and (is_wanted or bool(wanted))
        threading.Thread(
            target=lambda: self._work(up, paused), name="qtool-regroup", daemon=True
        ).start()

    def wait(self, seconds: float) -> bool:
        """Wait until the new slices have been started; return whether they have."""
        return self._over.wait(seconds)

    def give_up(self) -> bool:
        """Start nothing any more; return whether anything was still to begin."""
        begins, self.begins = self.begins, False
        return begins and not self._over.is_set()

    def _work(self, former: Sequence[RunnerThread], paused: bool) -> None:
        try:
            for thread in former:
                thread.wait()
            if self.begins:
                self._begin(paused)
        except QToolError as error:
            self.error = error
        finally:
            self._over.set()


def started(
    threads: Sequence[RunnerThread], *, paused: bool = False
) -> tuple[int, ...]:
    """Start slices, as many as can be; return which.

    Raises:
        QToolError: The first that cannot be; the others are started.
    """
    begun, refusals = [], []
    for thread in threads:
        try:
            begun.append(thread.begin(paused=paused))
        except QToolError as error:
            refusals.append(error)
    # Only then, for it takes a process a while to be there.
    for wait in begun:
        try:
            wait()
        except QToolError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]
    return tuple(thread.number for thread in threads)
