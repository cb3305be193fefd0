"""Runners that get other slices, or another class, while they run.

All slices of a runner end before any of the new ones begins, so that no two of
them overlap. Nobody waits longer than he likes for a message in hand: what is to
begin, begins when that is through.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from qtool.engine.wanted import again, once
from qtool.errors import QToolError, RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import TypeAlias

    from qtool.engine.runner_thread import RunnerThread
    from qtool.engine.wanted import Insistence

    Begin: TypeAlias = Callable[[bool, Collection[int]], object]


class Regroup:
    """One runner on its way from its former slices to those that are configured now.

    Args:
        former: The slices that are to end.
        begin: Starts the new ones, paused where its first argument says so, and
            without those of its second.
    """

    def __init__(self, former: Sequence[RunnerThread], begin: Begin) -> None:
        self.error: QToolError | None = None
        """Why new slices could not be started."""
        self.stopped = 0
        """How many of the former slices were asked to stop."""
        self.begins = False
        """Whether new slices are to begin."""
        self._former = former
        self._begin = begin
        self._wanted = False
        self._left_out: set[int] = set()
        self._over = threading.Event()

    def start(self, *, begin: bool = True, is_wanted: bool = False) -> None:
        """Stop the former slices, and have the new ones begin when they have ended.

        Args:
            begin: Whether any are to begin, if former ones were wanted.
            is_wanted: They are wanted in any case.
        """
        up = [thread for thread in self._former if thread.is_up]
        wanted = [thread for thread in self._former if thread.wanted]
        at_work = [thread for thread in wanted if thread in up]
        paused = bool(at_work) and all(thread.is_pausing for thread in at_work)
        for thread in wanted:
            with suppress(RunnerError):  # it has ended
                thread.stop()
        self.stopped = len(at_work)
        self._wanted = is_wanted or bool(wanted)
        self.begins = begin and self._wanted
        threading.Thread(
            target=lambda: self._work(up, paused), name="qtool-regroup", daemon=True
        ).start()

    def wait(self, seconds: float) -> bool:
        """Wait until the new slices have been started; return whether they have."""
        return self._over.wait(seconds)

    def give_up(self, number: int | None = None) -> bool:
        """Start nothing any more, or not this slice; return whether it was wanted.

        What has begun, or could not, is not to begin any more.
        """
        if self.begins and self._over.is_set():
            return False
        if number is not None:
            is_coming = self.is_to_begin(number)
            self._left_out.add(number)
            return is_coming
        wanted, self._wanted, self.begins = self._wanted, False, False
        return wanted

    def is_to_begin(self, number: int) -> bool:
        """Return whether a slice is to begin, and has not yet."""
        is_coming = self.begins and not self._over.is_set()
        return is_coming and number not in self._left_out

    def _work(self, former: Sequence[RunnerThread], paused: bool) -> None:
        try:
            for thread in former:
                thread.wait()
            if self.begins:
                self._begin(paused, self._left_out)
        except QToolError as error:
            self.error = error
        finally:
            self._over.set()


class Regroups:
    """The latest regroup of each runner of a master, and of each of its slices."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str, int | None], Regroup] = {}

    def begin(
        self,
        name: str,
        former: Sequence[RunnerThread],
        start: Begin,
        *,
        number: int | None = None,
        begin: bool = True,
        is_wanted: bool = False,
    ) -> Regroup:
        """Begin one; see ``Regroup.start``. What was wanted before still is.

        Args:
            number: It is about this slice alone.
        """
        whole = self._latest.get((name, None))
        if number is not None and whole is not None and whole.is_to_begin(number):
            return whole
        before = self._of(name, number)
        if number is not None:
            before = [each for each in before if each is not whole]
        given_up = [each.give_up() for each in before]  # all of them
        regroup = self._latest[name, number] = Regroup(former, start)
        regroup.start(begin=begin, is_wanted=is_wanted or any(given_up))
        return regroup

    def begins(self, name: str, number: int) -> bool:
        """Return whether a slice of a runner is to begin, and has not yet."""
        return any(each.is_to_begin(number) for each in self._of(name, number))

    def give_up(self, name: str, number: int | None) -> bool:
        """Begin a runner's slices no more, or one; return whether that was to be."""
        given_up = [each.give_up(number) for each in self._of(name, number)]
        return any(given_up)

    def _of(self, name: str, number: int | None) -> list[Regroup]:
        """Return those that a slice has part in; for None all of the runner."""
        return [
            regroup
            for (runner, each), regroup in self._latest.items()
            if runner == name and (number is None or each in (None, number))
        ]


def started(
    threads: Sequence[RunnerThread],
    *,
    paused: bool = False,
    insist: Insistence = once,
) -> tuple[int, ...]:
    """Start slices, as many as can be; return which.

    Raises:
        QToolError: The first that cannot be; the others are started.
    """
    begun, refusals = [], []
    for thread in threads:
        try:
            begun.append(thread.begin(paused=paused, insist=insist))
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


def started_again(
    threads: Sequence[RunnerThread], left_out: Collection[int], *, paused: bool
) -> None:
    """Start slices that are wanted, but for some; raise as ``started`` does."""
    idle = [t for t in threads if t.runner is None and t.number not in left_out]
    started(idle, paused=paused, insist=again)
