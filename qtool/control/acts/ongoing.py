"""The acts that are under way in this process: how far each is, and stopping one."""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qtool.control.acting import acting
from qtool.control.models.mending import UnderWay
from qtool.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERRUPTED = "it was interrupted"


class Ongoing:
    """One act over many entries, for whoever does it to tell how far it is.

    Args:
        told: What is known of it when it begins.
    """

    def __init__(self, told: UnderWay) -> None:
        self._told = told
        self._number = self._done = self._total = 0
        self._is_to_stop = False

    @property
    def seen(self) -> UnderWay:
        """How far it is."""
        told = self._told
        return UnderWay(
            id=told.id, verb=told.verb, queue=told.queue, to=told.to, uid=told.uid,
            pid=told.pid, since=told.since, number=self._number, done=self._done,
            total=self._total,
        )  # fmt: skip

    def stop(self) -> None:
        """Have it end before the next entry."""
        self._is_to_stop = True

    def begins(self, total: int, number: int = 0) -> None:
        """Come to its entries: to look at them or, with its number, to act on them."""
        self._number, self._done, self._total = number, 0, total

    def looked_at(self, count: int, total: int | None = None) -> None:
        """Note how many were looked at, while nothing has been done.

        Raises:
            Refused: It was interrupted.
        """
        self._done = count
        if total is not None:
            self._total = total
        if self._is_to_stop:
            raise Refused(f"{INTERRUPTED}: nothing was done")

    def came_to(self, count: int) -> str:
        """Note how many it has come to; return why it is to end, mostly nothing."""
        self._done = count
        return INTERRUPTED if self._is_to_stop else ""


class OngoingActs:
    """Those of one ``Control``.

    Args:
        clock: Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._acts: dict[int, Ongoing] = {}

    @contextmanager
    def begun(self, verb: str, queue: str, to: str) -> Iterator[Ongoing]:
        """Have an act among them while it is done."""
        actor, number = acting(), next(self._ids)
        told = UnderWay(
            id=number, verb=verb, queue=queue, to=to, uid=actor.uid, pid=actor.pid,
            since=self._clock(),
        )  # fmt: skip
        ongoing = Ongoing(told)
        with self._lock:
            self._acts[number] = ongoing
        try:
            yield ongoing
        finally:
            with self._lock:
                del self._acts[number]

    def seen(self) -> tuple[UnderWay, ...]:
        """Return how far each is."""
        with self._lock:
            return tuple(each.seen for each in self._acts.values())

    def stop(self, number: int) -> None:
        """Have one end before the next entry.

        Raises:
            Refused: It is not under way, or it is another user's.
        """
        with self._lock:
            ongoing = self._acts.get(number)
        if ongoing is None:
            raise Refused("that act is not under way any more")
        if ongoing.seen.uid != acting().uid:
            raise Refused("that act is another user's, not yours")
        ongoing.stop()
