"""Runners are started, stopped, paused, re-timed and stepped one by one."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.runner import Runner
from qtool.engine.status import RunnerState
from qtool.engine.step import Outcome
from qtool.errors import (
    NoRunnerClass,
    NoSuchRunner,
    RunnerError,
    RunnerImportError,
    SliceClaimed,
)
from qtool.queues.spool import Spool
from tests.engine.conftest import (
    TIMEOUT,
    Changes,
    Gatekeeper,
    Site,
    ended,
    in_thread,
    state,
    status,
)

if TYPE_CHECKING:
    from email.message import Message

    from qtool.engine.step import StepReport


class Noop(Runner):
    """Disposes of everything at once."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        return False


def telling(disposed: threading.Semaphore) -> type[Runner]:
    """Return a class that tells when it begins to look for the next message."""

    class Telling(Noop):
        def _short_circuit(self) -> bool:
            disposed.release()
            return super()._short_circuit()

    return Telling


def acquire(semaphore: threading.Semaphore) -> None:
    assert semaphore.acquire(timeout=TIMEOUT)


def held(gatekeeper: Gatekeeper) -> type[Runner]:
    """Return a class whose ``_dispose`` waits to be let go."""

    class Held(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            gatekeeper.pass_through()
            return False

    return Held


# --- Starting and stopping


def test_nothing_runs_before_somebody_asks(site: Site) -> None:
    site.runner("in", Noop)
    site.put("in")
    master = site.master()
    assert state(master, "in") is RunnerState.STOPPED
    assert site.subjects("in") == ["One"]


def test_a_started_runner_empties_its_queue_and_a_stopped_one_does_not(
    site: Site,
) -> None:
    disposed = threading.Semaphore(0)
    site.runner("in", telling(disposed), sleep_time="1h")
    site.put("in")
    master = site.master()
    changes = Changes(master)
    assert master.start("in") == (0,)
    assert state(master, "in") is RunnerState.RUNNING
    site.put("in", "Two")
    acquire(disposed)
    acquire(disposed)
    master.stop("in")
    changes.wait(lambda: state(master, "in") is RunnerState.STOPPED)
    site.put("in", "Three")
    assert status(master, "in").counts.done == 2
    assert site.subjects("in") == ["Three"]


def test_every_slice_has_a_runner_of_its_own(site: Site) -> None:
    site.runner("in", Noop, instances="3")
    master = site.master()
    changes = Changes(master)
    assert master.start("in", 1) == (1,)
    states = [state(master, "in", number) for number in range(3)]
    stopped, running = RunnerState.STOPPED, RunnerState.RUNNING
    assert states == [stopped, running, stopped]
    assert master.start("in") == (0, 2)
    with pytest.raises(RunnerError, match="runs already"):
        master.start("in")
    assert master.stop("in") == (0, 1, 2)
    changes.wait(lambda: all(one.state is stopped for one in master.states()))


def test_a_runner_in_dispose_is_stopping_until_it_is_through(site: Site) -> None:
    gatekeeper = Gatekeeper()
    site.runner("in", held(gatekeeper))
    filebase = site.put("in")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    gatekeeper.entered()
    master.stop("in")
    found = status(master, "in")
    assert found.state is RunnerState.STOPPING
    assert found.in_hand is not None
    assert found.in_hand.filebase == filebase
    gatekeeper.let_go()
    changes.wait(lambda: state(master, "in") is RunnerState.STOPPED)
    assert site.queue("in").files == []


def test_what_is_not_running_cannot_be_stopped_paused_or_resumed(site: Site) -> None:
    site.runner("in", Noop)
    master = site.master()
    for act in (master.stop, master.pause, master.resume):
        with pytest.raises(RunnerError, match="in is not running"):
            act("in")
    with pytest.raises(NoSuchRunner):
        master.start("nowhere")
    with pytest.raises(RunnerError, match="no 7"):
        master.start("in", 7)


# --- Pausing


def test_pausing_a_snoozing_runner_is_immediate_and_resuming_wakes_it(
    site: Site,
) -> None:
    disposed = threading.Semaphore(0)
    site.runner("in", telling(disposed), sleep_time="1h")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    master.pause("in")
    changes.wait(lambda: state(master, "in") is RunnerState.PAUSED)
    site.put("in")
    assert site.subjects("in") == ["One"]
    master.resume("in")
    assert state(master, "in") is not RunnerState.PAUSED
    acquire(disposed)
    assert site.queue("in").files == []


def test_a_pause_comes_after_the_message_in_hand(site: Site) -> None:
    gatekeeper = Gatekeeper()
    site.runner("in", held(gatekeeper))
    site.put("in", "One")
    site.put("in", "Two")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    gatekeeper.entered()
    master.pause("in")
    assert state(master, "in") is RunnerState.STOPPING
    gatekeeper.let_go()
    changes.wait(lambda: state(master, "in") is RunnerState.PAUSED)
    assert site.subjects("in") == ["Two"]
    gatekeeper.let_go()
    master.stop("in")
    changes.wait(lambda: state(master, "in") is RunnerState.STOPPED)
    assert site.subjects("in") == ["Two"]


# --- Snoozing


def test_a_changed_snooze_counts_at_once_and_for_later_starts(site: Site) -> None:
    site.runner("in", Noop, sleep_time="1h")
    master = site.master()
    assert status(master, "in").sleep_seconds == 3600.0
    master.start("in")
    master.set_snooze("in", 7.0)
    assert status(master, "in").sleep_seconds == 7.0
    master.stop("in")
    master.close()
    again = site.master()
    again.set_snooze("in", 9.0)
    again.start("in")
    assert status(again, "in").sleep_seconds == 9.0


# --- Failing


def test_a_failed_runner_shows_its_traceback_and_can_be_started_again(
    site: Site,
) -> None:
    wrong = [True]

    class Unwell(Noop):
        def _do_periodic(self) -> None:
            if wrong:
                raise ValueError("not today")

    site.runner("in", Unwell, max_restarts=0)
    site.put("in")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    changes.wait(lambda: state(master, "in") is RunnerState.FAILED)
    found = status(master, "in")
    assert found.note == "ValueError: not today"
    assert "_do_periodic" in found.traceback
    assert found.counts.done == 1
    wrong.clear()
    master.start("in")
    assert state(master, "in") is RunnerState.RUNNING
    assert status(master, "in").traceback == ""


def test_a_class_that_is_not_there_shows_before_any_start(site: Site) -> None:
    site.runner("in", "nowhere.to.be.Found")
    site.runner("odd", "threading.Thread")
    site.runner("none")
    master = site.master()
    assert state(master, "in") is RunnerState.IMPORT_ERROR
    assert "nowhere" in status(master, "in").note
    assert status(master, "in").traceback
    assert state(master, "odd") is RunnerState.IMPORT_ERROR
    assert "subclass of qtool.Runner" in status(master, "odd").note
    assert state(master, "none") is RunnerState.NO_CLASS
    with pytest.raises(RunnerImportError):
        master.start("in")
    with pytest.raises(NoRunnerClass):
        master.start("none")
    with pytest.raises(NoRunnerClass):
        master.step("none")


def test_a_class_that_cannot_be_made_fails_visibly(site: Site) -> None:
    class Broken(Noop):
        def __init__(self, *args: Any, **kws: Any) -> None:
            raise OSError("no such host")

    site.runner("in", Broken)
    master = site.master()
    with pytest.raises(RunnerError, match="no such host"):
        master.start("in")
    assert state(master, "in") is RunnerState.FAILED
    assert "no such host" in status(master, "in").traceback


@pytest.mark.parametrize(
    ("instances", "number", "called"),
    [(1, 0, "in"), (2, 0, "in, slice 0:2"), (2, 1, "in, slice 1:2")],
)
def test_what_a_slice_fails_of_names_the_slice_where_there_are_several(
    site: Site, instances: int, number: int, called: str
) -> None:
    class Broken(Noop):
        def __init__(self, *args: Any, **kws: Any) -> None:
            raise OSError("no such host")

    site.runner("in", Broken, instances=instances)
    with pytest.raises(RunnerError, match=f"^{called} cannot start: "):
        site.master().start("in", number)


def test_a_slice_that_somebody_else_holds_shows_the_holder(site: Site) -> None:
    site.runner("in", Noop)
    site.put("in")
    master = site.master()
    with site.queue("in").claim("a test"):
        with pytest.raises(SliceClaimed, match="a test"):
            master.start("in")
        found = status(master, "in")
        assert found.state is RunnerState.CLAIMED
        assert "pid" in found.note
        with pytest.raises(SliceClaimed, match="a test"):
            master.step("in")
    master.start("in")
    assert state(master, "in") is RunnerState.RUNNING


# --- Stepping


def remove_state(site: Site) -> None:
    state = site.config.state_directory
    state.rename(state.with_name("removed"))


@pytest.mark.parametrize("while_paused", [False, True])
def test_a_claim_that_was_removed_under_a_runner_is_claimed_anew(
    site: Site, caplog: pytest.LogCaptureFixture, while_paused: bool
) -> None:
    disposed = threading.Semaphore(0)
    site.runner("in", telling(disposed), sleep_time="1h")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    if while_paused:
        master.pause("in")
        changes.wait(lambda: state(master, "in") is RunnerState.PAUSED)
    remove_state(site)
    site.put("in")
    if while_paused:
        assert master.step("in").outcome is Outcome.DONE
    else:
        acquire(disposed)
    holder = site.queue("in").holder()
    assert holder is not None
    assert (holder.pid, holder.what) == (os.getpid(), "runner in")
    [line] = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert line.startswith("in: its claim was removed from")


def test_a_slice_that_somebody_took_when_the_claim_was_removed_is_left_to_it(
    site: Site,
) -> None:
    site.runner("in", Noop, sleep_time="1h")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    master.pause("in")
    changes.wait(lambda: state(master, "in") is RunnerState.PAUSED)
    remove_state(site)
    with site.queue("in").claim("somebody else"):
        site.put("in")
        master.resume("in")
        changes.wait(lambda: state(master, "in") is RunnerState.CLAIMED)
        assert "somebody else" in status(master, "in").note
        assert site.subjects("in") == ["One"]


def test_a_step_without_a_running_runner_takes_the_claim_and_gives_it_back(
    site: Site,
) -> None:
    site.runner("in", Noop)
    site.put("in", "One")
    site.put("in", "Two")
    master = site.master()
    assert master.step("in").outcome is Outcome.DONE
    assert site.subjects("in") == ["Two"]
    assert state(master, "in") is RunnerState.STOPPED
    assert site.queue("in").holder() is None


def test_a_step_finds_the_slice_of_the_chosen_file(site: Site) -> None:
    site.runner("in", Noop, instances="4")
    filebases = [site.put("in", str(number)) for number in range(12)]
    master = site.master()
    assert master.step("in", filebase=filebases[7]).filebase == filebases[7]
    assert master.step("in").filebase == filebases[0]


def test_a_step_on_a_running_runner_leaves_it_paused(site: Site) -> None:
    site.runner("in", Noop, sleep_time="1h")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    master.pause("in")
    changes.wait(lambda: state(master, "in") is RunnerState.PAUSED)
    filebase = site.put("in")
    assert master.step("in", filebase=filebase).outcome is Outcome.DONE
    changes.wait(lambda: state(master, "in") is RunnerState.PAUSED)
    assert status(master, "in").counts.done == 1


def test_a_step_waits_for_a_runner_that_is_about_to_begin(site: Site) -> None:
    gatekeeper = Gatekeeper()

    class Slow(Spool):
        def recover_backup_files(self) -> None:
            gatekeeper.pass_through()

    class Beginning(Noop):
        switchboard_class = Slow

    site.runner("in", Beginning)
    master = site.master()
    starting = in_thread(lambda: master.start("in"))
    gatekeeper.entered()
    reports: list[StepReport] = []
    stepping = in_thread(lambda: reports.append(master.step("in")))
    gatekeeper.let_go()
    ended(starting)
    ended(stepping)
    assert [report.outcome for report in reports] == [Outcome.NOTHING]
    assert state(master, "in") is RunnerState.PAUSED


def test_steps_of_one_slice_come_one_after_the_other(site: Site) -> None:
    gatekeeper = Gatekeeper()
    site.runner("in", held(gatekeeper))
    site.put("in", "One")
    site.put("in", "Two")
    master = site.master()
    reports: list[StepReport] = []
    steps = [in_thread(lambda: reports.append(master.step("in"))) for _ in range(2)]
    gatekeeper.let_go(2)
    for step in steps:
        ended(step)
    assert [report.outcome for report in reports] == [Outcome.DONE] * 2
    assert state(master, "in") is RunnerState.STOPPED


def test_a_step_that_ends_the_process_fails_the_runner_and_still_reports(
    site: Site,
) -> None:
    class Leaving(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            raise SystemExit(3)

    site.runner("in", Leaving)
    site.put("in")
    master = site.master()
    assert master.step("in").outcome is Outcome.SHUNTED
    assert state(master, "in") is RunnerState.FAILED


def test_a_runner_without_a_queue_cannot_be_stepped(site: Site) -> None:
    site.runner("task", Noop, path="")
    with pytest.raises(RunnerError, match="manages no queue"):
        site.master().step("task")


# --- Taking turns


def test_runners_that_compute_take_turns_and_those_that_wait_do_not(
    site: Site,
) -> None:
    gatekeeper = Gatekeeper()

    class Computing(held(gatekeeper)):  # type: ignore[misc] # made by a function
        computes = True

    disposed = threading.Semaphore(0)
    site.runner("slow", Computing)
    site.runner("fast", telling(disposed))
    site.put("slow")
    master = site.master()
    changes = Changes(master)
    master.start("slow")
    gatekeeper.entered()
    master.start("fast")
    site.put("fast")
    # It waits for its turn with nothing in hand, so it can be stopped at once.
    assert [held.runner for held in master.finishing()] == ["slow"]
    gatekeeper.let_go()
    acquire(disposed)
    assert site.queue("fast").files == []
    master.stop("slow")
    changes.wait(lambda: state(master, "slow") is RunnerState.STOPPED)


# --- Closing


def test_closing_waits_for_the_message_in_hand(site: Site) -> None:
    gatekeeper = Gatekeeper()
    site.runner("in", held(gatekeeper))
    filebase = site.put("in")
    master = site.master()
    master.start("in")
    gatekeeper.entered()
    closing = in_thread(master.close)
    (finishing,) = master.finishing()
    assert (finishing.runner, finishing.filebase) == ("in", filebase)
    assert finishing.seconds >= 0
    assert closing.is_alive()
    gatekeeper.let_go()
    ended(closing)
    assert master.finishing() == ()
    assert site.queue("in").files == []


def test_who_does_not_stop_by_itself_is_stopped_all_the_same(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    class Stubborn(Noop):
        def stop(self) -> None:
            raise ValueError("not me")

    for name, kind in (("a", Stubborn), ("b", Noop)):
        site.runner(name, kind)
    master = site.master()
    for name in ("a", "b"):
        master.start(name)
    ended(in_thread(master.close))
    assert {one.state for one in master.states()} == {RunnerState.STOPPED}
    [record] = caplog.records
    assert record.getMessage() == "a does not stop by itself: ValueError: not me"


def test_messages_are_given_back_by_all_runners_at_the_same_time(site: Site) -> None:
    gatekeeper, all_of_them = Gatekeeper(), threading.Barrier(3)

    class Meeting(held(gatekeeper)):  # type: ignore[misc]  # a class of the test's
        def give_up(self, seconds: float) -> str | None:
            all_of_them.wait(TIMEOUT)
            filebase: str | None = super().give_up(seconds)
            return filebase

    names = ("a", "b", "c")
    for name in names:
        site.runner(name, Meeting)
    bases = {site.put(name) for name in names}
    master = site.master()
    for name in names:
        master.start(name)
        gatekeeper.entered()
    ended(in_thread(lambda: master.close(unclaim=True)))
    assert {base for name in names for base in site.queue(name).files} == bases
    gatekeeper.let_go(3)


def test_a_closed_master_starts_nothing(site: Site) -> None:
    site.runner("in", Noop)
    master = site.master()
    master.close()
    with pytest.raises(RunnerError, match="closed"):
        master.start("in")


def test_what_is_about_to_start_when_the_master_is_closed_takes_nothing(
    site: Site,
) -> None:
    gatekeeper = Gatekeeper()

    class Lengthy(Noop):
        def __init__(self, *args: Any, **kws: Any) -> None:
            super().__init__(*args, **kws)
            gatekeeper.pass_through()

    site.runner("in", Lengthy)
    filebase = site.put("in")
    master = site.master()
    starting = in_thread(lambda: master.start("in"))
    gatekeeper.entered()
    ended(in_thread(master.close))
    gatekeeper.let_go()
    ended(starting)
    changes = Changes(master)
    changes.wait(lambda: master.states()[0].state is RunnerState.STOPPED)
    assert site.queue("in").files == [filebase]
    assert site.queue("in").holder() is None


def test_a_listener_that_fails_harms_nobody(site: Site) -> None:
    def listener() -> None:
        raise ValueError

    site.runner("in", Noop)
    master = site.master()
    stop = master.on_change(listener)
    master.start("in")
    stop()
    assert state(master, "in") is RunnerState.RUNNING
