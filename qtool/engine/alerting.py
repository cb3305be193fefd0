"""The command that is run to tell people: apart from all else, and one at a time.

Whatever it does, or fails to do, is a line in the log and no more.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LIMIT_SECONDS = 30.0
"""After this the command, and what it has started, is killed."""
MOST_PENDING = 100
_CLOSING_SECONDS = 2.0
"""How long the end waits, at most, for the command that runs."""
_STANDARD_ERROR = 2

log = logging.getLogger("qtool.alert")


class Alerter:
    """Runs a command, once for each thing that is to be told.

    Args:
        command: The program and its arguments; no shell reads them.
        environment: What it finds in its environment besides.
        limit_seconds: How long it may take.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._limit = limit_seconds
        self._pending: deque[tuple[Mapping[str, str], bytes, Callable[[], None]]]
        self._pending = deque()
        self._wake = threading.Condition()
        self._is_over = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(
            target=self._run, name="qtool-alert", daemon=True
        )
        self._thread.start()

    def tell(
        self,
        facts: Mapping[str, str],
        data: bytes,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """Have the command run; does not wait for it.

        Args:
            facts: Go into its environment; without null characters.
            data: Its standard input.
            told: Called, in a thread of its own, once it has ended well.
        """
        with self._wake:
            if len(self._pending) < MOST_PENDING:
                self._pending.append((facts, data, told))
                self._wake.notify_all()
                return
        log.error("%s alerts wait already: one is lost", MOST_PENDING)

    def close(self) -> None:
        """Run it no more; what runs is given a moment."""
        with self._wake:
            self._is_over = True
            lost = len(self._pending)
            self._wake.notify_all()
        if lost:
            log.error("alerts that nobody is told of any more: %d", lost)
        self._thread.join(_CLOSING_SECONDS)
        process = self._process
        if process is not None:
            _kill(process)
            self._thread.join(_CLOSING_SECONDS)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._pending or self._is_over)
                if self._is_over:
                    return
                facts, data, told = self._pending.popleft()
            try:
                if self._run_once(facts, data):
                    told()
            except (OSError, ValueError) as error:
                log.error("the alert command %s: %s", self._command[0], error)  # noqa: TRY400 - a line

    def _run_once(self, facts: Mapping[str, str], data: bytes) -> bool:
        """Run it; return whether it has ended well."""
        with subprocess.Popen(  # noqa: S603 - the operator's own
            self._command,
            stdin=subprocess.PIPE,
            stdout=_STANDARD_ERROR,
            env={**self._environment, **facts},
            start_new_session=True,  # killed as a whole
        ) as process:
            self._process = process
            try:
                process.communicate(data, self._limit)
            except subprocess.TimeoutExpired:
                _kill(process)
                log.error(  # noqa: TRY400 - a line
                    "the alert command took longer than %g s: killed", self._limit
                )
                return False
            finally:
                self._process = None
        if process.returncode:
            log.error("the alert command ended with status %d", process.returncode)
        return not process.returncode


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and what it has started, unless it has ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
