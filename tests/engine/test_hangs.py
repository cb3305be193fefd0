"""A runner that does not get done with its message shows where it stands."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.hangs import WorkingThread
from qtool.engine.runner import Runner
from qtool.engine.status import InHand, RunnerState
from tests.engine.conftest import (
    TIMEOUT,
    Changes,
    Clock,
    Gatekeeper,
    Site,
    ended,
    in_thread,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

    from qtool.engine.master import Master


class Stuck:
    """A master whose runner has a message in hand, and a clock that a test moves."""

    def __init__(self, site: Site) -> None:
        self.gatekeeper = gatekeeper = Gatekeeper()

        class Waiting(Runner):
            def _dispose(
                self, mlist: Any, msg: Message, msgdata: dict[str, Any]
            ) -> bool:
                gatekeeper.pass_through()
                return False

        site.runner("in", Waiting, hang_after="5m", instances="2")
        self.filebase = site.put("in")
        self.clock = Clock()
        self.master: Master = site.master(self.clock)
        self.changes = Changes(self.master)
        self.master.start("in")
        gatekeeper.entered()

    def states(self) -> set[RunnerState]:
        return {status.state for status in self.master.states()}


@pytest.fixture
def stuck(site: Site) -> Iterator[Stuck]:
    """A runner whose message has been in hand for just under five minutes."""
    stuck = Stuck(site)
    stuck.clock.now += 299
    yield stuck
    stuck.gatekeeper.let_go()


def test_a_message_may_be_in_hand_for_a_while(stuck: Stuck) -> None:
    assert stuck.states() == {RunnerState.RUNNING}
    assert all(not status.traceback for status in stuck.master.states())


def test_a_hung_runner_shows_its_message_what_it_waits_for_and_its_stack(
    stuck: Stuck,
) -> None:
    stuck.clock.now += 2
    assert stuck.states() == {RunnerState.HUNG, RunnerState.RUNNING}
    (hung,) = (s for s in stuck.master.states() if s.state is RunnerState.HUNG)
    waits_for = "waits for another thread in pass_through"
    told = f"{waits_for}; in hand {stuck.filebase}; hung for 301 s: `assert"
    assert hung.note.startswith(told)
    assert "_go.acquire(timeout=TIMEOUT)` (conftest.py:" in hung.note
    assert "in _dispose\n    gatekeeper.pass_through()" in hung.traceback
    assert hung.traceback.startswith("Stack, the latest call last:\n")


def test_nothing_is_killed_and_a_runner_that_goes_on_is_not_hung_any_more(
    stuck: Stuck,
) -> None:
    stuck.clock.now += 2
    stuck.master.stop("in")
    stuck.changes.wait(
        lambda: stuck.states() == {RunnerState.STOPPING, RunnerState.STOPPED}
    )
    (held,) = (s for s in stuck.master.states() if s.in_hand is not None)
    assert "; hung for 301 s: " in held.note
    stuck.gatekeeper.let_go()
    stuck.changes.wait(lambda: stuck.states() == {RunnerState.STOPPED})
    assert all(not (s.note or s.traceback) for s in stuck.master.states())


def test_a_thread_that_has_ended_stands_nowhere() -> None:
    made: list[WorkingThread] = []
    ended(in_thread(lambda: made.append(WorkingThread())))
    held = InHand(runner="in", slice=0, filebase="1+a", seconds=7.4)
    hang = made[0].hang(held)
    assert hang.told == "its thread has ended; in hand 1+a; hung for 7 s"
    assert hang.stack == ""


def test_what_is_not_known_to_wait_is_told_by_its_line() -> None:
    found: list[str] = []
    ready, over = threading.Event(), threading.Event()

    def compute() -> None:
        working = WorkingThread()
        held = InHand(runner="in", slice=0, filebase="1+a", seconds=7)
        found.append(working.hang(held).told)
        ready.set()
        over.wait(TIMEOUT)

    thread = in_thread(compute)
    assert ready.wait(TIMEOUT)
    over.set()
    ended(thread)
    start = "stands in hang; in hand 1+a; hung for 7 s: `waits_for, where = "
    assert found[0].startswith(start)


def test_what_a_runner_has_computed_counts_over_all_its_starts(site: Site) -> None:
    computed = threading.Event()

    class Computing(Runner):
        def _do_periodic(self) -> None:
            sum(number * number for number in range(200_000))
            computed.set()

    site.runner("in", Computing, sleep_time="1h")
    master = site.master()
    changes = Changes(master)
    seconds = [0.0]
    for _ in range(2):
        computed.clear()
        master.start("in")
        assert computed.wait(TIMEOUT)
        (running,) = master.states()
        assert running.pid
        assert running.thread
        master.stop("in")
        changes.wait(lambda: master.states()[0].state is RunnerState.STOPPED)
        (stopped,) = master.states()
        assert (stopped.pid, stopped.thread) == (0, 0)
        assert stopped.cpu_seconds > seconds[-1]
        seconds.append(stopped.cpu_seconds)
