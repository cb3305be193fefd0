"""The same acts on runners in threads and on runners in processes of their own."""

from __future__ import annotations

import logging
import threading
import time
from itertools import groupby
from pathlib import Path

import pytest

from qtool.engine.pauses import Pause, Pauses
from qtool.engine.status import Counts, RunnerState
from qtool.engine.step import Outcome
from qtool.errors import NoRunnerClass, RunnerError, RunnerImportError, SliceClaimed
from tests.engine.apart import Pipe
from tests.engine.conftest import (
    Changes,
    Clock,
    Site,
    ended,
    in_thread,
    state,
    status,
)

HERE = "tests.engine.apart"

both = pytest.mark.parametrize("apart", [False, True], ids=["thread", "process"])
both_long = pytest.mark.parametrize(
    "apart",
    [
        pytest.param(False, id="thread"),
        pytest.param(True, id="process", marks=pytest.mark.long),
    ],
)
"""Of what another test shows more quickly."""


class Gate:
    """The pipes of a ``Gated`` runner."""

    def __init__(self, folder: Path) -> None:
        self._entered, self._go = Pipe(folder / "entered"), Pipe(folder / "go")
        self.options = {"entered": folder / "entered", "go": folder / "go"}

    def entered(self) -> None:
        """Wait until a ``_dispose`` has begun."""
        self._entered.take()

    def let_go(self, times: int = 1) -> None:
        """Let so many go on."""
        self._go.put(times)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@both
def test_a_message_in_hand_is_finished_before_a_stop_or_a_pause(
    site: Site, gate: Gate, *, apart: bool
) -> None:
    site.runner("in", f"{HERE}.Gated", **gate.options)
    bases = [site.put("in", str(number)) for number in range(3)]
    master = site.master(in_processes=apart)
    changes = Changes(master)
    assert master.start("in") == (0,)
    with pytest.raises(RunnerError, match="runs already"):
        master.start("in")
    gate.entered()
    master.pause("in")
    found = status(master, "in")
    assert found.state is RunnerState.STOPPING
    assert found.in_hand is not None
    assert found.in_hand.filebase == bases[0]
    assert [held.filebase for held in master.finishing()] == [bases[0]]
    gate.let_go()
    changes.wait(lambda: state(master, "in") is RunnerState.PAUSED)
    assert site.queue("in").files == bases[1:]
    master.resume("in")
    gate.entered()
    assert state(master, "in") is RunnerState.RUNNING
    master.stop("in")
    assert state(master, "in") is RunnerState.STOPPING
    gate.let_go()
    changes.wait(lambda: state(master, "in") is RunnerState.STOPPED)
    assert site.queue("in").files == bases[2:]
    assert status(master, "in").counts == Counts(done=2)
    with pytest.raises(RunnerError, match="in is not running"):
        master.stop("in")


@both
def test_a_stop_shows_no_state_that_was_left_before(site: Site, *, apart: bool) -> None:
    site.runner("in", f"{HERE}.Noop", sleep_time="1h")
    master = site.master(in_processes=apart)
    seen: list[RunnerState] = []
    slice_of_it = master._thread("in", 0)  # asking the master would take its time
    master.on_change(lambda: seen.append(slice_of_it.state))
    changes = Changes(master)
    master.start("in")
    master.pause("in")
    changes.wait(lambda: seen[-1:] == [RunnerState.PAUSED])
    master.stop("in")
    changes.wait(lambda: seen[-1:] == [RunnerState.STOPPED])
    ahead = iter((
        RunnerState.RUNNING, RunnerState.STOPPING, RunnerState.PAUSED,
        RunnerState.STOPPING, RunnerState.STOPPED,
    ))  # fmt: skip
    # Who is quick may be seen to skip one; none is seen to go back.
    assert all(each in ahead for each, _ in groupby(seen))


@both
def test_a_step_reports_what_it_did_and_leaves_a_runner_paused(
    site: Site, *, apart: bool
) -> None:
    site.runner("in", f"{HERE}.Keeping", sleep_time="1h", instances=2)
    site.runner("next", f"{HERE}.Forwarding", to="out")
    site.runner("out")
    master = site.master(in_processes=apart)
    changes = Changes(master)
    base = site.put("in", lang="en", tags={"a"}, raw=b"\xff")
    report = master.step("in", filebase=base)
    assert (report.outcome, report.filebase) == (Outcome.KEPT, base)
    assert report.before is not None
    assert report.after is not None
    assert (report.before["tags"], report.before["raw"]) == ({"a"}, b"\xff")
    assert report.after["seen"] == 1
    assert [each.queue for each in report.enqueued] == ["in"]
    assert master.step("in").outcome is Outcome.KEPT
    with pytest.raises(RunnerError, match="is not in slice"):
        master.step("in", 1 - _slice_of(site), site.queue("in").files[0])
    assert site.queue("in").holder() is None
    master.start("next")
    base = site.put("next", "Hello")
    assert master.step("next", filebase=base).outcome in {
        Outcome.DONE, Outcome.NOTHING
    }  # fmt: skip
    changes.wait(lambda: state(master, "next") is RunnerState.PAUSED)
    assert site.subjects("out") == ["Hello"]
    assert status(master, "next").counts == Counts(done=1)


