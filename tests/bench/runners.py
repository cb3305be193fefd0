"""The runner classes that the bench has qtool run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtool import Runner

if TYPE_CHECKING:
    from email.message import Message


class Noop(Runner):
    """Disposes of everything and stops when nothing is left."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        return False

    def _snooze(self, filecnt: int) -> None:
        if filecnt == 0:
            self.stop()


class Latency(Runner):
    """Notes when each numbered message came."""

    arrived: dict[int, float] = {}  # noqa: RUF012 # one for the process, as meant

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.arrived[msgdata["number"]] = time.monotonic()
        return False
