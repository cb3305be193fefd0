"""The facade: everything an operator may see and do, the same for every front end."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from qtool.control.acts.mending import Mending
from qtool.control.audit.history import History
from qtool.control.choosing import runners_of
from qtool.control.doctor.doctoring import Doctoring
from qtool.control.doctor.leaving import Departing
from qtool.control.gate import act
from qtool.control.logring import LogRing
from qtool.control.observer import Observer
from qtool.control.serving.measuring import Measuring
from qtool.control.shunts.shunts import Shunts
from qtool.control.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from qtool.control.acting import Actor
    from qtool.control.models import (
        Board,
        DrainReport,
        Finishing,
        Injected,
        LogLine,
        Site,
        StepReport,
    )
    from qtool.control.rates import Meter
    from qtool.control.watching import LateWatcher
    from qtool.installation import Configuration

log = logging.getLogger("qtool.control")

READ_ONLY = "read-only was asked for"


class Control(Mending, History, Doctoring, Departing, Shunts, Measuring):
    """One site, as its operator sees it and acts on it.

    Every call may come from any thread. Nothing is processed before it is asked
    for, and looking writes nothing. Acts are marked so and pass one gate; they
    raise ``QToolError`` with one line that says why they did not happen. Where a
    ``runner`` is named, ``slice`` is the number of one of its slices, and None
    means all of them.

    Args:
        configuration: The site.
        read_only: Refuse every act.
        actor: Who acts here; None for the user of this process.
        clock: Seconds since the epoch.
        watcher: The observer that the configuration's queues share, to be asked
            how it notices changes, and to be closed at the end.
        ticks: Seconds that never go back, for rates and trends.
        past: Rates and trends from before, by queue.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        read_only: bool = False,
        actor: Actor | None = None,
        clock: Callable[[], float] = time.time,
        watcher: LateWatcher | None = None,
        ticks: Callable[[], float] = time.monotonic,
        past: Mapping[str, Meter] | None = None,
    ) -> None:
        self.configuration = configuration
        self.actor, self.clock = actor, clock
        self._read_only = read_only
        self._watcher = watcher
        self._runners = runners_of(configuration)
        self._survey = Survey(
            configuration,
            self._runners,
            read_only_reason=self.read_only_reason,
            polled=self._polled,
            clock=clock,
            ticks=ticks,
            past=past,
        )
        self._observer: Observer | None = None
        self._callbacks: list[Callable[[Board], None]] = []
        self._board: Board | None = None
        self._on_close: list[Callable[[], None]] = []
        self._lock, self._closing = threading.Lock(), threading.Lock()
        self._log = LogRing()
        self._log.open()

    # --- Looking

    def site(self) -> Site:
        """Return which spool this is, and what may be done there."""
        self._runners.look()
        return self._survey.site()

    def scan(self) -> Board:
        """Read everything afresh and return the board; waits for the disk."""
        for row in self._survey.rows():
            row.read()
        self._runners.look(fresh=True)
        return self._survey.fresh_board()

    @property
    def board(self) -> Board:
        """The latest board; read now if nobody watches."""
        return self._board or self.scan()

    def watch(self, callback: Callable[[Board], None]) -> Callable[[], None]:
        """Call ``callback`` with a board on every change, and at least each second.

        It is called from a thread of its own, until ``close``, or until what this
        returns is called.
        """
        with self._lock:
            self._callbacks.append(callback)
            if self._observer is None:
                self._observer = Observer(self._survey, self._publish)
                self._observer.start()
        return lambda: self._unwatch(callback)

    def log(self, after: int = 0) -> list[LogLine]:
        """Return the log records after the one of that number, as far as kept."""
        return self._log.after(after)

    def step_question(self, runner: str, filebase: str | None = None) -> str | None:
        """Return what to ask the operator before a step; None for nothing.

        Raises:
            Refused: The runner cannot be stepped.
        """
        self.configuration.runner(runner)
        return self._runners.step_question(runner, filebase)

    def finishing(self) -> list[Finishing]:
        """Return the messages that are in hand."""
        return self._runners.finishing()

    def read_only_reason(self) -> str:
        """Return why nothing may be changed here; empty when acts are allowed."""
        return READ_ONLY if self._read_only else self.configuration.writable_reason()

    # --- Acts

    @act
    def start(self, runner: str, slice: int | None = None, waits: bool = False) -> str:  # noqa: A002 - the field's word
        """Start a runner, or have it wait for who holds it; return what happened."""
        return self._runners.act("start", runner, slice, waits=waits)

    @act
    def stop(self, runner: str, slice: int | None = None) -> str:  # noqa: A002
        """Stop a runner after the message in hand; return what happened."""
        return self._runners.act("stop", runner, slice)

    @act
    def restart(self, runner: str, slice: int | None = None) -> str:  # noqa: A002
        """Stop what runs of a runner, and start it again then; return what happened."""
        return self._runners.act("restart", runner, slice)

    @act
    def pause(
        self,
        runner: str,
        slice: int | None = None,  # noqa: A002
        reason: str = "",
        until: float | None = None,
    ) -> str:
        """Pause a runner, whoever runs it, until ``resume``; return what happened.

        Args:
            reason: Why, for people.
            until: When the pause ends by itself, in epoch seconds.
        """
        return self._survey.pausing.pause(runner, slice, reason=reason, until=until)

    @act
    def resume(self, runner: str, slice: int | None = None) -> str:  # noqa: A002
        """Let a paused runner go on; return what happened."""
        return self._survey.pausing.resume(runner, slice)

    @act
    def start_all(self) -> str:
        """Start every runner that is not switched off; return what happened."""
        return self._runners.start_all()

    @act
    def reload(self) -> list[str]:
        """Read the configuration file again; return what changed, a line each."""
        return self._runners.reload()

    @act
    def snooze(self, runner: str, seconds: float) -> str:
        """Change a runner's sleep time until this process ends."""
        return self._runners.snooze(runner, seconds)

    @act
    def step(
        self,
        runner: str,
        filebase: str | None = None,
        slice: int | None = None,  # noqa: A002
    ) -> StepReport:
        """Process one file, the chosen one or the next; waits until it is done.

        Args:
            runner: Who processes it.
            filebase: The file; None is the next, or the one that
                ``step_question`` named.
            slice: The slice whose next file is meant.
        """
        self.configuration.runner(runner)
        return self._runners.step(runner, filebase, slice)

    @act
    def inject(self, queue: str, data: bytes, msgdata: Mapping[str, Any]) -> Injected:
        """Put the bytes of a message into a queue; waits until it is durable."""
        from qtool.control.injecting import inject  # needs the email package

        settings = self.configuration.settings
        return inject(
            self.configuration.switchboards[queue],
            data,
            msgdata,
            kind=settings.kind,
            served=self._runners.is_served(settings.runners[queue]),
        )

    @act
    def drain(self, runners: tuple[str, ...] = ()) -> DrainReport:
        """Let runners process until nothing is ready; waits for that.

        Args:
            runners: Which, as ``NAME`` or ``NAME:slice:range``; all without any.
        """
        from qtool.control.verdicts.drained import on_record
        from qtool.installation.specs import named  # a console drains nothing

        parts = named(self.configuration, runners)
        return on_record(self, lambda: self._runners.drain(parts))

    # --- The end

    def close(self, *, unclaim: bool = False) -> None:
        """Stop all runners after the messages in hand, and watch no more.

        Args:
            unclaim: Give the messages in hand back and do not wait. May be called
                while another thread waits here.
        """
        self._runners.close(unclaim=unclaim)
        with self._closing:  # whoever comes second waits until all is done
            with self._lock:
                observer, self._observer = self._observer, None
                endings, self._on_close = self._on_close, []
            if observer is not None:
                observer.close()
            if self._watcher is not None:
                self._watcher.close()
            self._log.close()
            for end in endings:
                end()

    def on_close(self, end: Callable[[], None]) -> None:
        """Have something done once, when everything has stopped."""
        self._on_close.append(end)

    # --- Behind the scenes

    def _unwatch(self, callback: Callable[[Board], None]) -> None:
        with self._lock:
            self._callbacks = [c for c in self._callbacks if c is not callback]
            if self._observer is not None and not self._callbacks:
                self._observer.close()
                self._observer = self._board = None

    def _publish(self, board: Board) -> None:
        self._board = board
        for callback in tuple(self._callbacks):
            try:
                callback(board)
            except Exception:
                self._callbacks.remove(callback)
                log.exception("a board could not be shown, and no other will be")

    def _polled(self) -> Collection[str] | None:
        if self._watcher is not None:
            return self._watcher.polled
        return None if self._observer is None else ()
