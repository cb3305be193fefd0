"""``Control`` for one window alone: the one that has spawned this process."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from qtool.control.serving.server import Listener
from qtool.control.serving.sockets import GONE, taken
from qtool.control.serving.streaming import Boards
from qtool.engine.leaving import leave_within

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.acting import Actor
    from qtool.control.control import Control
    from qtool.control.serving.sockets import Peer

_LEAVING_SECONDS = 1.0


class Window(Listener):
    """Serves the connections that the window hands over.

    Args:
        control: What is served; whoever made it closes it.
        end: This process's end of the socket between them.
        told: Gets what the window says besides: see ``qtool.control.serving.sockets``.
    """

    logs_acts = False

    def __init__(
        self, control: Control, end: socket.socket, told: Callable[[bytes], None]
    ) -> None:
        super().__init__(control, Boards(control), end, None)
        self._told = told

    def actor(self, peer: Peer) -> Actor | None:  # noqa: ARG002 - others need it
        """Return nobody in particular: what is served knows whose window this is."""
        return None

    def leave(self) -> None:
        """Let this process end, whatever threads a site's class has left in it."""
        leave_within(_LEAVING_SECONDS)

    def get_request(self) -> tuple[Any, Any]:
        """Wait for the next connection."""
        while True:
            came = taken(self.socket)
            if isinstance(came, socket.socket):
                return came, ""
            self._told(came)
            if came == GONE:
                self._over.set()
                raise ConnectionResetError
