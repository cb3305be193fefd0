"""Runner slices in processes of their own: how these live, and how they die."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.engine.child_process import ChildProcess
from qtool.engine.lines import dumped_settings, loaded_settings
from qtool.engine.status import Counts, RunnerState
from qtool.engine.step import Outcome
from qtool.errors import ClaimsUnsupported, RunnerError
from qtool.settings import parse
from tests.engine.conftest import (
    TIMEOUT,
    Changes,
    Clock,
    Site,
    ended,
    in_thread,
    many_files,
    state,
    status,
)
from tests.engine.test_alike import HERE, Gate, gate
from tests.terminal import children_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.master import Master

__all__ = ["gate"]


def started(site: Site, clock: Callable[[], float] | None = None) -> Master:
    """Start the runner ``in``."""
    master = site.master(*([clock] if clock else []), in_processes=True)
    master.start("in")
    return master


def eventually(so: Callable[[], object]) -> None:
    """Wait until something is so of which nobody tells."""
    deadline = time.monotonic() + TIMEOUT
    while not so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def settled(site: Site) -> Callable[[], bool]:
    """Return what says whether nothing of ``in`` waits or is in flight."""
    queue = site.queue("in")
    return lambda: not queue.files and not queue.get_files(".bak")


# --- Alive


def test_each_slice_has_a_process_which_tells_what_it_costs(site: Site) -> None:
    site.runner("in", f"{HERE}.Noop", instances=2)
    master = started(site)
    found = master.states()
    pids = {one.pid for one in found}
    assert len(pids) == 2
    assert os.getpid() not in pids
    for one in found:
        assert Path(f"/proc/{one.pid}/task/{one.thread}").exists()
        assert one.cpu_seconds > 0
        assert (one.memory_bytes or 0) > 1 << 20
        words = Path(f"/proc/{one.pid}/cmdline").read_bytes().split(b"\0")
        assert words[-2] == f"in:{one.slice}".encode()
    master.close()
    assert {(one.pid, one.memory_bytes) for one in master.states()} == {(0, None)}
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_process_has_the_environment_and_the_priority_that_it_should(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_TEST", "here")
    note = tmp_path / "note"
    site.runner("in", f"{HERE}.Noting", note=note, priority="low")
    site.put("in")
    master = started(site)
    eventually(settled(site))
    pid = status(master, "in").pid
    assert note.read_text() == f"here {pid} {os.nice(0) + 5} 0\n"


def test_what_is_pushed_reaches_a_process_that_runs(site: Site) -> None:
    site.runner("in", f"{HERE}.Forwarding", to="late")
    master = started(site)
    site.config.push("more", "[runner.late]\n")
    master.states()
    site.put("in")
    master.step("in")
    assert site.subjects("late") == ["One"]


@pytest.mark.long
def test_a_message_that_is_kept_stays_with_the_process_that_lets_it_rest(
    site: Site,
) -> None:
    site.runner("in", f"{HERE}.Keeping", instances=3, sleep_time="1h")
    for number in range(9):
        site.put("in", str(number))
    scan = [one.depth for one in site.queue("in").scan(site.config.slices("in")).slices]
    master = started(site)
    kept = Counts(kept=9)
    eventually(lambda: _sum(master) == kept)
    again = site.queue("in").scan(site.config.slices("in")).slices
    assert [one.depth for one in again] == scan
    master.close()
    assert _sum(master) == kept


def _sum(master: Master) -> Counts:
    return sum((one.counts for one in master.states()), Counts())


@pytest.mark.long
def test_in_a_drain_all_processes_work_at_the_same_time(site: Site, gate: Gate) -> None:
    for name in ("in", "out"):
        site.runner(name, f"{HERE}.Gated", **gate.options)
    for name in ("in", "out"):
        site.put(name)
    draining = in_thread(site.master(in_processes=True).drain)
    gate.entered()
    gate.entered()
    gate.let_go(2)
    ended(draining)
    assert site.queue("in").files == site.queue("out").files == []


def test_settings_arrive_as_they_were(tmp_path: Path) -> None:
    text = (
        "[qtool]\nallow: x.Y a.B\n[metrics]\nlisten: 127.0.0.1:9\n"
        "[runner.in]\nclass: x.Y\nweights: 50 30\n$odd: a\nto: \u00e4\n"
        "when: idle\nidle_when:\n    load < 1.5\n    between 22:00 and 06:00\n"
        "[runner.out]\npath:\n[list.ant@example.com]\n"
    )
    settings = parse(text, source="test.cfg", base=tmp_path)
    assert loaded_settings(dumped_settings(settings)) == settings


def test_who_asks_is_answered_although_the_process_is_about_to_end(site: Site) -> None:
    site.runner("in", f"{HERE}.Parting", sleep_time="1h")
    master = started(site)
    site.put("in")
    assert master.step("in").outcome in {Outcome.DONE, Outcome.NOTHING}


# --- Stopped from outside


@pytest.mark.parametrize(
    ("early", "told"),
    [(True, "was killed by SIGTERM"), (False, "is told to end by SIGTERM")],
)
def test_a_process_that_somebody_else_tells_to_end_is_named_in_the_log(
    site: Site, caplog: pytest.LogCaptureFixture, *, early: bool, told: str
) -> None:
    site.runner("in", f"{HERE}.Noop")
    master = site.master(in_processes=True)
    starting = in_thread(lambda: master.start("in"))
    if early:
        eventually(lambda: children_of(os.getpid()))
    else:
        ended(starting)
    os.kill(children_of(os.getpid())[0], signal.SIGTERM)
    eventually(lambda: state(master, "in") is RunnerState.STOPPED)
    assert [record.getMessage() for record in caplog.records] == [f"in:0 {told}"]
    assert status(master, "in").note == ""
    ended(starting)


@pytest.mark.long
def test_a_process_finishes_its_message_when_it_alone_is_told_to_end(
    site: Site, gate: Gate
) -> None:
    site.runner("in", f"{HERE}.Gated", **gate.options)
    bases = [site.put("in", str(number)) for number in range(2)]
    master = started(site)
    changes = Changes(master)
    gate.entered()
    pid = status(master, "in").pid
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.kill(pid, number)
    changes.wait(lambda: state(master, "in") is RunnerState.STOPPING)
    gate.let_go()
    changes.wait(lambda: state(master, "in") is RunnerState.STOPPED)
    found = status(master, "in")
    assert (found.note, found.counts) == ("", Counts(done=1))
    assert site.queue("in").files == bases[1:]


# --- Dying


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"signal": 9}, "was killed by SIGKILL"),
        pytest.param(
            {"status": 0}, "ended by itself, with exit status 0", marks=pytest.mark.long
        ),
    ],
)
def test_a_process_that_dies_is_begun_again_and_its_message_is_bad_the_third_time(
    site: Site, how: dict[str, int], told: str
) -> None:
    clock = Clock()
    site.runner("in", f"{HERE}.Dying")
    base = site.put("in", "One", **how)
    site.put("in", "Two", status=3)
    master = started(site, clock)
    changes = Changes(master)
    for number, seconds in enumerate((1, 2, 4), 1):
        note = f"its process {told}; restarts in {seconds} s ({number} of 10)"
        changes.wait(partial(_notes, master, note))
        assert state(master, "in") is RunnerState.RESTARTING
        assert site.queue("in").get_files(".bak") == [base]
        clock.now += seconds
        master.timer.look()
    note = "its process ended by itself, with exit status 3; restarts in 8 s (4 of 10)"
    changes.wait(partial(_notes, master, note))
    assert site.queue("bad").get_files(".psv") == [base]
    assert site.subjects("in", ".bak") == ["Two"]
    master.stop("in")


def _notes(master: Master, note: str) -> bool:
    return status(master, "in").note == note


@pytest.mark.parametrize(
    ("how", "told", "traceback"),
    [
        ({"address": 0}, "was killed by SIGSEGV", "in _dispose\n"),
        ({"unforeseen": 1}, "ended by itself, with exit status 1", "in serve\n"),
    ],
)
def test_the_last_words_of_a_process_are_the_traceback_of_its_failure(
    site: Site, how: dict[str, int], told: str, traceback: str
) -> None:
    site.runner("in", f"{HERE}.Dying", max_restarts=0)
    site.put("in", **how)
    master = started(site)
    Changes(master).wait(lambda: state(master, "in") is RunnerState.FAILED)
    found = status(master, "in")
    assert found.note == f"its process {told}"
    assert traceback in found.traceback


@pytest.mark.long
def test_a_process_is_dead_although_what_it_has_forked_is_not(
    site: Site, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    site.runner("in", f"{HERE}.Forking", note=note, max_restarts=0)
    site.put("in")
    master = started(site)
    try:
        Changes(master).wait(lambda: state(master, "in") is RunnerState.FAILED)
        assert status(master, "in").note == "its process was killed by SIGKILL"
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)


@pytest.mark.long
def test_nothing_is_lost_where_processes_are_killed_again_and_again(
    site: Site, tmp_path: Path
) -> None:
    note, clock = tmp_path / "note", Clock()
    site.runner("in", f"{HERE}.Tallying", note=note, instances=3, max_restarts=99)
    subjects = {str(number) for number in range(1000)}
    for subject in subjects:
        site.put("in", subject)
    master = started(site, clock)
    changes, kills = Changes(master), 12
    for number in range(kills):
        eventually(partial(_has_process, master, number % 3))
        victim = status(master, "in", number % 3).pid
        assert victim > 0
        os.kill(victim, signal.SIGKILL)
        changes.wait(partial(_restarts, master, number % 3))
        clock.now += 60
        master.timer.look()
    eventually(settled(site))
    lines = note.read_text().split()
    assert set(lines) == subjects
    assert len(lines) <= len(subjects) + kills
    assert site.queue("bad").get_files(".psv") == []


def _has_process(master: Master, number: int) -> bool:
    return status(master, "in", number).pid > 0


def _restarts(master: Master, number: int) -> bool:
    return state(master, "in", number) is RunnerState.RESTARTING


@pytest.mark.long
def test_a_process_that_hangs_is_killed_and_to_be_begun_again(
    site: Site, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    site.runner("in", f"{HERE}.Gated", hang_after="1", **gate.options)
    base = site.put("in")
    master = started(site)
    changes = Changes(master)
    changes.wait(lambda: caplog.records)
    found = status(master, "in")
    assert found.state is RunnerState.RESTARTING
    assert f"; in hand {base}; hung for " in found.note
    assert "s: `ready, _, _ = select.select(" in found.note
    told = "; its process was killed; restarts in 1 s (1 of 10)"
    assert found.note.endswith(told)
    assert "in _dispose" in found.traceback
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"in failed: {found.note}"
    assert record.exc_text == found.traceback
    master.stop("in")
    assert state(master, "in") is RunnerState.STOPPED


@pytest.mark.long
def test_a_process_that_hangs_outside_of_a_message_is_killed_too(site: Site) -> None:
    site.runner("in", f"{HERE}.Stuck", hang_after="0.3", max_restarts=0)
    master = started(site)
    Changes(master).wait(lambda: state(master, "in") is RunnerState.FAILED)
    found = status(master, "in")
    told = "waits for another thread in _do_periodic; nothing in hand; hung for "
    assert found.note.startswith(told)
    assert found.note.endswith("its process was killed")
    assert "in _do_periodic" in found.traceback


@pytest.mark.long
def test_a_process_that_does_not_answer_is_killed_without_its_stack(
    site: Site,
) -> None:
    site.runner("in", f"{HERE}.Dying", hang_after="0.2", max_restarts=0)
    site.put("in", signal=int(signal.SIGSTOP))
    master = started(site)
    Changes(master).wait(lambda: state(master, "in") is RunnerState.FAILED)
    note = status(master, "in").note
    assert "its process does not answer; in hand" in note
    assert note.endswith("its process was killed")


def test_a_process_that_does_not_listen_is_killed_and_begun_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.engine.child_process._SENDING_SECONDS", 0.05)
    clock = Clock()
    site.runner("in", f"{HERE}.Noop", sleep_time="1h")
    master = started(site, clock)
    os.kill(status(master, "in").pid, signal.SIGSTOP)
    site.config.push("more", f"[runner.late]\nto: {'x' * 1_000_000}\n")
    master.states()
    note = "its process did not listen, and was killed; restarts in 1 s (1 of 10)"
    changes = Changes(master)
    changes.wait(partial(_notes, master, note))
    clock.now += 1
    master.timer.look()
    changes.wait(lambda: state(master, "in") is RunnerState.RUNNING)
    assert status(master, "in").note == ""


@pytest.mark.long
def test_a_process_that_is_told_to_give_up_and_does_not_answer_is_killed(
    site: Site,
) -> None:
    site.runner("in", f"{HERE}.Dying")
    base = site.put("in", signal=int(signal.SIGSTOP))
    master = started(site)
    pid = status(master, "in").pid
    eventually(lambda: "State:\tT" in Path(f"/proc/{pid}/status").read_text())
    master.close(unclaim=True)
    assert not Path(f"/proc/{pid}").exists()
    assert site.queue("in").get_files(".bak") == [base]


@pytest.mark.long
def test_without_locks_for_ranges_no_slice_has_a_process(site: Site) -> None:
    site.runner("in", f"{HERE}.Lockless", instances=2)
    base = site.put("in")
    master = site.master(in_processes=True)
    with pytest.raises(ClaimsUnsupported, match="offers no locks that a claim"):
        master.start("in")
    assert {one.state for one in master.states()} == {RunnerState.FAILED}
    assert site.queue("in").files == [base]


def test_a_process_that_does_not_leave_in_time_is_killed_then() -> None:
    child = ChildProcess("in:0")  # which waits to be told what it is
    statuses: list[int] = []
    listening = in_thread(lambda: statuses.append(child.listen(print, lambda: 3600.0)))
    child.leave_within(0.0)
    ended(listening)
    assert statuses == [-signal.SIGKILL]
    child.close()
    child.leave_within(0.0)


def test_in_a_master_with_many_files_open_processes_are_heard(site: Site) -> None:
    site.runner("in", f"{HERE}.Noop")
    site.put("in")
    with many_files():
        assert site.master(in_processes=True).drain().counts == Counts(done=1)


def test_a_program_that_cannot_be_started_is_an_error_in_a_line(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.runner("in", f"{HERE}.Noop")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    master = site.master(in_processes=True)
    with pytest.raises(RunnerError, match=r"^in cannot start: FileNotFoundError: "):
        master.start("in")
    assert state(master, "in") is RunnerState.FAILED
