"""What every part of ``Control`` may use of the whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.acting import Actor
    from qtool.installation import Configuration


class Part:
    """A part of the facade: calls that belong together."""

    configuration: Configuration
    """The site."""
    actor: Actor | None = None
    """Who acts, unless it is asked for over a socket; None: this process's user."""
    clock: Callable[[], float] = staticmethod(time.time)
    """Seconds since the epoch."""

    def read_only_reason(self) -> str:
        """Return why nothing may be changed here; empty when acts are allowed."""
        raise NotImplementedError
