"""The console's own engine, in a process of its own that ends with the console."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtool.control.choosing import runners_of
from qtool.control.control import Control
from qtool.control.models import ENGINE_GONE
from qtool.control.pace import Pace
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.sockets import FINISH, GIVE_BACK, Peer, handed_over
from qtool.control.survey import Survey
from qtool.engine.elsewhere import log_record
from qtool.errors import Refused, Unreachable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from qtool.control.acting import Actor
    from qtool.control.logring import LogRing
    from qtool.control.models import LogLine, Site
    from qtool.control.serving.calls import Call
    from qtool.engine.spawned import Spawned
    from qtool.installation import Configuration

_FIRST_SECONDS = 0.3
"""How long the engine's boards wait, at most, for what is seen from here."""
_REAPING_SECONDS = 0.2
"""Its connections end a moment before the system says how it has ended."""
_STARTS_A_SECOND, _BURST_STARTS = 0.2, 3.0
"""How often an engine that ends again and again is started for long, and at once."""
_GIVING_BACK_SECONDS = 8.0
"""How long the end waits, at most, for messages to be given back."""

log = logging.getLogger("qtool.control")


class EngineLink(Link):
    """Speaks to an engine over the socket that it was spawned with.

    Where it has died, the next who asks for anything has another one started.

    Args:
        configuration: The site.
        spawn: Starts an engine.

    Raises:
        Refused: No process can be started.
    """

    who = "this console's engine"

    def __init__(
        self, configuration: Configuration, spawn: Callable[[], Spawned]
    ) -> None:
        root = configuration.settings.queue_root
        super().__init__(root, root)
        self._spawn = spawn
        self._starts = Pace(_STARTS_A_SECOND, _BURST_STARTS)
        self._lock = threading.Lock()
        self._is_over = self._is_closed = self._is_mourned = False
        self._engine = self._started()

    def connect(self) -> tuple[socket.socket, Peer]:
        """Return a connection, and who is at the other end.

        Raises:
            Unreachable: It has ended, and the next has not been started yet.
        """
        with self._lock:
            if not self._engine.is_alive:
                self._replace()
            engine = self._engine
        try:
            connection = handed_over(engine.end)
        except OSError as error:
            raise Unreachable(f"{self.who} went away: {error.strerror}") from error
        return connection, _peer(engine)

    def peer(self) -> Peer:
        """Return who is there, without asking it for anything."""
        return _peer(self._engine)

    def mourn(self) -> bool:
        """Have the log say once that it has died; return whether it is missed."""
        with self._lock:
            if self._is_over:
                return False
            if self._engine.wait(_REAPING_SECONDS):
                self._mourn()
            return True

    def end(self, *, unclaim: bool) -> None:
        """Have it end, and wait for that.

        Args:
            unclaim: Have it give back the messages in hand. May be called while
                another thread waits here.

        Raises:
            Unreachable: It did not end as it should.
        """
        with self._lock:
            self._is_over, was_alive = True, self._engine.is_alive
        with suppress(OSError):  # it has ended already
            self._engine.end.send(GIVE_BACK if unclaim else FINISH)
        if not self._engine.wait(_GIVING_BACK_SECONDS if unclaim else None):
            self._engine.kill()
            self._engine.wait()
        with self._lock:
            if self._is_closed:
                return  # another thread has waited, too
            self._is_closed = True
            told = self._told() if was_alive and self._engine.status else ""
            self._engine.close()
        if told:
            raise Unreachable(told)

    def _mourn(self) -> None:
        if not self._is_mourned:
            self._is_mourned = True
            log_record(
                log, logging.ERROR,
                f"{self._told()}; the next one comes with its runners stopped",
                self._engine.last_words(),
            )  # fmt: skip

    def _told(self) -> str:
        """Return in a line how it has ended."""
        return f"{self.who}, pid {self._engine.pid}, {self._engine.ending()}"

    def _replace(self) -> None:
        if self._is_over:
            raise Unreachable(f"{self.who} has ended")
        self._mourn()
        if time.monotonic() < self._starts.allowed_at:
            raise Unreachable(f"{self.who} has ended; the next one starts in a moment")
        former, self._engine = self._engine, self._started()
        former.close()
        self._is_mourned = False

    def _started(self) -> Spawned:
        try:
            engine = self._spawn()
        except OSError as error:
            raise Refused(
                f"the engine's process cannot be started: {error.strerror}"
            ) from error
        self._starts.spend(time.monotonic(), 1.0)
        return engine


def _peer(engine: Spawned) -> Peer:
    return Peer(pid=engine.pid, uid=os.geteuid(), gid=os.getegid())


class Private(Attached):
    """One site, whose engine is in a process that ends with this one.

    All acts are done there. What is in a queue is read here. The engine comes up
    when it is asked for something first.

    Args:
        configuration: The site.
        ring: Holds what this process logs; is closed with this.
        spawn: Starts an engine.
        actor: Who acts here; the engine is told by ``spawn``.

    Raises:
        Refused: No process can be started.
    """

    entries, names, entry = Control.entries, Control.names, Control.entry
    audit = Control.audit

    def __init__(
        self,
        configuration: Configuration,
        ring: LogRing,
        spawn: Callable[[], Spawned],
        actor: Actor | None = None,
    ) -> None:
        self.actor = actor
        self._engine = EngineLink(configuration, spawn)
        super().__init__(configuration, self._engine, read_only=False)
        self._ring = ring
        self._heard_here = 0
        self._has_answered = False
        self._is_seen = threading.Event()

    def wake(self) -> None:
        """Have the engine come up, without waiting for it."""
        connection, _ = self._engine.connect()
        connection.close()

    def _ask(self, call: Call, *args: object, **kwargs: object) -> Any:
        answer = super()._ask(call, *args, **kwargs)
        self._has_answered = True
        return answer

    def log(self, after: int = 0) -> list[LogLine]:
        """Return the log records after the one of that number, as far as kept.

        While this is watched those of the engine are among them.
        """
        for line in self._ring.after(self._heard_here):
            self._heard_here = line.number
            self._keep(line)
        return self._kept(after)

    def _seen_from_here(self, site: Site) -> Site:
        return replace(site, source=self.configuration.settings.source)

    # --- Watching

    def _watch(self) -> None:
        """Watch the engine; what can be seen without it comes before it is up."""
        if not self._has_answered:
            look = threading.Thread(target=self._look, name="qtool-look", daemon=True)
            look.start()
            self._is_seen.wait(_FIRST_SECONDS)
        super()._watch()

    def _look(self) -> None:
        """Publish a board that is seen from here, if the engine's is not there yet."""
        survey = Survey(
            self.configuration,
            runners_of(self.configuration),
            read_only_reason=self.read_only_reason,
            polled=lambda: None,
        )
        for row in survey.rows():
            row.read()
        survey.runners.look(quick=True)
        if self._board is None:
            self._publish(survey.board())
        self._is_seen.set()

    def _show_gone(self, gone: str = ENGINE_GONE) -> None:
        if self._engine.mourn():
            super()._show_gone(gone)

    # --- The end

    def close(self, *, unclaim: bool = False) -> None:
        """Have the engine finish the messages in hand and end; watch no more.

        Args:
            unclaim: Give the messages in hand back. May be called while another
                thread waits here.

        Raises:
            Unreachable: The engine did not end as it should.
        """
        try:
            self._engine.end(unclaim=unclaim)
        finally:
            super().close()
            self._ring.close()