def _slice_of(site: Site) -> int:
    (base,) = site.queue("in").files
    digest = base.partition("+")[2]
    return next(part.number for part in site.config.slices("in") if digest in part)


@both
def test_a_failure_shows_its_traceback_and_is_followed_by_a_restart(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, apart: bool
) -> None:
    well, clock = tmp_path / "well", Clock()
    site.runner("in", f"{HERE}.Unwell", well=well)
    site.put("in")
    master = site.master(clock, in_processes=apart)
    changes = Changes(master)
    with caplog.at_level(logging.INFO, "qtool"):
        master.start("in")
        changes.wait(lambda: len(caplog.records) > 1 and not master.finishing())
    found = status(master, "in")
    assert found.state is RunnerState.RESTARTING
    assert found.note == "ValueError: not today; restarts in 1 s (1 of 10)"
    assert found.traceback.startswith("Traceback")
    assert "_do_periodic" in found.traceback
    assert found.counts == Counts(done=1)
    told = [(r.levelname, r.name, r.getMessage()) for r in caplog.records]
    assert told == [
        ("INFO", "qtool.runner.in", "took One"),
        ("ERROR", "qtool.runner.in", f"in failed: {found.note}"),
    ]
    well.touch()
    clock.now += 1
    master.timer.look()
    changes.wait(lambda: state(master, "in") is RunnerState.RUNNING)
    assert status(master, "in").note == ""


@both_long
def test_exit_from_dispose_shunts_and_fails_the_runner(
    site: Site, *, apart: bool
) -> None:
    site.runner("in", f"{HERE}.Leaving")
    site.put("in", "One")
    site.put("in", "Two")
    master = site.master(in_processes=apart)
    changes = Changes(master)
    master.start("in")
    changes.wait(lambda: state(master, "in") is RunnerState.FAILED)
    assert status(master, "in").note == "SystemExit: 3"
    assert (site.subjects("shunt"), site.subjects("in")) == (["One"], ["Two"])
    assert status(master, "in").counts == Counts(shunted=1)


@both
def test_what_cannot_start_says_why(site: Site, *, apart: bool) -> None:
    site.runner("in", "nowhere.to.be.Found")
    site.runner("none")
    site.runner("broken", f"{HERE}.Broken")
    site.runner("held", f"{HERE}.Noop")
    master = site.master(in_processes=apart)
    assert state(master, "in") is RunnerState.IMPORT_ERROR
    assert state(master, "none") is RunnerState.NO_CLASS
    with pytest.raises(RunnerImportError, match="nowhere"):
        master.start("in")
    with pytest.raises(NoRunnerClass):
        master.start("none")
    with pytest.raises(RunnerError, match=r"^broken cannot start: OSError: no such"):
        master.start("broken")
    assert state(master, "broken") is RunnerState.FAILED
    assert "no such host" in status(master, "broken").traceback
    with site.queue("held").claim("a test"):
        with pytest.raises(SliceClaimed, match="a test"):
            master.start("held")
        assert state(master, "held") is RunnerState.CLAIMED


@both_long
def test_a_runner_with_a_loop_of_its_own_is_started_and_stopped_only(
    site: Site, *, apart: bool
) -> None:
    site.runner("lmtp", f"{HERE}.Looping", path="")
    master = site.master(in_processes=apart)
    changes = Changes(master)
    master.start("lmtp")
    assert state(master, "lmtp") is RunnerState.RUNNING
    with pytest.raises(RunnerError, match="loop of its own"):
        master.pause("lmtp")
    with pytest.raises(RunnerError, match="manages no queue"):
        master.step("lmtp")
    master.stop("lmtp")
    changes.wait(lambda: state(master, "lmtp") is RunnerState.STOPPED)


@both
def test_a_drain_goes_through_all_queues_and_leaves_what_is_kept(
    site: Site, *, apart: bool
) -> None:
    site.runner("in", f"{HERE}.Forwarding", to="out")
    site.runner("out", f"{HERE}.Keeping", instances=0)
    for number in range(3):
        site.put("in", str(number))
    drained = site.master(in_processes=apart).drain()
    assert drained.counts == Counts(done=3, kept=3)
    assert (drained.left, drained.failures, drained.note) == (3, (), "")
    assert site.queue("out").holder() is None


@both_long
def test_other_slices_begin_when_the_former_have_ended(
    site: Site, gate: Gate, *, apart: bool
) -> None:
    site.runner("in", f"{HERE}.Gated", **gate.options)
    site.put("in")
    master = site.master(in_processes=apart)
    changes = Changes(master)
    master.start("in")
    gate.entered()
    site.config.push("more", "[runner.in]\ninstances: 2\n")
    regroup = master.regroup("in")
    assert not regroup.wait(0)
    gate.let_go()
    running = [RunnerState.RUNNING] * 2
    changes.wait(lambda: [one.state for one in master.states()] == running)
    assert site.queue("in").files == []


