"""What ``qtool run`` tells the service manager that started it.

The protocol is sd_notify: datagrams of ``NAME=VALUE`` lines to the Unix socket that
``$NOTIFY_SOCKET`` names. Where it names none, nothing is told and nothing is paid.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from typing import TYPE_CHECKING

from qtool.control.models import State
from qtool.errors import QToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.control.control import Control
    from qtool.control.models import Board

_LONGEST_INTERVAL = 30.0
_BEATS = 4
"""How often, within the time that the watchdog allows, a sign of life is given."""

log = logging.getLogger("qtool.notify")


class Notifier:
    """Sends states to the service manager, if there is one.

    Args:
        environment: That of the process; ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and
            ``WATCHDOG_PID`` are read.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self.watchdog_seconds = _watchdog(environment) if self._address else None
        """Without a sign of life for so long the manager kills; None for never."""

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return self._address is not None

    def tell(self, *lines: str) -> None:
        """Send lines such as ``READY=1``, in one datagram; never waits."""
        if self._address is None:
            return
        data = "\n".join(lines).encode("utf-8", "backslashreplace")
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as door:
                door.sendto(data, self._address)
        except OSError as error:
            log.warning("the service manager cannot be told %s: %s", lines[0], error)


class Herald:
    """Tells the service manager how a site that runs is doing, now and then.

    A sign of life for the watchdog goes out only while no runner is at one message,
    or at anything else, for longer than its ``hang_after``, and the queues can be read.

    Args:
        control: The site.
        notifier: Whom to tell.
    """

    def __init__(self, control: Control, notifier: Notifier) -> None:
        self._control = control
        self._notifier = notifier
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="qtool-herald", daemon=True
        )

    def ready(self) -> None:
        """Say that everything has been started, and go on telling."""
        if self._notifier.is_heard:
            self._notifier.tell("READY=1", f"STATUS={status(self._control.scan())}")
            self._thread.start()

    def stopping(self) -> None:
        """Say that the messages in hand are being finished."""
        self._notifier.tell("STOPPING=1", "STATUS=finishing the messages in hand")
        self._over.set()

    def beat(self) -> None:
        """Tell once how it stands, with a sign of life if there is life."""
        try:
            board = self._control.scan()
        except (QToolError, OSError) as error:
            log.warning("no sign of life is given: %s", error)
            return
        lines = [f"STATUS={status(board)}"]
        if hung := self._hung(board):
            log.warning("no sign of life is given: %s", hung)
        elif self._notifier.watchdog_seconds is not None:
            lines.append("WATCHDOG=1")
        if not self._over.is_set():
            self._notifier.tell(*lines)

    def _hung(self, board: Board) -> str:
        """Return which runner has been at one thing for too long; empty where none."""
        runners = self._control.configuration.settings.runners
        for one in self._control.finishing():
            settings = runners.get(one.runner)
            if settings is not None and one.seconds > settings.hang_seconds:
                return (
                    f"{one.runner} has had {one.filebase} in hand for"
                    f" {one.seconds:.0f} s"
                )
        for row in board.rows:
            if State.HUNG in (row.state, *(cell.state for cell in row.cells)):
                return f"{row.name}: {row.note}"
        return ""

    def _run(self) -> None:
        allowed = self._notifier.watchdog_seconds
        interval = _LONGEST_INTERVAL
        if allowed is not None:
            interval = min(interval, allowed / _BEATS)
        while not self._over.wait(interval):
            self.beat()


def status(board: Board) -> str:
    """Return how a site stands, in a line: queues, runners, messages."""
    queues = [row for row in board.rows if row.has_queue]
    running = [row for row in board.rows if row.state is State.RUNNING]
    served = [row for row in queues if row.runner is not None]
    waiting = sum(row.depth or 0 for row in served)
    in_flight = sum(row.in_flight or 0 for row in served)
    return (
        f"queues {len(queues)}, runners at work {len(running)},"
        f" waiting {waiting}, in flight {in_flight}"
    )


def _address(name: str) -> str | None:
    """Return the address of the manager's socket; None where there is none."""
    if name.startswith("@"):
        return f"\0{name[1:]}"  # of the abstract kind, which has no file
    return name if name.startswith("/") else None


def _watchdog(environment: Mapping[str, str]) -> float | None:
    try:
        micros = int(environment.get("WATCHDOG_USEC", ""))
        meant = int(environment.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return micros / 1e6 if micros > 0 and meant == os.getpid() else None
