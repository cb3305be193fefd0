"""When ``qtool run --until-empty`` may leave: nothing waits and nothing is in flight.

It is what a path unit starts; see ``qtool.commands.unit_files``, which watches for just
the entries that keep it here. So it stays while a message rests or has failed to
move on, and whoever starts it again has a new one to process.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.models import Board
    from qtool.settings import RunnerSettings, Settings

LINGER_SECONDS = 5.0
"""Empty for so long, it leaves: a start costs more than a while of waiting."""


def started(settings: Settings) -> tuple[RunnerSettings, ...]:
    """Return the runners that ``qtool run`` starts and that have a queue."""
    return tuple(
        runner
        for runner in settings.runners.values()
        if runner.served and runner.start and runner.instances
        and runner.class_path and not runner.foreign
        and runner.queue_directory is not None
    )  # fmt: skip


class Emptying:
    """Looks at boards, and calls ``leave`` once after the last message.

    Args:
        queues: Names of the queues that have to be empty.
        leave: What to call.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        queues: frozenset[str],
        leave: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queues = queues
        self._leave = leave
        self._clock = clock
        self._since: float | None = None
        self._left = False

    def see(self, board: Board) -> None:
        """Take notice of a board; one that cannot be read is not empty."""
        rows = [row for row in board.rows if row.name in self._queues]
        now = self._clock()
        if self._left or any(row.depth != 0 or row.in_flight for row in rows):
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since >= LINGER_SECONDS:
            self._left = True
            self._leave()
