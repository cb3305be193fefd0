"""What every part of ``Control`` may use of the whole."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.acting import Actor
    from qtool.control.acts.ongoing import OngoingActs
    from qtool.control.shunts.reasons import Reasons
    from qtool.installation import Configuration


class Part:
    """A part of the facade: calls that belong together."""

    configuration: Configuration
    """The site."""
    actor: Actor | None = None
    """Who acts, unless it is asked for over a socket; None: this process's user."""
    clock: Callable[[], float] = staticmethod(time.time)
    """Seconds since the epoch."""

    @cached_property
    def _reasons(self) -> Reasons:
        """Why entries were put aside."""
        from qtool.control.shunts.reasons import Reasons  # few look

        return Reasons(self.configuration)

    @cached_property
    def _ongoing(self) -> OngoingActs:
        """The acts that are under way."""
        from qtool.control.acts.ongoing import OngoingActs  # who looks has none

        return OngoingActs(self.clock)

    def read_only_reason(self) -> str:
        """Return why nothing may be changed here; empty when acts are allowed."""
        raise NotImplementedError

    def on_close(self, end: Callable[[], None]) -> None:
        """Have something done once, when everything has stopped."""
        raise NotImplementedError
