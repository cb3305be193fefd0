"""What qtool's own Switchboard and Runner take: the same functions as Mailman's side.

A process of its own, so that both sides stand on the same ground.
"""

from __future__ import annotations

import gc
import io
import math
import pickle
import sys
import time
from contextlib import ExitStack, nullcontext
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from qtool import settings
from qtool.engine.master import Master
from qtool.engine.passes import _SYNC_EVERY
from qtool.engine.regrouping import started
from qtool.engine.status import Counts, RunnerState
from qtool.engine.step import Outcome
from qtool.installation import Configuration
from qtool.qfile import codec
from qtool.qfile.guard import Pickle
from qtool.queues.slices import equal
from qtool.queues.spool import Spool
from tests.bench import raw
from tests.bench.runners import Latency, Noop
from tests.bench.serving import ROOT, serve

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

LIST_ADDRESS = "ant@example.com"
_PATIENCE_SECONDS = 30.0
"""Without news for so long, what has not come is missed."""
METADATA = {"listid": "ant.example.com", "original_size": 2048, "to_list": True}


def _spool(directory: str, **options: Any) -> Spool:
    return Spool("bench", Path(directory), **options)


def enqueue(directory: str, message: str, count: int) -> float:
    switchboard = _spool(directory)
    msg = message_from_bytes(Path(message).read_bytes())
    start = time.perf_counter()
    for _ in range(count):
        switchboard.enqueue(msg, METADATA)
    return time.perf_counter() - start


def enqueue_many(
    directory: str, message: str, size: int, batches: int, group_commit: bool
) -> float:
    switchboard = _spool(directory, group_commit=group_commit)
    msg = message_from_bytes(Path(message).read_bytes())
    batch = [(msg, METADATA)] * size
    start = time.perf_counter()
    for _ in range(batches):
        switchboard.enqueue_many(batch)
    return time.perf_counter() - start


def raw_enqueue(directory: str, content: str, count: int) -> float:
    return raw.enqueue(Path(directory), Path(content).read_bytes(), count)


def raw_enqueue_many(directory: str, content: str, size: int, batches: int) -> float:
    return raw.enqueue_many(Path(directory), Path(content).read_bytes(), size, batches)


def _as_mailman_reads() -> AbstractContextManager[object]:
    """Have files read without any guard: no setting of qtool's does that.

    What names Mailman's class gets one of its name that is the standard library's.
    """
    module = ModuleType("mailman.email.message")
    vars(module)["Message"] = type("Message", (Message,), {})
    packages = {name: ModuleType(name) for name in ("mailman", "mailman.email")}
    unguarded = ExitStack()
    modules = {**packages, "mailman.email.message": module}
    unguarded.enter_context(patch.dict(sys.modules, modules))
    unguarded.enter_context(patch.object(codec, "_decode", _plainly_read))
    return unguarded


def _plainly_read(
    data: bytes, _strict: bool, message_class: Any, _allowed: Any
) -> codec.QFile:
    """Read a file as Mailman does: run what its two pickles say, and check nothing."""
    file = io.BytesIO(data)
    message = pickle.load(file)
    middle = file.tell()
    held = codec.QFile(
        data=data,
        parts=(Pickle(0, middle, 4), Pickle(middle, len(data), 4)),
        content="",
        message_class=message_class,
        msgdata=pickle.load(file),
        form="",
        opaque=(),
    )
    held._message = message
    return held


def dequeue(directory: str, guard: bool = True) -> float:
    """Take and finish everything."""
    switchboard = _spool(directory)
    gc.collect()
    with nullcontext() if guard else _as_mailman_reads():
        start = time.perf_counter()
        for filebase in switchboard.files:
            switchboard.dequeue(filebase)
            switchboard.finish(filebase)
        return time.perf_counter() - start


def raw_dequeue(directory: str, durable: bool = False) -> float:
    return raw.dequeue(Path(directory), _SYNC_EVERY if durable else math.inf)


def listing(directory: str, slices: list[int], numslices: int) -> float:
    """The files of some slices, from a switchboard that has seen nothing yet.

    All there are, as in a site, before the first of them asks.
    """
    start = time.perf_counter()
    whole = _spool(directory)
    parts = equal(numslices)
    siblings = [whole.for_slice(parts[number]) for number in slices]
    for sibling in siblings:
        _ = sibling.files
    return time.perf_counter() - start


def raw_listing(directory: str) -> float:
    return raw.listing(Path(directory))


def _configuration(directory: str, runner: type, slices: int = 1) -> Configuration:
    """A site whose only queue is ``directory``."""
    queue = Path(directory)
    text = (
        f"[qtool]\nroot: {queue.parent}\n[paths]\npython: {ROOT}\n"
        f"[runner.{queue.name}]\nclass: tests.bench.runners.{runner.__name__}\n"
        f"instances: {slices}\n"
        f"[list.{LIST_ADDRESS}]\n"
    )
    return Configuration(settings.parse(text, source="bench", base=queue.parent))


def drain(directory: str) -> float:
    """Let a no-op Runner empty the queue."""
    queue = Path(directory)
    runner = Noop(queue.name, config=_configuration(directory, Noop))
    waiting = len(runner.switchboard.files)
    gc.collect()
    start = time.perf_counter()
    runner.run()
    seconds = time.perf_counter() - start
    assert runner.counts == {Outcome.DONE: waiting}, runner.counts
    return seconds


def drain_sliced(directory: str, slices: int, apart: bool) -> float:
    """Let a no-op Runner for each slice empty the queue, all of which are there.

    Args:
        directory: The queue.
        slices: How many runners.
        apart: Whether each has a process of its own, and not a thread.
    """
    queue = Path(directory)
    config = _configuration(directory, Noop, slices)
    waiting = len(config.switchboards[queue.name].files)
    master = Master(config, in_processes=apart)
    started(master._of(queue.name, None), paused=True)
    while any(one.state is not RunnerState.PAUSED for one in master.states()):
        time.sleep(0.01)
    gc.collect()
    start = time.perf_counter()
    master.resume(queue.name)
    while any(one.state is not RunnerState.STOPPED for one in master.states()):
        time.sleep(0.01)
    seconds = time.perf_counter() - start
    counts = sum((one.counts for one in master.states()), Counts())
    assert counts == Counts(done=waiting), counts
    master.close()
    return seconds


def latency(directory: str, expected: int) -> dict[int, float]:
    """Run until ``expected`` messages came; return when, by their numbers."""
    Latency.arrived.clear()
    master = Master(_configuration(directory, Latency))
    master.start(Path(directory).name)
    Path(directory).with_name("ready").touch()
    seen, since = 0, time.monotonic()
    while seen < expected and time.monotonic() < since + _PATIENCE_SECONDS:
        time.sleep(0.05)
        if len(Latency.arrived) != seen:
            seen, since = len(Latency.arrived), time.monotonic()
    master.close()
    return Latency.arrived


if __name__ == "__main__":
    names = (
        enqueue, enqueue_many, raw_enqueue, raw_enqueue_many, dequeue,
        raw_dequeue, listing,
        raw_listing, drain, drain_sliced, latency,
    )  # fmt: skip
    serve({function.__name__: function for function in names})
