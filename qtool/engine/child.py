"""The process of one runner slice: it does what its master asks, and tells of it.

The runner has a thread of its own, as it has in a master that runs threads. The main
thread listens: to the master, and to SIGTERM. When the master has gone, however that
went, the runner finishes its message in hand, and the process ends.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from qtool.engine.charge import QUICK, SLOW, Charge, failed
from qtool.engine.hand import GivenBack
from qtool.engine.leaving import leave_within
from qtool.engine.lines import WIRE, Beginning, Line, Logged
from qtool.engine.shunting import one_line, traceback_text
from qtool.errors import QToolError, RunnerError
from qtool.wire import dumped, dumped_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.lines import Said

NICENESS = {"high": -5, "normal": 0, "low": 5}
"""Steps of five are a ratio of 3 : 1, as between the shares of threads."""
_SETTLING_SECONDS = 5.0
"""How long giving up waits for a runner that settles its message."""
_LEAVING_SECONDS = 1.0
_ENDS = frozenset({"stop", "give_up"})
"""What may be asked of a runner that may never be made."""
_LONGEST_SECONDS = 3600.0
"""Of one wait: the system counts no more than some days of milliseconds."""


def main(number: str, name: str) -> None:  # noqa: ARG001 - see ``ChildProcess``
    """Be a runner until it ends, or until nobody wants it any more.

    Args:
        number: Of the descriptor of the socket to the master.
        name: For lists of processes.
    """
    descriptor = int(number)
    os.set_inheritable(descriptor, False)
    line = Line(socket.socket(fileno=descriptor))
    said: list[Said] = []
    while not said:
        heard = line.heard()
        if heard is None:
            return
        said = heard
    Child(line, said[0], said[1:]).serve()
    leave_within(_LEAVING_SECONDS)


class Child:
    """One runner and its master's wishes.

    Args:
        line: To the master.
        first: What the master said first.
        further: What it has said after that.
    """

    def __init__(self, line: Line, first: Said, further: list[Said]) -> None:
        self._line = line
        self._unheard = further
        self._beginning: Beginning = WIRE.loaded(Beginning, first["begin"])
        self._charge = Charge(self._beginning, first["settings"])
        self._seen = 0
        self._answering: list[threading.Thread] = []
        self._telling = threading.Lock()
        self._over = threading.Event()
        self._leave_at, self._is_given_up, self._terms = inf, False, 0
        self._alarm, self._bell = socket.socketpair()
        for end in (self._alarm, self._bell):
            end.setblocking(False)

    def serve(self) -> None:
        """Have the runner work; return when the process is to end."""
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        self._settle_in()
        threading.Thread(target=self._work, name="qtool-runner", daemon=True).start()
        with selectors.PollSelector() as sources:
            for source in (self._alarm, self._line):
                sources.register(source, selectors.EVENT_READ)
            while not self._over.is_set() and self._may_stay():
                left = min(self._leave_at - time.monotonic(), _LONGEST_SECONDS)
                ready = [key.fileobj for key, _ in sources.select(max(0.0, left))]
                if self._alarm in ready:
                    self._rung(self._alarm.recv(4096))
                if self._line in ready and not self._listen():
                    sources.unregister(self._line)
                    self._orphaned()
                self._do_unheard()
        by = time.monotonic() + _LEAVING_SECONDS
        for each in self._answering:  # what has been done is told, too
            each.join(max(0.0, by - time.monotonic()))

    def say(self, **said: Any) -> None:
        """Tell the master something, if it is still there."""
        with suppress(OSError):
            self._line.say(**said)

    def _settle_in(self) -> None:
        beginning = self._beginning
        sys.path[:] = beginning.path
        log = logging.getLogger("qtool")
        log.setLevel(beginning.log_level)
        log.addHandler(_Teller(self.say))
        runner = self._charge.config.settings.runners.get(beginning.name)
        with suppress(PermissionError):
            # Threads that begin later have it from this one.
            os.nice(NICENESS[runner.priority] if runner is not None else 0)

    # --- The runner's thread

    def _work(self) -> None:
        failure: BaseException | None = None
        try:
            runner = self._charge.make(self._tell)
            self._ring()
            self._tell()
            runner.run()
        except GivenBack:
            pass
        except BaseException as error:  # noqa: BLE001 - the master is told
            failure = error
        try:
            self._tell()
            self.say(ended=None if failure is None else dumped(failed(failure)))
        finally:
            self._over.set()
            self._ring()

    # --- The main thread

    def _may_stay(self) -> bool:
        """Return whether the time to leave has not come; the message goes back then."""
        if time.monotonic() < self._leave_at:
            return True
        if self._is_given_up or self._charge.runner is None:
            return False
        self._give_up(seconds=_SETTLING_SECONDS)
        return True

    def _rung(self, rung: bytes) -> None:
        terms = rung.count(signal.SIGTERM)
        self._terms += terms
        if terms:
            log = logging.getLogger(f"qtool.runner.{self._beginning.name}")
            log.warning("%s is told to end by SIGTERM", self._beginning.told)
            self._stop()
        if self._terms > 1:
            self._leave_at = time.monotonic()

    def _listen(self) -> bool:
        heard = self._line.heard()
        self._unheard += heard or []
        return heard is not None

    def _orphaned(self) -> None:
        """The master has gone: finish what is in hand, and go, too."""
        grace = self._charge.config.settings.stop_grace_seconds
        self._leave_at = time.monotonic() + grace
        self._stop()

    def _stop(self) -> None:
        runner = self._charge.runner
        if runner is None:
            self.say(ended=None)  # it holds nothing yet
            self._leave_at = time.monotonic()
            return
        runner.gate.stop()
        threading.Thread(target=runner.stop, daemon=True).start()

    def _give_up(self, *, seconds: float) -> str | None:
        self._is_given_up = True
        filebase = self._charge.give_up(seconds=seconds)
        # Where there was nothing to give, the runner is about to settle, or to end.
        wait = _LEAVING_SECONDS if filebase is None else 0.0
        self._leave_at = time.monotonic() + wait
        return filebase

    def _do_unheard(self) -> None:
        """Do what was asked, once there is a runner; end also before there is one."""
        runner = self._charge.runner
        if runner is None and any(said["do"] in _ENDS for said in self._unheard):
            self._unheard.clear()
            self._stop()
        while runner is not None and self._unheard:
            said = self._unheard.pop(0)
            number, do = said.pop("ask"), said.pop("do")
            if do == "stop":
                runner.gate.stop()  # also where a class of a site's does more
            if do == "give_up":
                act: Callable[[], object] = partial(self._give_up, **said)
            else:
                act = partial((QUICK.get(do) or SLOW[do]), self._charge, **said)
            answer = partial(self._answer, number, act)
            if do in QUICK:
                answer()
            else:
                self._seen = number
                thread = threading.Thread(target=answer, daemon=True)
                thread.start()
                alive = [each for each in self._answering if each.is_alive()]
                self._answering = [*alive, thread]

    def _answer(self, number: int, act: Callable[[], object]) -> None:
        reply: Said
        try:
            reply = {"value": dumped(act())}
        except (QToolError, OSError) as error:
            reply = {"error": dumped_error(error)}
        except BaseException as error:  # noqa: BLE001 - who asked is told
            reply = {"error": dumped_error(RunnerError(one_line(error)))}
        self._seen = max(self._seen, number)
        self._tell()
        self.say(answer=number, **reply)
        self._ring()  # it may be time to leave now

    # --- Telling

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # it rings already
            self._bell.send(b"\0")

    def _tell(self) -> None:
        """Tell how the runner stands; what is told later is newer."""
        with self._telling:
            self.say(facts=dumped(self._charge.facts(self._seen)))


class _Teller(logging.Handler):
    """Has the master log what is logged here."""

    def __init__(self, say: Callable[..., None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong log call must not end its caller
            text = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        logged = Logged(
            source=record.name,
            level=record.levelno,
            when=record.created,
            text=text,
            traceback=traceback_text(error) if error is not None else "",
        )
        self._say(log=dumped(logged))
