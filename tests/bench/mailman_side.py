"""What GNU Mailman's own Switchboard and Runner take for the same things.

Runs in Mailman's environment, on a site that the bench has made.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from email import message_from_bytes
from pathlib import Path
from typing import Any

from mailman.app.lifecycle import create_list
from mailman.config import config
from mailman.core.initialize import initialize
from mailman.core.runner import Runner
from mailman.core.switchboard import Switchboard
from mailman.email.message import Message
from mailman.interfaces.domain import IDomainManager
from zope.component import getUtility

from tests.bench.serving import serve

LIST_ADDRESS = "ant@example.com"
METADATA = {"listid": "ant.example.com", "original_size": 2048, "to_list": True}


def make_list() -> str:
    """Make the list that the messages name."""
    getUtility(IDomainManager).add("example.com")
    create_list(LIST_ADDRESS)
    config.db.commit()
    return LIST_ADDRESS


def _message(path: str) -> Any:
    return message_from_bytes(Path(path).read_bytes(), Message)


def enqueue(directory: str, message: str, count: int, **more: Any) -> float:
    switchboard = Switchboard("bench", directory)
    msg = _message(message)
    start = time.perf_counter()
    for _ in range(count):
        switchboard.enqueue(msg, METADATA, **more)
    return time.perf_counter() - start


def dequeue(directory: str) -> float:
    """Take and finish everything: also the bare loop over the Switchboard."""
    switchboard = Switchboard("bench", directory)
    gc.collect()
    start = time.perf_counter()
    for filebase in switchboard.files:
        switchboard.dequeue(filebase)
        switchboard.finish(filebase)
    return time.perf_counter() - start


def listing(directory: str, slices: list[int], numslices: int) -> float:
    start = time.perf_counter()
    for number in slices:
        _ = Switchboard("bench", directory, number, numslices).files
    return time.perf_counter() - start


class NoopRunner(Runner):  # type: ignore[misc] # Mailman's Runner has no types
    """Disposes of everything and stops when nothing is left."""

    disposed = 0

    def _dispose(self, mlist: Any, msg: Any, msgdata: Any) -> bool:
        self.disposed += 1
        return False

    def _snooze(self, filecnt: int) -> None:
        if filecnt == 0:
            self.stop()


class LatencyRunner(NoopRunner):
    """Notes when each numbered message came, with its site's usual polling."""

    def __init__(self, name: str, expected: int) -> None:
        super().__init__(name)
        self.arrived: dict[int, float] = {}
        self.expected = expected
        self.end = time.monotonic() + 120

    def _dispose(self, mlist: Any, msg: Any, msgdata: Any) -> bool:
        self.arrived[msgdata["number"]] = time.monotonic()
        return False

    def _snooze(self, filecnt: int) -> None:
        if len(self.arrived) >= self.expected or time.monotonic() > self.end:
            self.stop()
        else:
            Runner._snooze(self, filecnt)


def _push_runner(directory: str) -> None:
    config.push("bench", f"[runner.bench]\npath: {directory}\n")


def drain(directory: str) -> float:
    """Let a no-op Runner empty the queue."""
    _push_runner(directory)
    try:
        runner = NoopRunner("bench")
        waiting = len(runner.switchboard.files)
        gc.collect()
        start = time.perf_counter()
        runner.run()
        seconds = time.perf_counter() - start
        # A Runner that shunts is busy with something else than what is measured.
        assert runner.disposed == waiting, (runner.disposed, waiting)
        return seconds
    finally:
        config.pop("bench")


def latency(directory: str, expected: int) -> dict[int, float]:
    """Run until ``expected`` messages came; return when, by their numbers."""
    _push_runner(directory)
    try:
        Path(directory).with_name("ready").touch()
        runner = LatencyRunner("bench", expected)
        runner.run()
        return runner.arrived
    finally:
        config.pop("bench")


if __name__ == "__main__":
    os.umask(0o007)
    initialize(sys.argv[1])
    serve(
        {
            "make_list": make_list,
            "enqueue": enqueue,
            "dequeue": dequeue,
            "listing": listing,
            "drain": drain,
            "latency": latency,
        }
    )
