"""The token by which threads that compute take turns.

Several threads that parse at once are slower than one, and starve the thread
that answers the operator's keys. So the runners of one process share a lock
around what computes; nothing waits for the outside world while it holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Lock


class Turn:
    """One runner's hold on the shared token; without a token every call is free."""

    __slots__ = ("_mine", "token")

    def __init__(self, token: Lock | None = None) -> None:
        self.token = token
        """The lock that the runners share."""
        self._mine = False

    def take(self) -> None:
        """Wait for the token, unless it is held already."""
        if self.token is not None and not self._mine:
            self.token.acquire()
            self._mine = True

    def give(self) -> None:
        """Let the next thread have the token, where it is held."""
        if self._mine and self.token is not None:
            self._mine = False
            self.token.release()
