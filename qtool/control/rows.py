"""One row of the board, put together from what was read and how its runner stands."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.models import Cell, QueueRow, State
from qtool.control.rates import LONG_SECONDS, SHORT_SECONDS, Meter
from qtool.control.unattended import unattended_line
from qtool.control.verdicts.cases import Facts
from qtool.control.verdicts.progress import AT_WORK, NOBODY, Part, Progress, parts_of
from qtool.control.verdicts.verdicts import LONG_SECONDS as WAITS_LONG_SECONDS
from qtool.control.verdicts.verdicts import judge
from qtool.control.views import view_of
from qtool.queues.slices import equal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qtool.control.standing import Standing
    from qtool.queues.signs import Signs
    from qtool.queues.switchboard import Hint, QueueScan, Switchboard
    from qtool.settings import RunnerSettings

_WHOLE = equal(1)
_RESTING = NOBODY - {State.FAILED, State.IMPORT_ERROR}
"""Where a runner is to be that cannot work, nobody comes now and then."""
_GAP_SECONDS = 15.0
"""Measured longer ago than this, what was counted says nothing any more."""


class Row:
    """What is known about one queue, or of one runner that manages none.

    Args:
        settings: The runner's section.
        queue: Its queue; None for a runner that manages none.
        view_slices: How many cells there are, at least.
        meter: Its rates and trend from before; None begins new ones.
        held: Where an operator holds entries of the queue.
    """

    def __init__(
        self,
        settings: RunnerSettings,
        queue: Switchboard | None,
        view_slices: int,
        meter: Meter | None = None,
        held: Switchboard | None = None,
    ) -> None:
        self.settings = settings
        self.queue = queue
        self.seconds = 0.0
        """What reading the queue takes, where it has changed since the last time."""
        self.is_read = queue is None
        """Whether the queue was read at least once."""
        self.dirty = True
        """Whether something hinted at a change since the last reading began."""
        self.stop_watching: Callable[[], None] | None = None
        self._slices = settings.instances if settings.served else 0
        proportions = settings.proportions if settings.served else ()
        self._view = view_of(proportions, view_slices)
        self._scan: QueueScan | None = None
        self._held, self._held_count = held, 0
        self._error = ""
        self._seen: Path | None = None
        """Its folder, or the one that it is in, whichever was there."""
        self._meter = meter
        self._progress = Progress()
        self._measured_at: float | None = None
        self._lock = threading.Lock()
        self._arrived = self._departed = 0
        self._counted = True
        self._departed_before: int | None = None
        self._cells: tuple[object, object, tuple[Cell, ...]] = (None, None, ())

    @property
    def folder(self) -> str:
        """The queue's folder; empty where there is no queue."""
        return "" if self.queue is None else str(self.queue.queue_directory)

    # --- Reading

    def read(self) -> bool:
        """Read the queue's names; return whether they say something else now."""
        if self.queue is None:
            return False
        self.dirty = False
        began = time.perf_counter()
        before = self._scan, self._held_count, self._error, self.is_read
        try:
            scan = self.queue.scan(self._view.parts)
            gone = self._gone(self.queue.queue_directory, scan)
            self._scan, self._error = None if gone else scan, gone
            if self._held is not None:
                with suppress(PermissionError):  # a stranger may see the queue alone
                    self._held_count = self._held.scan(_WHOLE).depth
        except OSError as error:
            self._scan, self._error = None, error.strerror or str(error)
        if self._scan is None or self._scan is not before[0]:  # no kept answer
            self.seconds = time.perf_counter() - began
        self.is_read = True
        return before != (self._scan, self._held_count, self._error, True)

    def _gone(self, folder: Path, scan: QueueScan) -> str:
        """Return that the folder is gone, or the one that it is in; else empty.

        A queue that nothing was ever put into has none.
        """
        if scan.depth or scan.in_flight or folder.exists():
            self._seen = folder
        elif self._seen is not None and not self._seen.exists():
            return f"its folder is gone: {folder}"
        elif self._seen is None and folder.parent.exists():
            self._seen = folder.parent
        return ""

    def note(self, hint: Hint) -> None:
        """Take a hint; the counts in it are for the rates."""
        with self._lock:
            self._arrived += hint.arrived
            self._departed += hint.departed
            self._counted = self._counted and hint.counted
            self.dirty = True

    def measure(self, standing: Standing, now: float, *, blind: bool) -> None:
        """Let rates and trend go on to ``now``.

        Args:
            standing: How its runner stands.
            now: On a clock that never goes back.
            blind: Whether changes make no events at present.
        """
        if self.queue is None:
            return
        if self._meter is None:
            self._meter = Meter(now)
        if not self._is_measured(now):
            self._meter.begin_again(now)
            self._progress = Progress()
        self._measured_at = now
        with self._lock:
            arrived, departed, counted = self._arrived, self._departed, self._counted
            self._arrived = self._departed = 0
            self._counted = True
        counted = counted and not blind
        self._meter.arrivals.add(now, arrived, known=counted)
        before, self._departed_before = self._departed_before, standing.departed
        if before is not None and standing.departed is not None:
            self._meter.departures.add(now, max(0, standing.departed - before))
        else:
            self._meter.departures.add(now, departed, known=counted)
        if self._scan is not None:
            self._meter.sample(now, self._scan.depth)
            self._progress.see(parts_of(self._scan, self._view, standing), now)

    def _is_measured(self, now: float) -> bool:
        """Return whether somebody has watched without a gap until now."""
        at = self._measured_at
        return at is None or now - at <= _GAP_SECONDS

    # --- Showing

    def shown(self, standing: Standing, now: float, at: float) -> QueueRow:
        """Return the row as of the last reading and measuring, judged.

        Args:
            standing: How its runner stands.
            now: On a clock that never goes back.
            at: The same moment in epoch seconds.
        """
        row = self._measured(self._told(standing, at), now)
        parts = parts_of(self._scan, self._view, standing) if self._scan else ()
        watched, lately, signs = 0.0, None, None
        if self._meter is not None and self._is_measured(now):
            parts = self._progress.told(parts, now)
            watched = self._meter.arrivals.watched(now)
            lately = self._meter.arrived_lately(now)
        elif _is_late(parts, at):
            signs = self._signs()
        facts = Facts(
            row=row, parts=parts, at=at, watched_seconds=watched, arrived_lately=lately,
            paused_since=standing.paused_since, drained=standing.drained,
            signs=signs, process=standing.process if self._slices == 1 else None,
        )  # fmt: skip
        verdicts, slices = judge(facts)
        return replace(row, verdicts=verdicts, slice_verdicts=slices)

    def _signs(self) -> Signs | None:
        """Return what the queue tells of itself in one look."""
        if self.queue is None or self.settings.idle_when:  # it may mean to rest
            return None
        with suppress(OSError):
            return self.queue.signs()
        return None

    def _told(self, standing: Standing, at: float) -> QueueRow:
        """Return all of the row but rates and verdicts."""
        settings, scan, meter = self.settings, self._scan, self._meter
        state, note, trouble = standing.state, standing.note, standing.traceback
        cells = self._shown_cells(scan, standing) if scan else ()
        drained = _drained(standing, at)
        if not standing.paused:  # which is reason enough
            line = unattended_line(cells)
            note = "; ".join(filter(None, (note, line and (drained or line))))
        if self._error:
            state, note, trouble = State.UNREADABLE, self._error, ""
        return QueueRow(
            name=settings.name,
            has_queue=self.queue is not None,
            runner=standing.runner,
            runner_slices=self._slices,
            cells=cells,
            depth=scan.depth if scan else None,
            in_flight=scan.in_flight if scan else None,
            oldest=scan.oldest if scan else None,
            honours_due=settings.honours_due,
            preserved=scan.preserved if scan else 0,
            foreign=scan.foreign if scan else 0,
            held=self._held_count,
            when_p50=scan.when_p50 if scan and not settings.honours_due else None,
            when_p95=scan.when_p95 if scan and not settings.honours_due else None,
            trend=meter.trend.depths() if meter else (),
            state=state,
            note=note,
            traceback=trouble,
            paused=standing.paused,
            drained=drained,
            running=standing.running,
            snooze_seconds=standing.snooze_seconds,
            snooze_fixed=standing.snooze_fixed,
            waits=standing.waits,
            refusal=standing.refusal,
            step_refusal=self._step_refusal(standing),
            sends_mail=standing.sends_mail,
        )

    def _measured(self, row: QueueRow, now: float) -> QueueRow:
        """Return the row with its rates, where they were counted until now."""
        meter = self._meter
        if meter is None or not self._is_measured(now):
            return row
        into, out = meter.arrivals.rate, meter.departures.rate
        return replace(
            row, rate_in=into(now), rate_out=out(now),
            rate_in_5s=into(now, SHORT_SECONDS), rate_out_5s=out(now, SHORT_SECONDS),
            rate_in_5m=into(now, LONG_SECONDS), rate_out_5m=out(now, LONG_SECONDS),
        )  # fmt: skip

    def _step_refusal(self, standing: Standing) -> str:
        if self.queue is None and not standing.step_refusal:
            return f"{self.settings.name} manages no queue: it has no file to step"
        return standing.step_refusal

    def _shown_cells(self, scan: QueueScan, standing: Standing) -> tuple[Cell, ...]:
        read, states, cells = self._cells
        if read is scan and states == standing.slices:
            return cells
        cells = tuple(
            Cell(
                depth=part.depth,
                in_flight=part.in_flight,
                oldest=part.oldest,
                owner=(owner := self._view.owner(number)),
                state=standing.slices[owner]
                if owner < len(standing.slices)
                else standing.state,
            )
            for number, part in enumerate(scan.slices)
        )
        self._cells = scan, standing.slices, cells
        return cells


def _is_late(parts: tuple[Part, ...], at: float) -> bool:
    """Return whether names tell of a message that somebody lets wait for long."""
    oldest = [
        min(part.oldest or at, part.oldest_taken or at)
        for part in parts
        if part.state in AT_WORK
    ]
    return at - min(oldest, default=at) >= WAITS_LONG_SECONDS


def _drained(standing: Standing, at: float) -> str:
    """Return how the queue is drained while nobody works there; empty if it is not."""
    found = standing.drained if standing.state in _RESTING else None
    return "" if found is None or found.is_overdue(at) else found.told(at)
