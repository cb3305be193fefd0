"""A runner that does not get done with its message shows where it stands."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.hangs import WorkingThread
from qtool.engine.holding import Held
from qtool.engine.runner import Runner
from qtool.engine.status import InHand, RunnerState
from tests.control.site import eventually
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
    from collections.abc import Callable, Iterator
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
    eventually(lambda: stuck.states() == {RunnerState.HUNG, RunnerState.RUNNING})
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


def idle_asking(act: Callable[[], object]) -> type[Runner]:
    """Return a class of idle-only runners whose test asks that."""

    class Asking(Runner):
        def held_back(self) -> Held | None:
            act()
            return super().held_back()

    return Asking


def periodic(act: Callable[[], object]) -> type[Runner]:
    """Return a class whose periodic work is that."""

    class Periodic(Runner):
        def _do_periodic(self) -> None:
            act()

    return Periodic


def snoozing(act: Callable[[], object]) -> type[Runner]:
    """Return a class that snoozes so."""

    class Snoozing(Runner):
        def _snooze(self, filecnt: int) -> None:
            act()

    return Snoozing


@pytest.mark.parametrize(
    ("kind", "rest"), [(idle_asking, 0), (periodic, 0), (snoozing, 600)]
)
def test_a_runner_that_hangs_outside_of_a_message_is_hung_too(
    site: Site, kind: Callable[[Callable[[], object]], type[Runner]], rest: float
) -> None:
    gatekeeper, clock = Gatekeeper(), Clock()
    site.runner("in", kind(gatekeeper.pass_through), hang_after="5m", sleep_time="10m")
    master = site.master(clock)
    master.start("in")
    gatekeeper.entered()
    clock.now += rest + 299
    assert master.states()[0].state is RunnerState.RUNNING
    clock.now += 2
    [hung] = master.states()
    assert (hung.state, hung.in_hand) == (RunnerState.HUNG, None)
    told = "waits for another thread in pass_through; nothing in hand; hung for 301 s"
    assert hung.note.startswith(told)
    assert "act()" in hung.traceback
    master.stop("in")
    gatekeeper.let_go(9)


def test_resting_is_no_hanging(site: Site) -> None:
    clock, rests = Clock(), threading.Event()

    class Resting(Runner):
        def _snooze(self, filecnt: int) -> None:
            rests.set()
            super()._snooze(filecnt)

    site.runner("in", Resting, hang_after="5m", sleep_time="1s")
    master = site.master(clock)
    changes = Changes(master)
    master.start("in")
    assert rests.wait(TIMEOUT)
    master.pause("in")
    changes.wait(lambda: master.states()[0].state is RunnerState.PAUSED)
    runner = master._threads["in", 0].runner
    eventually(lambda: runner is not None and runner.at_work is None)  # it has told us
    clock.now += 3600
    assert master.states()[0].note == ""
    master.resume("in")
    assert master.states()[0].state is RunnerState.RUNNING


def test_a_loop_of_ones_own_may_take_its_time(site: Site) -> None:
    gatekeeper, clock = Gatekeeper(), Clock()

    class Looping(Runner):
        def run(self) -> None:
            self.gate.snooze(0.0)
            self.one_pass()
            gatekeeper.pass_through()

    site.runner("in", Looping, hang_after="5m")
    site.put("in")
    master = site.master(clock)
    master.start("in")
    gatekeeper.entered()
    clock.now += 3600
    assert master.states()[0].state is RunnerState.RUNNING
    gatekeeper.let_go()


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
