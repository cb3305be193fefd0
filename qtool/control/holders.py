"""Who else holds the slices of our runners, by their claims."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.errors import QToolError
from qtool.queues.slices import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from qtool.installation import Configuration
    from qtool.settings import RunnerSettings

_SECONDS = 1.0
"""How old the answer may be: a lock that dies with its process tells no news."""


class Holders:
    """Slices that are claimed, but not by this master."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._held: dict[tuple[str, int], str] = {}
        self._looked_at = float("-inf")

    def look(
        self,
        ours: Mapping[str, Collection[int]],
        look_again: Callable[[], Mapping[str, Collection[int]]],
        *,
        fresh: bool,
    ) -> None:
        """Ask about every slice that is not ours.

        Args:
            ours: Which are at work here, by the runner's name.
            look_again: Returns that as it is then.
            fresh: Also where it was asked a moment ago.
        """
        now = time.monotonic()
        if not fresh and now - self._looked_at < _SECONDS:
            return
        self._looked_at = now
        held = {
            (name, number): who
            for name, settings in self._configuration.settings.runners.items()
            if settings.served
            for number, who in self._of(settings, ours.get(name, ())).items()
        }
        after = look_again() if held else {}  # one of them may just have begun
        self._held = {
            key: who for key, who in held.items() if key[1] not in after.get(key[0], ())
        }

    def get(self, runner: str, number: int) -> str:
        """Return ``pid ...``, as of the last ``look``; empty for nobody."""
        return self._held.get((runner, number), "")

    def _of(self, settings: RunnerSettings, ours: Collection[int]) -> dict[int, str]:
        queue = self._configuration.switchboards.get(settings.name)
        if queue is None or len(ours) >= settings.instances:
            return {}
        try:
            if queue.for_slice(whole()).holder() is None:
                return {}
            holders = {
                part.number: queue.for_slice(part).holder()
                for part in self._configuration.slices(settings.name)
                if part.number not in ours
            }
        except (QToolError, OSError):
            return {}  # where no claim can stand, nobody holds one
        return {n: str(held) for n, held in holders.items() if held}
