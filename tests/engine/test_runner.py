"""Steps, passes and the loop of one runner."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.hand import GivenBack
from qtool.engine.runner import Runner
from qtool.engine.step import Outcome
from qtool.errors import NoSuchRunner, RunnerError, SliceClaimed
from qtool.queues.spool import Spool
from tests.engine.conftest import TIMEOUT, Gatekeeper, Noting, Site, ended, in_thread

if TYPE_CHECKING:
    from email.message import Message


class Ending(Noting):
    """Notes also what happens after a pass; stops where nothing is left."""

    def _snooze(self, filecnt: int) -> None:
        self.noted.append(f"snooze {filecnt}")
        if not filecnt:
            self.stop()

    def _clean_up(self) -> None:
        self.noted.append("clean up")


class Held(Runner):
    """Holds in ``_dispose`` until it is let go."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        super().__init__(*args, **kws)
        self.gatekeeper = Gatekeeper()
        self.threads: list[tuple[str, int]] = []

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.gatekeeper.pass_through()
        self.threads.append((str(msg["subject"]), threading.get_ident()))
        return False


class Rested(Runner):
    """Tells when it begins to snooze."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        super().__init__(*args, **kws)
        self.snoozing = threading.Semaphore(0)
        self.disposed = threading.Semaphore(0)

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.disposed.release()
        return False

    def _snooze(self, filecnt: int) -> None:
        if not filecnt:
            self.snoozing.release()
        super()._snooze(filecnt)


def acquire(semaphore: threading.Semaphore) -> None:
    assert semaphore.acquire(timeout=TIMEOUT)


# --- The loop


def test_the_loop_passes_works_periodically_and_snoozes_until_it_is_stopped(
    site: Site,
) -> None:
    site.runner("in")
    for subject in ("One", "Two"):
        site.put("in", subject)
    runner = Ending("in", config=site.config)
    runner.run()
    assert runner.noted == [
        "One", "Two", "periodic", "snooze 2", "periodic", "snooze 0", "clean up",
    ]  # fmt: skip


def test_run_can_be_called_again(site: Site) -> None:
    site.runner("in")
    runner = Ending("in", config=site.config)
    runner.run()
    site.put("in")
    runner.run()
    assert "One" in runner.noted


def test_a_stop_before_run_is_not_lost(site: Site) -> None:
    site.runner("in")
    site.put("in")
    runner = Ending("in", config=site.config)
    runner.stop()
    runner.run()
    assert runner.noted == ["clean up"]
    assert site.subjects("in") == ["One"]


def test_a_stop_ends_the_pass_after_the_message_in_hand(site: Site) -> None:
    site.runner("in")
    site.put("in", "One")
    site.put("in", "Two")
    runner = Held("in", config=site.config)
    thread = in_thread(runner.run)
    runner.gatekeeper.entered()
    runner.stop()
    runner.gatekeeper.let_go()
    ended(thread)
    assert site.subjects("in") == ["Two"]


def test_a_short_circuit_leaves_the_pass_and_not_the_loop(site: Site) -> None:
    class Throttled(Ending):
        def _short_circuit(self) -> bool:
            return True

    site.runner("in")
    for subject in ("One", "Two"):
        site.put("in", subject)
    runner = Throttled("in", config=site.config)
    runner.run()
    assert runner.noted[:4] == ["One", "periodic", "snooze 1", "Two"]


def test_periodic_work_is_done_within_a_long_pass_but_not_too_often(
    site: Site,
) -> None:
    class Slow(Ending):
        periodic_every = 10.0

        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            now[0] += 4.0
            return super()._dispose(mlist, msg, msgdata)

    now = [0.0]
    site.runner("in")
    for number in range(6):
        site.put("in", str(number))
    runner = Slow("in", config=site.config)
    runner.clock = lambda: now[0]
    runner.one_pass()
    assert " ".join(runner.noted) == "0 1 2 periodic 3 4 5 periodic periodic"


def test_files_that_arrive_during_a_pass_wait_for_the_next(site: Site) -> None:
    class Inviting(Ending):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            if msg["subject"] == "One":
                site.put("in", "Late")
            return super()._dispose(mlist, msg, msgdata)

    site.runner("in")
    site.put("in", "One")
    runner = Inviting("in", config=site.config)
    assert runner.one_pass() == 1
    assert site.subjects("in") == ["Late"]


def test_a_failing_hook_ends_run_and_loses_nothing(site: Site) -> None:
    class Unwell(Ending):
        def _do_periodic(self) -> None:
            raise ValueError("not today")

    site.runner("in")
    site.put("in", "One")
    runner = Unwell("in", config=site.config)
    with pytest.raises(ValueError, match="not today"):
        runner.run()
    assert runner.noted == ["One", "clean up"]
    assert site.queue("in").holder() is None


def test_a_runner_without_a_queue_only_works_periodically(site: Site) -> None:
    class Clockwork(Ending):
        is_queue_runner = False

    site.runner("task", path="")
    runner = Clockwork("task", config=site.config)
    runner.run()
    assert runner.noted == ["periodic", "snooze 0", "clean up"]
    with pytest.raises(RunnerError, match="manages no queue"):
        runner.step()


def test_an_unknown_runner_is_named(site: Site) -> None:
    with pytest.raises(NoSuchRunner, match="nowhere"):
        Runner("nowhere", config=site.config)


def test_a_slice_that_is_not_there_is_refused(site: Site) -> None:
    site.runner("in", instances="2")
    with pytest.raises(RunnerError, match="2 slices"):
        Runner("in", 2, config=site.config)


# --- Snoozing


def test_a_snoozing_runner_wakes_on_arrival(site: Site) -> None:
    site.runner("in", sleep_time="1h")
    runner = Rested("in", config=site.config)
    thread = in_thread(runner.run)
    # The first snooze begins to watch and looks again; in the second it rests.
    acquire(runner.snoozing)
    acquire(runner.snoozing)
    site.put("in")
    acquire(runner.disposed)
    runner.stop()
    ended(thread)


def test_a_shorter_snooze_counts_at_once(site: Site) -> None:
    site.runner("in", sleep_time="1h")
    runner = Rested("in", config=site.config)
    thread = in_thread(runner.run)
    acquire(runner.snoozing)
    acquire(runner.snoozing)
    runner.sleep_seconds = 0.0
    acquire(runner.snoozing)
    acquire(runner.snoozing)
    runner.stop()
    ended(thread)


def test_a_kept_message_does_not_make_a_busy_loop(site: Site) -> None:
    class Keeping(Rested):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            return not super()._dispose(mlist, msg, msgdata)

    site.runner("in", sleep_time="1h")
    site.put("in")
    runner = Keeping("in", config=site.config)
    thread = in_thread(runner.run)
    acquire(runner.disposed)
    for _ in range(2):
        acquire(runner.snoozing)
    assert not runner.disposed.acquire(timeout=0.1)
    runner.stop()
    ended(thread)
    assert site.subjects("in") == ["One"]


# --- The claim


def test_a_running_runner_holds_its_slice(site: Site) -> None:
    site.runner("in")
    site.put("in")
    runner = Held("in", config=site.config)
    thread = in_thread(runner.run)
    runner.gatekeeper.entered()
    with pytest.raises(SliceClaimed, match="pid"):
        Ending("in", config=site.config).run()
    with pytest.raises(SliceClaimed, match="runner in"):
        Ending("in", config=site.config).step()
    runner.stop()
    runner.gatekeeper.let_go()
    ended(thread)
    Ending("in", config=site.config).run()


def test_different_slices_do_not_exclude_each_other(site: Site) -> None:
    site.runner("in", instances="2")
    for number in range(8):
        site.put("in", str(number))
    runners = [Held("in", number, config=site.config) for number in range(2)]
    threads = [in_thread(runner.run) for runner in runners]
    for runner in runners:
        runner.gatekeeper.entered()
    for runner in runners:
        runner.stop()
        runner.gatekeeper.let_go()
    for thread in threads:
        ended(thread)


def test_what_was_in_flight_is_recovered_at_the_start(site: Site) -> None:
    site.runner("in")
    site.queue("in").dequeue(site.put("in"))
    runner = Ending("in", config=site.config)
    runner.run()
    assert runner.noted[0] == "One"


# --- A step


def test_a_step_without_choice_takes_the_oldest(site: Site) -> None:
    site.runner("in")
    oldest = site.put("in", "One")
    site.put("in", "Two")
    runner = Ending("in", config=site.config)
    report = runner.step()
    assert (report.filebase, report.outcome) == (oldest, Outcome.DONE)
    assert (report.runner, report.queue) == ("in", "in")
    assert runner.noted == ["One"]
    assert site.queue("in").holder() is None


def test_a_step_takes_the_chosen_file(site: Site) -> None:
    site.runner("in")
    site.put("in", "One")
    chosen = site.put("in", "Two")
    runner = Ending("in", config=site.config)
    assert runner.step(chosen).filebase == chosen
    assert runner.noted == ["Two"]


def test_a_step_in_an_empty_queue_is_nothing(site: Site) -> None:
    site.runner("in")
    report = Ending("in", config=site.config).step()
    assert (report.filebase, report.outcome) == (None, Outcome.NOTHING)
    assert report.note == "nothing waits"


@pytest.mark.parametrize("name", ["../shunt/x", "foo", "1.0+zz", "nan+" + "0" * 40])
def test_what_is_no_filebase_is_refused(site: Site, name: str) -> None:
    site.runner("in")
    with pytest.raises(RunnerError, match="no filebase"):
        Ending("in", config=site.config).step(name)


def test_a_file_of_another_slice_is_refused(site: Site) -> None:
    site.runner("in", instances="2")
    chosen = site.put("in")
    digest = int(chosen[-40:], 16)
    other = 0 if digest >= 1 << 159 else 1
    with pytest.raises(RunnerError, match="not in slice"):
        Ending("in", other, config=site.config).step(chosen)


def test_a_report_says_what_processing_did(site: Site) -> None:
    class Busy(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            msgdata["recipients"].append("bea@example.com")
            self.log.info("sending on %s", msg["subject"])
            self.config.switchboards["out"].enqueue(msg, msgdata)
            return False

    site.runner("in")
    site.runner("out")
    site.put("in", recipients=["anne@example.com"])
    report = Busy("in", config=site.config).step()
    assert report.before is not None
    assert report.after is not None
    assert report.before["recipients"] == ["anne@example.com"]
    assert "lang" not in report.before
    assert report.after["recipients"] == ["anne@example.com", "bea@example.com"]
    assert [(entry.queue, entry.filebase) for entry in report.enqueued] == [
        ("out", site.queue("out").files[0])
    ]
    assert [line.text for line in report.log] == ["sending on One"]
    assert report.seconds > 0
    assert report.traceback == ""


def test_a_report_of_a_failure_has_the_traceback_and_the_place(site: Site) -> None:
    class Raising(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            raise ValueError("no good")

    site.runner("in")
    site.put("in")
    report = Raising("in", config=site.config).step()
    assert report.outcome is Outcome.SHUNTED
    assert "ValueError: no good" in report.traceback
    (copy,) = site.queue("shunt").files
    assert copy in report.note
    assert [entry.queue for entry in report.enqueued] == ["shunt"]


def test_a_step_that_would_end_the_process_is_a_report_too(site: Site) -> None:
    class Leaving(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            raise SystemExit(1)

    site.runner("in")
    site.put("in")
    report = Leaving("in", config=site.config).step()
    assert report.outcome is Outcome.SHUNTED
    assert "SystemExit" in report.traceback


def test_a_kept_message_may_be_stepped_again_at_once(site: Site) -> None:
    class Keeping(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            return True

    site.runner("in", sleep_time="1h")
    first = site.put("in")
    runner = Keeping("in", config=site.config)
    report = runner.step(first)
    assert report.outcome is Outcome.KEPT
    again = runner.step()
    assert again.outcome is Outcome.KEPT
    assert report.note == f"requeued as {again.filebase}"
    assert again.filebase != first


def test_a_step_on_a_running_runner_is_done_by_its_own_thread_and_pauses_it(
    site: Site,
) -> None:
    site.runner("in")
    for subject in ("One", "Two"):
        site.put("in", subject)
    chosen = site.put("in", "Three")
    runner = Held("in", config=site.config)
    thread = in_thread(runner.run)
    runner.gatekeeper.entered()
    reports = []
    stepping = in_thread(lambda: reports.append(runner.step(chosen)))
    runner.gatekeeper.let_go()  # the message in hand
    runner.gatekeeper.entered()
    runner.gatekeeper.let_go()  # the step
    ended(stepping)
    assert reports[0].filebase == chosen
    assert runner.threads == [("One", thread.ident), ("Three", thread.ident)]
    assert runner.gate.pausing
    assert site.subjects("in") == ["Two"]
    runner.stop()
    ended(thread)


def test_a_step_in_vain_is_told_when_the_runner_stops(site: Site) -> None:
    site.runner("in")
    site.put("in")
    runner = Held("in", config=site.config)
    thread = in_thread(runner.run)
    runner.gatekeeper.entered()
    asked = threading.Event()
    runner.gate.on_change = asked.set
    errors: list[RunnerError] = []

    def step() -> None:
        try:
            runner.step()
        except RunnerError as error:
            errors.append(error)

    stepping = in_thread(step)
    assert asked.wait(TIMEOUT)
    runner.stop()
    runner.gatekeeper.let_go()
    ended(stepping)
    ended(thread)
    assert "stopped" in str(errors[0])


# --- Giving up


def run_until_given_up(runner: Runner) -> None:
    with pytest.raises(GivenBack):
        runner.run()


def test_a_runner_that_is_given_up_gives_its_message_back_and_touches_it_no_more(
    site: Site,
) -> None:
    site.runner("in")
    site.runner("out")
    filebase = site.put("in")
    runner = Held("in", config=site.config)
    thread = in_thread(lambda: run_until_given_up(runner))
    runner.gatekeeper.entered()
    assert runner.give_up(TIMEOUT) == filebase
    assert site.queue("in").holder() is None
    assert site.queue("in").files == [filebase]
    successor = Ending("in", config=site.config)
    successor.run()
    assert successor.noted[0] == "One"
    runner.gatekeeper.let_go()
    ended(thread)
    assert site.queue("in").files == []
    assert site.queue("shunt").files == []


def test_a_message_that_cannot_be_given_back_stays_in_flight(site: Site) -> None:
    class Stubborn(Spool):
        def release(self, filebase: str) -> None:
            raise OSError(errno.EROFS, "as the test wants it")

    class HeldFast(Held):
        switchboard_class = Stubborn

    site.runner("in")
    filebase = site.put("in")
    runner = HeldFast("in", config=site.config)
    thread = in_thread(lambda: run_until_given_up(runner))
    runner.gatekeeper.entered()
    assert runner.give_up(TIMEOUT) is None
    assert site.queue("in").holder() is None
    runner.gatekeeper.let_go()
    ended(thread)
    assert site.queue("in").get_files(".bak") == [filebase]


def test_giving_back_does_not_count_as_a_recovery(site: Site) -> None:
    site.runner("in")
    filebase = site.put("in")
    before = (site.root / "in" / f"{filebase}.pck").read_bytes()
    runner = Held("in", config=site.config)
    thread = in_thread(lambda: run_until_given_up(runner))
    runner.gatekeeper.entered()
    runner.give_up(TIMEOUT)
    assert (site.root / "in" / f"{filebase}.pck").read_bytes() == before
    runner.gatekeeper.let_go()
    ended(thread)
