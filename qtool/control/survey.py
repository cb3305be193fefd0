"""The whole site at a glance: every queue's row, kept in step with the settings."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.models import Board, Site
from qtool.control.pausing import Pausing
from qtool.control.places import held, place
from qtool.control.rows import Row
from qtool.control.verdicts.disk import disk_of, is_there, judge_disk, spool_gone
from qtool.control.verdicts.drained import Drains
from qtool.control.verdicts.glance import with_retries
from qtool.queues.strays import strays

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from qtool.control.models import Verdict
    from qtool.control.rates import Meter
    from qtool.control.standing import Runners, Standing
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard
    from qtool.settings import RunnerSettings, Settings

_MOST_NAMED = 2
"""How many of the queues that are polled the header has room for; the log has all."""
_RIGHTS_SECONDS = 5.0
"""How old the answers may be to whether anything may be changed, and what fits."""


class Survey:
    """Reads queues into rows, and puts rows together into a board.

    Args:
        configuration: The site.
        runners: Whoever works there.
        read_only_reason: Why nothing may be changed; empty when acts are allowed.
        polled: Folders whose changes make no events; None while nobody watches.
        clock: Seconds since the epoch.
        ticks: Seconds that never go back.
        past: Rates and trends from before, by queue.
    """

    def __init__(
        self,
        configuration: Configuration,
        runners: Runners,
        *,
        read_only_reason: Callable[[], str],
        polled: Callable[[], Collection[str] | None],
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        past: Mapping[str, Meter] | None = None,
    ) -> None:
        self.runners = runners
        self.pausing = Pausing(configuration, runners, clock)
        self._configuration = configuration
        self._drains = Drains(configuration.state_directory)
        self._read_only_reason = read_only_reason
        self._polled = polled
        self._clock = clock
        self._ticks = ticks
        self._past = past or {}
        self._rows: dict[str, Row] = {}
        self._settings: Settings | None = None
        self._was_there = False
        self._rights: tuple[float, str, Verdict | None] = (float("-inf"), "", None)
        self._lock = threading.RLock()

    def rows(self) -> Sequence[Row]:
        """Return the rows in the order of the configuration, as it is now."""
        with self._lock:
            settings = self._configuration.settings
            if settings is not self._settings:
                self._follow(settings)
            return list(self._rows.values())

    def board(self) -> Board:
        """Return the board as of the last readings."""
        now, at = self._ticks(), self._clock()
        shown = [
            row.shown(self._standing(row.settings), now, at) for row in self.rows()
        ]
        if self.runners.mailman:
            shown = [with_retries(row, shown) for row in shown]
        return Board(at=at, rows=tuple(shown), site=self.site())

    def fresh_board(self) -> Board:
        """Return the board, with what is only looked for now and then."""
        settings, board = self._configuration.settings, self.board()
        if settings.source.startswith("--root "):
            return board  # each folder is a queue
        folders = [r.queue_directory for r in settings.runners.values()]
        found = strays(settings.queue_root, [each for each in folders if each])
        return replace(board, site=replace(board.site, strays=found))

    def measure(self) -> None:
        """Let all rates and trends go on to now."""
        now, polled = self._ticks(), self._polled() or ()
        for row in self.rows():
            standing = self._standing(row.settings)
            row.measure(standing, now, blind=row.folder in polled)

    def site(self) -> Site:
        """Return which spool this is, and what may be done there."""
        settings = self._configuration.settings
        now = time.monotonic()
        at, reason, verdict = self._rights
        if now - at >= _RIGHTS_SECONDS:
            reason = self._read_only_reason()
            verdict = judge_disk(disk_of(settings.queue_root))
            self._rights = now, reason, verdict
        return Site(
            spool=str(settings.queue_root),
            source=settings.source,
            kind=str(settings.kind),
            read_only=reason,
            watching=self._watching(),
            mailman=self.runners.mailman,
            verdict=self._gone(settings.queue_root) or verdict,
        )

    def _gone(self, root: Path) -> Verdict | None:
        """Return that the spool is not there, where it was, or has to be."""
        if is_there(root):
            self._was_there = True
        elif self._was_there:
            return spool_gone(f"{root} was there, and is no more")
        elif self.runners.mailman.startswith("Mailman ("):
            return spool_gone(f"Mailman runs, and {root} is not there")
        return None

    def _standing(self, settings: RunnerSettings) -> Standing:
        standing = self.pausing.shown(settings, self.runners.standing(settings))
        drained = self._drains.of(settings.name)
        return replace(standing, drained=drained) if drained else standing

    def _watching(self) -> str:
        """Return how changes are noticed, and of which queues if they differ."""
        polled = self._polled()
        if polled is None:
            return ""
        queues = [row for row in self.rows() if row.queue is not None]
        names = [row.settings.name for row in queues if row.folder in polled]
        if not names:
            return "events"
        if len(names) == len(queues):
            return "polling"
        more = len(names) - _MOST_NAMED
        listed = ", ".join(names[:_MOST_NAMED])
        return f"polling {listed}{f' and {more} more' if more > 0 else ''}"

    def _follow(self, settings: Settings) -> None:
        """Have a row for each runner that is configured now."""
        before, self._rows, self._settings = self._rows, {}, settings
        for name, runner in settings.runners.items():
            queue = self._configuration.switchboards.get(name)
            kept = before.pop(name, None)
            if kept is not None and _is_same(kept, runner, queue):
                self._rows[name] = kept
                continue
            if kept is not None:
                _forget(kept)
            meter = self._past.get(name)
            aside = queue and place(self._configuration, held(name))
            self._rows[name] = Row(runner, queue, settings.view_slices, meter, aside)
        for row in before.values():
            _forget(row)


def _is_same(row: Row, settings: RunnerSettings, queue: Switchboard | None) -> bool:
    return row.settings == settings and row.queue is queue


def _forget(row: Row) -> None:
    if row.stop_watching is not None:
        row.stop_watching()
