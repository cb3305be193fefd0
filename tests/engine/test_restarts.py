"""A runner that fails is started again, later each time, and not for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.restarts import (
    FIRST_SECONDS,
    LONGEST_SECONDS,
    WELL_SECONDS,
    WINDOW_SECONDS,
    Backoff,
    Timer,
)
from qtool.engine.runner import Runner
from qtool.engine.status import RunnerState, RunnerStatus
from qtool.engine.step import Outcome
from qtool.errors import RunnerError
from tests.engine.conftest import TIMEOUT, Changes, Clock, Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from qtool.engine.master import Master


# --- How long it waits


def waits(backoff: Backoff, failures: int, well_seconds: float = 0.0) -> list[float]:
    """Fail so often in a row, and return how long each restart was to wait."""
    now, found = 0.0, []
    for _ in range(failures):
        now += well_seconds
        restart = backoff.next(now, well_seconds, 100)
        assert restart is not None
        found.append(restart.due - now)
        now = restart.due
    return found


def test_each_wait_is_twice_as_long_up_to_the_longest() -> None:
    assert waits(Backoff(), 8) == [1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS]


def test_waits_become_shorter_after_it_ran_well() -> None:
    backoff = Backoff()
    assert waits(backoff, 4)[-1] == 8
    assert waits(backoff, 1, 3 * WELL_SECONDS) == [2]
    assert waits(backoff, 1, 100 * WELL_SECONDS) == [FIRST_SECONDS]


def test_there_is_an_end_to_restarts_within_the_window_and_none_outside() -> None:
    backoff = Backoff()
    for number in (1, 2):
        restart = backoff.next(float(number), 0, 2)
        assert restart is not None
        assert (restart.number, restart.most) == (number, 2)
    assert backoff.next(3.0, 0, 2) is None
    restart = backoff.next(1.0 + WINDOW_SECONDS, 0, 2)
    assert restart is not None
    assert restart.number == 2
    assert Backoff().next(0.0, 0, 0) is None


# --- The one place where it waits


def test_things_are_done_in_the_order_of_their_times_by_no_thread_of_their_own() -> (
    None
):
    clock, done = Clock(), threading.Semaphore(0)
    timer, order = Timer(clock), list[str]()

    def note(what: str) -> None:
        order.append(what)
        done.release()

    before = threading.active_count()
    timer.at(clock.now + 20, lambda: note("late"))
    timer.at(clock.now + 10, lambda: note("early"))
    cancel = timer.at(clock.now + 15, lambda: note("never"))
    assert threading.active_count() == before + 1
    cancel()
    for _ in range(2):
        clock.now += 10
        timer.look()
        assert done.acquire(timeout=TIMEOUT)
    assert order == ["early", "late"]


def test_a_closed_timer_does_nothing_any_more() -> None:
    clock, done = Clock(), threading.Event()
    timer = Timer(clock)
    timer.at(clock.now + 10, done.set)
    timer.close()
    timer.at(clock.now, done.set)
    clock.now += 20
    timer.look()
    assert not done.is_set()


# --- Runners


class Failing:
    """Whether runners are unwell at present, how often they were, and what of."""

    def __init__(self) -> None:
        self.error: BaseException | None = ValueError("not today")
        self.times = 0
        self.well = threading.Semaphore(0)


def unwell(failing: Failing) -> type[Runner]:
    """Return a class whose loop fails."""

    class Unwell(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            return False

        def _do_periodic(self) -> None:
            if failing.error is not None and not self.only_asked:
                failing.times += 1
                raise failing.error
            failing.well.release()

    return Unwell


class Ward:
    """A master with one runner that is unwell, and a clock that a test moves."""

    def __init__(self, site: Site, **keys: Any) -> None:
        self.failing = Failing()
        site.runner("in", unwell(self.failing), sleep_time="1h", **keys)
        self.clock = Clock()
        self.master: Master = site.master(self.clock)
        self._changes = Changes(self.master)

    @property
    def status(self) -> RunnerStatus:
        (found,) = (one for one in self.master.states() if one.runner == "in")
        return found

    def wait(self, so: Callable[[], object]) -> None:
        self._changes.wait(so)

    def becomes(self, state: RunnerState) -> None:
        self.wait(lambda: self.status.state is state)

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.master.timer.look()


@pytest.fixture
def ward(site: Site) -> Ward:
    """A runner that has failed once and waits for its restart."""
    ward = Ward(site, max_restarts=3)
    ward.master.start("in")
    ward.becomes(RunnerState.RESTARTING)
    return ward


def test_a_runner_that_waits_for_its_restart_says_when_and_of_what(ward: Ward) -> None:
    assert ward.status.note == "ValueError: not today; restarts in 1 s (1 of 3)"
    assert "_do_periodic" in ward.status.traceback
    ward.later(1)
    ward.wait(lambda: "(2 of 3)" in ward.status.note)
    assert "restarts in 2 s" in ward.status.note
    ward.clock.now += 0.5
    assert "restarts in 2 s" in ward.status.note
    ward.clock.now += 0.6
    assert "restarts in 1 s" in ward.status.note


def test_a_restarted_runner_goes_on(ward: Ward, site: Site) -> None:
    site.put("in")
    ward.failing.error = None
    ward.later(1)
    assert ward.failing.well.acquire(timeout=TIMEOUT)
    assert site.queue("in").files == []
    assert ward.status.state is RunnerState.RUNNING
    assert (ward.status.note, ward.status.traceback) == ("", "")


def test_a_runner_that_never_gets_well_fails_for_good_and_can_be_revived(
    ward: Ward,
) -> None:
    ward.later(1)
    ward.wait(lambda: "(2 of 3)" in ward.status.note)
    ward.later(2)
    ward.wait(lambda: "(3 of 3)" in ward.status.note)
    ward.later(4)
    ward.becomes(RunnerState.FAILED)
    assert ward.failing.times == 4
    assert ward.status.note == "ValueError: not today (restarted 3x in 15 minutes)"
    assert "_do_periodic" in ward.status.traceback
    ward.later(10 * WINDOW_SECONDS)
    assert ward.status.state is RunnerState.FAILED
    ward.master.start("in")
    ward.wait(lambda: "(1 of 3)" in ward.status.note)


def test_a_runner_can_be_started_before_its_time(ward: Ward) -> None:
    ward.failing.error = None
    assert ward.master.start("in") == (0,)
    assert ward.status.state is RunnerState.RUNNING
    ward.later(100)
    assert ward.status.state is RunnerState.RUNNING


def test_a_runner_that_is_stopped_meanwhile_is_not_restarted(ward: Ward) -> None:
    assert ward.master.stop("in") == (0,)
    assert (ward.status.state, ward.status.note) == (RunnerState.STOPPED, "")
    ward.later(100)
    assert ward.failing.times == 1
    with pytest.raises(RunnerError, match="in is not running"):
        ward.master.stop("in")


def test_a_runner_that_waits_for_its_restart_can_be_stepped_and_waits_on(
    ward: Ward, site: Site
) -> None:
    site.put("in")
    assert ward.master.step("in").outcome is Outcome.DONE
    assert ward.status.state is RunnerState.RESTARTING
    assert ward.status.note == "ValueError: not today; restarts in 1 s (1 of 3)"
    ward.failing.error = None
    ward.later(1)
    ward.becomes(RunnerState.RUNNING)


def test_a_restart_that_cannot_begin_is_tried_again(site: Site) -> None:
    wrong, failing = list[Exception](), Failing()

    class Absent(unwell(failing)):  # type: ignore[misc] # made by a function
        def __init__(self, *args: Any, **kws: Any) -> None:
            if wrong:
                raise wrong[0]
            super().__init__(*args, **kws)

    site.runner("in", Absent)
    clock = Clock()
    master = site.master(clock)
    changes = Changes(master)
    master.start("in")
    changes.wait(lambda: "(1 of 10)" in master.states()[0].note)
    wrong.append(OSError("no such host"))
    clock.now += 1
    master.timer.look()
    changes.wait(lambda: "(2 of 10)" in master.states()[0].note)
    assert "OSError: no such host" in master.states()[0].note
    wrong.clear()
    failing.error = None
    clock.now += 2
    master.timer.look()
    changes.wait(lambda: master.states()[0].state is RunnerState.RUNNING)


def test_what_ends_the_process_is_no_reason_to_restart(site: Site) -> None:
    ward = Ward(site)
    ward.failing.error = SystemExit("enough")
    ward.master.start("in")
    ward.becomes(RunnerState.FAILED)
    assert ward.status.note == "SystemExit: enough"


def test_a_runner_that_fails_while_it_is_being_stopped_is_not_restarted(
    site: Site,
) -> None:
    class Untidy(Runner):
        def _clean_up(self) -> None:
            raise ValueError("not tidy")

    site.runner("in", Untidy, sleep_time="1h")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    master.stop("in")
    changes.wait(lambda: master.states()[0].state is RunnerState.FAILED)
    assert master.states()[0].note == "ValueError: not tidy"


def test_a_closed_master_restarts_nothing(ward: Ward) -> None:
    ward.master.close()
    assert ward.status.state is RunnerState.STOPPED
    ward.later(100)
    assert ward.failing.times == 1
