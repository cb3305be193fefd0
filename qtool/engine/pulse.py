"""Since when a runner's thread has been at one thing, as its master may ask."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Pulse:
    """Beats whenever the thread begins something else, and not while it rests.

    Args:
        clock: Seconds that never go back.
    """

    __slots__ = ("_clock", "since")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.since: float | None = None
        """Since when by the clock; None while it rests, and where it never began."""
        self._clock = clock

    def begin(self) -> None:
        """Begin to beat: whose loop is its own does not, nor who is only asked."""
        self.since = self._clock()

    def beat(self, rest: float = 0.0) -> None:
        """Note that something else begins, which may well take ``rest`` seconds."""
        if self.since is not None:
            self.since = self._clock() + rest

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Wait for something to do, for however long."""
        since, self.since = self.since, None
        try:
            yield
        finally:
            if since is not None:
                self.begin()