@both
def test_a_slice_begins_again_after_its_message_unless_it_is_stopped_meanwhile(
    site: Site, gate: Gate, *, apart: bool
) -> None:
    site.runner("in", f"{HERE}.Gated", instances=2, **gate.options)
    site.put("in")
    master = site.master(in_processes=apart)
    changes = Changes(master)
    master.start("in")
    gate.entered()
    busy = next(one.slice for one in master.states() if one.in_hand)
    with_other = [one.thread for one in master.states() if one.slice != busy]
    regroups = [master.regroup("in", busy) for _ in range(2)]
    assert not regroups[1].wait(0)
    assert master.is_wanted("in", busy)
    gate.let_go()
    assert regroups[1].wait(60)
    assert [one.state for one in master.states()] == [RunnerState.RUNNING] * 2
    assert [one.thread for one in master.states() if one.slice != busy] == with_other
    site.put("in")
    gate.entered()
    busy = next(one.slice for one in master.states() if one.in_hand)
    both = master.regroup("in"), master.regroup("in", busy)
    assert both[0] is both[1]
    master.stop("in", busy)
    gate.let_go()
    changes.wait(lambda: master.states()[busy].state is RunnerState.STOPPED)
    changes.wait(lambda: master.states()[1 - busy].state is RunnerState.RUNNING)
    assert not master.is_wanted("in", busy)


@both
def test_a_second_close_gives_the_message_back_and_waits_for_nobody(
    site: Site, gate: Gate, *, apart: bool
) -> None:
    site.runner("in", f"{HERE}.Gated", **gate.options)
    base = site.put("in")
    master = site.master(in_processes=apart)
    master.start("in")
    gate.entered()
    closing = in_thread(master.close)
    ended(in_thread(master.close))
    ended(closing)
    assert site.queue("in").files == [base]
    assert site.queue("in").get_files(".bak") == []
    assert site.queue("in").holder() is None
    gate.let_go()


@both
def test_who_cannot_give_its_message_back_keeps_no_other_from_that(
    site: Site, gate: Gate, caplog: pytest.LogCaptureFixture, *, apart: bool
) -> None:
    for name, kind in (("in", "Clinging"), ("out", "Gated")):
        site.runner(name, f"{HERE}.{kind}", **gate.options)
    bases = [site.put(name) for name in ("in", "out")]
    master = site.master(in_processes=apart)
    for name in ("in", "out"):
        master.start(name)
        gate.entered()
    pid = status(master, "in").pid
    ended(in_thread(lambda: master.close(unclaim=True)))
    assert site.queue("in").get_files(".bak") == bases[:1]
    assert site.queue("out").files == bases[1:]
    assert [r.getMessage() for r in caplog.records if r.name == "qtool.runner.in"] == [
        "in does not give back what it has in hand: ValueError: mine"
    ]
    assert {one.state for one in master.states()} == {RunnerState.STOPPED}
    assert not (apart and Path(f"/proc/{pid}").exists())
    gate.let_go(2)


@both_long
def test_a_changed_snooze_counts_at_once(site: Site, *, apart: bool) -> None:
    site.runner("in", f"{HERE}.Keeping", sleep_time="1h")
    site.put("in")
    master = site.master(in_processes=apart)
    changes = Changes(master)
    master.start("in")
    changes.wait(lambda: status(master, "in").counts.kept == 1 or master.pause("in"))
    master.resume("in")
    master.set_snooze("in", 0.0)
    changes.wait(lambda: status(master, "in").counts.kept > 1 or master.pause("in"))


@both_long
def test_an_idle_only_runner_says_what_it_waits_for(site: Site, *, apart: bool) -> None:
    site.runner("in", f"{HERE}.Noop", when="idle", idle_when="load < 0")
    site.put("in")
    master = site.master(in_processes=apart)
    changes = Changes(master)
    master.start("in")
    changes.wait(lambda: status(master, "in").note)
    assert status(master, "in").note.startswith("not idle: load < 0: it is ")
    assert site.subjects("in") == ["One"]


@both_long
def test_a_pause_on_record_holds_until_it_is_gone(site: Site, *, apart: bool) -> None:
    site.runner("in", f"{HERE}.Noop", sleep_time="1h")
    site.put("in")
    pauses = Pauses(site.config.state_directory)
    pauses.put(Pause(runner="in", slice=None, since=1.0, who="anne"))
    master = site.master(in_processes=apart)
    master.start("in")
    master.step("in")
    site.put("in", "Two")
    master.resume("in")
    assert site.subjects("in") == ["Two"]
    assert status(master, "in").counts == Counts(done=1)
    pauses.remove("in", None, 1)
    until = time.monotonic() + 20
    while site.queue("in").files and time.monotonic() < until:
        threading.Event().wait(0.05)
    assert site.subjects("in") == []
