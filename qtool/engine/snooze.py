"""How long to rest: the runner between passes, a requeued message in its queue.

And what ends a runner's rest early: something arrives.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.queues.switchboard import Hint, Switchboard

SHORTEST_SECONDS = 0.05
"""The least rest; ``sleep_time: 0`` must not become a busy loop."""


class Resting:
    """Requeued messages of one queue, which rest before they are taken again.

    The slices of a queue share one: a requeued message has a new digest, so it
    may well lie in the slice of another runner.
    """

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._since)

    def begin(self, filebase: str, now: float) -> None:
        """Note that a message was requeued under this filebase."""
        with self._lock:
            self._since[filebase] = now

    def holds(self, filebase: str, now: float, seconds: float) -> bool:
        """Return whether the message has rested for less than ``seconds``."""
        since = self._since.get(filebase)
        return since is not None and now - since < seconds

    def next_due(self, now: float, seconds: float) -> float | None:
        """Forget those that have rested, and return when the next one will have.

        Args:
            now: The present moment.
            seconds: For how long a message rests.

        Returns:
            In how many seconds; None where none is left.
        """
        with self._lock:
            # They are noted in the order of time: only the oldest are looked at.
            while self._since:
                filebase, since = next(iter(self._since.items()))
                if now - since < seconds:
                    return since + seconds - now
                del self._since[filebase]
        return None


class Arrivals:
    """Wakes a runner when something arrives in its queue.

    Args:
        queue: The whole queue: it is watched as one, whatever its slices.
        wake: Called from another thread.
    """

    def __init__(self, queue: Switchboard, wake: Callable[[], None]) -> None:
        self._queue = queue
        self._wake = wake
        self._stop: Callable[[], None] | None = None

    def watch(self) -> bool:
        """Begin to watch; return whether this was the beginning.

        What arrived before made no hint, so the caller looks once more then.
        """
        if self._stop is not None:
            return False
        self._stop = self._queue.watch(self._hinted, urgent=True)
        return True

    def end(self) -> None:
        """Watch no more."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def _hinted(self, hint: Hint) -> None:
        if is_reason_to_look(hint):
            self._wake()


def is_reason_to_look(hint: Hint) -> bool:
    """Return whether something may have arrived; a runner's own removals are none."""
    return hint.arrived > 0 or not hint.counted
