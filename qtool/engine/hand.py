"""The one message a runner has in hand, and who may still decide about it.

While ``_dispose`` works, and only then, somebody else may give the message back
to its queue: a console that closes cannot wait for a delivery that hangs. The
runner that was given up finds out when ``_dispose`` returns, and touches nothing
any more.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class GivenBack(BaseException):
    """The runner was given up; the message is not its own any more."""


class Hand:
    """Holds the filebase of the message in hand.

    The lock is held from ``take`` to ``drop`` but not between ``open`` and
    ``close``, so that giving back never falls into a rename or a removal.
    """

    __slots__ = ("_lock", "_locked", "given_up", "holding")

    def __init__(self) -> None:
        self.holding: tuple[str, float] | None = None
        """Filebase and since when, by the runner's clock."""
        self.given_up = False
        """The runner was told to take nothing and settle nothing any more."""
        self._lock = threading.Lock()
        self._locked = False

    # --- For the runner's thread

    def take(self, filebase: str, now: float) -> None:
        """Take a message in hand."""
        self.close()
        self.holding = filebase, now

    def open(self) -> None:
        """Let others decide about the message, while ``_dispose`` works."""
        self._locked = False
        self._lock.release()

    def close(self) -> None:
        """Decide alone again.

        Raises:
            GivenBack: Somebody decided otherwise meanwhile.
        """
        self._lock.acquire()
        if self.given_up:
            self._lock.release()
            raise GivenBack
        self._locked = True

    def drop(self) -> None:
        """Have nothing in hand."""
        self.holding = None
        if self._locked:
            self.open()

    # --- For other threads

    @property
    def is_open(self) -> bool:
        """Whether the runner settles nothing at this moment."""
        return not self._locked

    def give_up(self, release: Callable[[str], None], seconds: float) -> str | None:
        """Take the message, and the right to any other, from the runner.

        Args:
            release: Gives a filebase back to its queue.
            seconds: How long to wait while the runner settles the message.

        Returns:
            The filebase that was given back; None when there was none to give.
        """
        if not self._lock.acquire(timeout=seconds):
            self.given_up = True
            return None
        try:
            first, self.given_up = not self.given_up, True
            if self.holding is None or not first:
                return None
            filebase, _ = self.holding
            release(filebase)
            return filebase
        finally:
            self._lock.release()
