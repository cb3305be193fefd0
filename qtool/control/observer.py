"""The thread that keeps the board up to date while somebody looks at it.

A hint makes it read the queue at once; where hints keep coming it reads at a pace
in proportion to what reading costs, so that a queue of a million files takes a
fifth of a processor and not all of it. Every second it looks at all folders'
times, whoever does or does not hint, and publishes a board in any case.
"""

from __future__ import annotations

import logging
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING

from qtool.control.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.models import Board
    from qtool.control.rows import Row
    from qtool.control.survey import Survey
    from qtool.queues.switchboard import Hint

TICK_SECONDS = 1.0
_FIRST_SECONDS = 0.3
"""How long the first board waits for queues that take long to read."""
_SLOW_SECONDS = 0.05
"""A queue that takes longer to read is read apart, and holds up no other."""
_ROW_SHARE, _SHARE, _BURST_SECONDS = 0.2, 0.25, 0.15
"""How much of the time reading one queue may take, and reading all of them."""
_BOARDS_A_SECOND, _BURST_BOARDS = 8.0, 4.0
"""How many boards may follow for long, and at once: no eye sees more."""

log = logging.getLogger("qtool.control")


class Observer:
    """Publishes boards from a thread of its own.

    Args:
        survey: What is observed.
        publish: Gets each board, in the observer's thread.
    """

    def __init__(self, survey: Survey, publish: Callable[[Board], None]) -> None:
        self._survey = survey
        self._publish = publish
        self._news = False
        self._over = False
        self._wake = threading.Condition()
        self._boards = Pace(_BOARDS_A_SECOND, _BURST_BOARDS)
        self._reading = Pace(_SHARE, _BURST_SECONDS)
        self._next_tick = time.monotonic() + TICK_SECONDS
        self._paces: dict[Row, Pace] = {}
        self._apart: SimpleQueue[Row | None] = SimpleQueue()
        self._busy: set[Row] = set()
        """Rows that are read apart, or wait for it."""
        self._stop_listening: Callable[[], None] = lambda: None
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for name, target in (
                ("qtool-observer", self._run),
                ("qtool-reader", self._read_apart),
            )
        ]

    def start(self) -> None:
        """Begin; the first board comes as soon as every queue has been read."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End; no board is published after this returns."""
        with self._wake:
            self._over = True
            self._wake.notify_all()
        self._apart.put(None)
        if threading.current_thread() is not self._threads[0]:
            self._threads[0].join()
        self._stop_listening()
        for row in self._survey.rows():
            stop, row.stop_watching = row.stop_watching, None
            if stop is not None:
                stop()

    # --- News

    def _hinted(self, row: Row, hint: Hint) -> None:
        row.note(hint)
        with self._wake:
            self._wake.notify_all()

    def _changed(self) -> None:
        with self._wake:
            self._news = True
            self._wake.notify_all()

    # --- The observer's thread

    def _run(self) -> None:
        self._first()
        while self._wait():
            self._turn()

    def _first(self) -> None:
        rows = self._survey.rows()
        for row in rows:
            self._send_apart(row)
        self._survey.runners.look(quick=True)
        with self._wake:
            self._wake.wait_for(
                lambda: self._over or all(row.is_read for row in rows), _FIRST_SECONDS
            )
        self._show()
        self._stop_listening = self._survey.runners.on_change(self._changed)
        self._survey.pausing.changed = self._changed
        for row in rows:
            self._watch(row)
        self._next_tick = time.monotonic()  # what came before the watch began

    def _wait(self) -> bool:
        """Wait until the next turn is due; return False when there is none."""
        with self._wake:
            while not self._over:
                seconds = self._due() - time.monotonic()
                if seconds <= 0:
                    return True
                self._wake.wait(seconds)
            return False

    def _due(self) -> float:
        due = self._next_tick
        for row in self._survey.rows():
            if row.dirty and row.queue is not None and row not in self._busy:
                due = min(due, self._pace(row).allowed_at)
        if self._news:
            due = 0.0
        allowed_at = max(self._boards.allowed_at, self._reading.allowed_at)
        return min(self._next_tick, max(due, allowed_at))

    def _pace(self, row: Row) -> Pace:
        return self._paces.setdefault(row, Pace(_ROW_SHARE, _BURST_SECONDS))

    def _turn(self) -> None:
        began = time.monotonic()
        is_tick = began >= self._next_tick
        if is_tick:
            self._next_tick = began + TICK_SECONDS
        changed, self._news = self._news or is_tick, False
        self._survey.runners.look()
        for row in self._survey.rows():
            self._watch(row)
            if row.dirty or is_tick:
                changed |= self._read(row, began)
        if changed:
            self._show()
        ended = time.monotonic()
        self._boards.spend(ended, 1.0)
        self._reading.spend(ended, ended - began)

    def _watch(self, row: Row) -> None:
        if row.queue is not None and row.stop_watching is None:
            try:
                row.stop_watching = row.queue.watch(
                    lambda hint: self._hinted(row, hint)
                )
            except OSError as error:
                log.warning("%s is not watched: %s", row.settings.name, error)
                row.stop_watching = lambda: None

    def _read(self, row: Row, now: float) -> bool:
        """Read a queue, if its turn has come; return whether it has changed."""
        if row in self._busy or now < self._pace(row).allowed_at:
            return False
        if row.seconds > _SLOW_SECONDS:
            self._send_apart(row)
            return False
        return self._paced(row)

    def _paced(self, row: Row) -> bool:
        """Read a queue and count the time; return whether it has changed."""
        began = time.monotonic()
        changed = row.read()
        ended = time.monotonic()
        self._pace(row).spend(ended, ended - began)
        return changed

    def _show(self) -> None:
        self._survey.measure()
        board = self._survey.board()
        if not self._over:
            self._publish(board)

    # --- The thread for what takes long

    def _send_apart(self, row: Row) -> None:
        if row.queue is not None:
            self._busy.add(row)
            self._apart.put(row)

    def _read_apart(self) -> None:
        while (row := self._apart.get()) is not None:
            if self._over:
                return
            changed = self._paced(row)
            self._busy.discard(row)
            if changed:
                self._changed()
