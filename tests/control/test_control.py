from __future__ import annotations

import errno
import json
import os
import pwd
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from qtool.control.control import Control
from qtool.control.models import Outcome, State
from qtool.control.opening import opened
from qtool.errors import (
    NoRunnerClass,
    NoSuchQueue,
    NoSuchRunner,
    QToolError,
    Refused,
    RunnerError,
    SliceClaimed,
)
from qtool.settings import default, from_root
from tests.control.site import (
    HERE,
    MAIL,
    PATIENCE,
    Boards,
    Held,
    configuration,
    eventually,
    in_processes,
    open_site,
    put,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TAKING = f"class: {HERE}.Taking"
TEXT = configuration(
    **{"in": f"{TAKING}\ninstances: 4\nsleep_time: 60s", "out": "", "side": TAKING}
)


@pytest.fixture(
    params=[False, pytest.param(True, marks=pytest.mark.long)],
    ids=["threads", "processes"],
)
def control(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Control]:
    control = open_site(tmp_path, in_processes(TEXT) if request.param else TEXT)
    yield control
    control.close()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Control]:
    """A site whose runner keeps its message in hand."""
    Held.busy.clear()
    Held.free.clear()
    control = open_site(tmp_path, configuration(slow=f"class: {HERE}.Held"))
    yield control
    Held.free.set()
    control.close(unclaim=True)


def state_of(control: Control, name: str) -> State:
    row = control.scan().row(name)
    assert row is not None
    return row.state


# --- Looking


def test_rows_come_in_the_order_of_the_configuration(control: Control) -> None:
    names = [row.name for row in control.scan().rows]
    assert names == ["in", "out", "side", "shunt", "bad"]


def test_a_board_counts_what_waits_per_cell(control: Control) -> None:
    bases = [put(control, "in") for _ in range(12)]
    row = control.scan().row("in")
    assert row is not None
    assert (row.depth, row.in_flight) == (12, 0)
    assert row.oldest == min(float(base.partition("+")[0]) for base in bases)
    assert (len(row.cells), sum(cell.depth for cell in row.cells)) == (16, 12)
    assert [cell.owner for cell in row.cells] == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4


def test_a_board_serialises_to_json(control: Control) -> None:
    put(control, "in")
    board = json.loads(json.dumps(asdict(control.scan())))
    assert board["rows"][0]["state"] == "stopped"


def test_nothing_is_processed_before_it_is_asked_for(control: Control) -> None:
    put(control, "in")
    Boards(control).wait(lambda board: board.site.watching)
    assert state_of(control, "in") is State.STOPPED
    assert len(control.names("in")) == 1


def test_runners_that_have_no_events_are_named_while_nobody_watches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr("qtool.queues.watch.InotifyFD", refuse)
    control = open_site(tmp_path, TEXT)
    assert control.site().watching == ""
    control.start("in")
    eventually(lambda: control.scan().site.watching == "polling in")
    control.stop("in")
    eventually(lambda: control.site().watching == "")
    control.close()


def test_rates_are_unknown_where_nobody_watches(control: Control) -> None:
    row = control.scan().row("in")
    assert row is not None
    assert (row.rate_in, row.rate_out, row.trend) == (None, None, ())


def test_looking_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.control.observer.TICK_SECONDS", 0.1)
    python = tmp_path / "python"
    python.mkdir()
    (python / "looked_at.py").write_text("from qtool import Runner\n")
    more = f"\n[paths]\npython: {python}\n"
    text = configuration(**{"in": "class: looked_at.Runner", "x": "class: no.Such"})
    filler = open_site(tmp_path, text + more)
    bases = [put(filler, "in") for _ in range(3)]
    filler.close()
    before = listing(tmp_path)
    control = open_site(tmp_path, text + more)
    boards = Boards(control)
    board = boards.wait(lambda board: board.site.watching == "events")
    assert [row.state for row in board.rows[:2]] == [State.STOPPED, State.IMPORT_ERROR]
    control.scan()
    control.entries("in")
    control.entry("in", bases[0])
    control.entry("bad", bases[0])
    control.finishing()
    boards.wait(lambda board: board.at > boards.seen[0].at + 0.3)
    control.close()
    assert listing(tmp_path) == before


def listing(directory: Path) -> list[tuple[str | int, ...]]:
    """Everything below, with sizes and times."""
    found: list[tuple[str | int, ...]] = []
    for path in [directory, *sorted(directory.rglob("*"))]:
        info = path.lstat()
        found.append(
            (str(path), info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        )
    return found


def test_an_unreadable_folder_is_a_row_with_the_reason(tmp_path: Path) -> None:
    control = open_site(tmp_path, TEXT)
    (tmp_path / "queues" / "out").rmdir()
    (tmp_path / "queues" / "out").write_text("no folder")
    row = control.scan().row("out")
    assert row is not None
    assert (row.state, row.depth, row.cells) == (State.UNREADABLE, None, ())
    assert row.note == "Not a directory"
    control.close()


def test_an_unknown_queue_is_named(control: Control) -> None:
    with pytest.raises(NoSuchQueue, match="'nowhere'"):
        control.names("nowhere")
    with pytest.raises(NoSuchQueue, match="'nowhere'"):
        control.inject("nowhere", MAIL, {})


def test_a_pushed_runner_has_a_row_at_once(control: Control) -> None:
    control.configuration.push("more", f"[runner.more]\n{TAKING}\n")
    assert state_of(control, "more") is State.STOPPED
    control.configuration.pop("more")
    assert control.scan().row("more") is None


# --- States and acts


def test_a_runner_without_a_class_says_so(control: Control) -> None:
    row = control.scan().row("out")
    assert row is not None
    assert row.state is State.NO_CLASS
    assert row.refusal == row.note
    assert "set class in [runner.out]" in row.note
    with pytest.raises(NoRunnerClass):
        control.start("out")


def test_shunt_and_bad_have_no_runner_by_nature(control: Control) -> None:
    row = control.scan().row("shunt")
    assert row is not None
    assert (row.state, row.runner, row.runner_slices) == (State.NO_RUNNER, None, 0)
    for act in (control.start, control.step):
        with pytest.raises(Refused, match="shunt has no runner"):
            act("shunt")


def test_an_unknown_runner_is_named(control: Control) -> None:
    acts: list[Callable[[str], object]] = [
        control.start, control.stop, control.pause, control.resume, control.step,
        control.step_question,
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(NoSuchRunner, match="'nobody'"):
            act("nobody")


def test_slices_are_started_and_stopped_one_by_one(control: Control) -> None:
    assert control.start("in", 2) == "in, slice 2:4, started"
    row = control.scan().row("in")
    assert row is not None
    assert [cell.state for cell in row.cells[::4]] == [
        State.STOPPED, State.STOPPED, State.RUNNING, State.STOPPED,
    ]  # fmt: skip
    assert row.note == "3 slices of 4 stopped, 1 running"
    assert control.start("in") == "in: 3 of 4 slices started"
    assert state_of(control, "in") is State.RUNNING
    with pytest.raises(RunnerError, match="runs already"):
        control.start("in")
    assert control.stop("in", 0) == "in, slice 0:4, stopped"
    eventually(lambda: state_of(control, "in") is State.STOPPED)
    assert control.stop("in") == "in: 3 of 4 slices stopped"


def test_a_slice_that_there_is_not_is_refused(control: Control) -> None:
    for act in (control.start, control.stop):
        with pytest.raises(RunnerError, match="4 slices"):
            act("in", 4)


def test_all_runners_are_started_at_once(control: Control) -> None:
    assert control.start_all() == "started in, side"
    assert control.start_all() == "every runner runs already"


def test_where_no_runner_has_a_class_there_is_nothing_to_start(tmp_path: Path) -> None:
    control = open_site(tmp_path, "[runner.in]\n")
    with pytest.raises(Refused, match="names no runner with a class"):
        control.start_all()
    control.close()


def test_a_runner_is_paused_and_resumed(control: Control) -> None:
    control.start("side")
    assert control.pause("side") == "side paused"
    eventually(lambda: state_of(control, "side") is State.PAUSED)
    assert control.resume("side") == "side resumed"
    eventually(lambda: state_of(control, "side") is State.RUNNING)


def test_what_is_not_paused_is_not_resumed(control: Control) -> None:
    control.start("in")
    with pytest.raises(RunnerError, match=r"^in: none of 4 slices is paused$"):
        control.resume("in")
    control.pause("in", 1)
    with pytest.raises(RunnerError, match=r"^in, slice 2:4, is not paused$"):
        control.resume("in", 2)
    assert control.resume("in", 1) == "in, slice 1:4, resumed"
    control.start("side")
    with pytest.raises(RunnerError, match=r"^side is not paused$"):
        control.resume("side")
    control.step("side")  # it stays paused after that
    assert control.resume("side") == "side resumed"


def test_what_does_not_run_cannot_be_stopped_or_resumed(control: Control) -> None:
    for act in (control.resume, control.stop):
        with pytest.raises(RunnerError, match="side is not running"):
            act("side")


def test_what_does_not_run_can_be_paused_and_takes_nothing_when_it_does(
    control: Control,
) -> None:
    put(control, "side")
    assert control.pause("side", reason="disk swap") == "side paused"
    row = control.scan().row("side")
    assert row is not None
    assert row.state is State.STOPPED
    assert row.note == row.paused
    control.start("side")
    assert state_of(control, "side") is State.PAUSED
    assert control.step("side").outcome is Outcome.DONE
    assert control.resume("side") == "side resumed"
    eventually(lambda: state_of(control, "side") is State.RUNNING)


def test_a_pause_says_who_since_when_until_when_and_why(control: Control) -> None:
    control.start("in")
    control.pause("in", 1, reason="disk swap", until=time.time() + 60)
    row = control.scan().row("in")
    assert row is not None
    assert row.state is State.PAUSED
    who = pwd.getpwuid(os.geteuid()).pw_name
    assert row.paused.startswith(f"slice 1:4 paused: disk swap; by {who} since ")
    assert row.note.startswith(row.paused)
    assert ", until " in row.paused
    assert row.note.endswith("; slice 1:4 paused, 3 running")
    assert control.resume("in") == "in: all 4 slices resumed"
    assert state_of(control, "in") is State.RUNNING


def test_a_pause_holds_for_the_runner_of_another_process(tmp_path: Path) -> None:
    control = open_site(tmp_path, configuration(side=TAKING))
    other = open_site(tmp_path, configuration(side=TAKING))
    other.start("side")
    assert control.pause("side") == "side paused"
    row = control.scan().row("side")
    assert row is not None
    assert row.state is State.CLAIMED
    assert "paused by" in row.note
    assert state_of(other, "side") is State.PAUSED
    assert control.resume("side") == "side resumed"
    assert state_of(other, "side") is State.RUNNING
    other.close()
    control.close()


@pytest.mark.parametrize("until", [0.0, float("nan"), float("inf")])
def test_a_pause_that_would_end_never_or_in_the_past_is_refused(
    control: Control, until: float
) -> None:
    with pytest.raises(Refused, match="a time that lies ahead"):
        control.pause("side", until=until)
    with pytest.raises(RunnerError, match="in has 4 slices: no 7"):
        control.pause("in", 7)


def test_a_sleep_time_can_be_changed(control: Control) -> None:
    assert control.snooze("in", 2.5) == "in snoozes 2.5 s, before: 60 s"
    row = control.scan().row("in")
    assert row is not None
    assert row.snooze_seconds == 2.5


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e9])
def test_an_impossible_sleep_time_is_refused(control: Control, seconds: float) -> None:
    with pytest.raises(Refused, match="a sleep time is"):
        control.snooze("in", seconds)


def test_a_dead_thread_shows_failed_and_can_be_started_again(control: Control) -> None:
    put(control, "side", b"Subject: die\n\nx\n")
    control.start("side")
    eventually(lambda: state_of(control, "side") is State.FAILED)
    row = control.scan().row("side")
    assert row is not None
    assert row.note == "SystemExit: broken"
    assert row.traceback.startswith("Traceback")
    assert not row.refusal
    assert control.start("side") == "side started"
    assert state_of(control, "side") is State.RUNNING


def test_a_step_takes_the_chosen_file(control: Control) -> None:
    put(control, "in")
    base = put(control, "in", b"Subject: boom\n\nx\n", listid="")
    assert control.step_question("in", base) is None
    report = control.step("in", base)
    assert (report.outcome, report.filebase) == (Outcome.SHUNTED, base)
    assert "boom in the subject" in report.traceback
    assert [e.queue for e in report.enqueued] == ["shunt"]
    assert len(control.names("in")) == 1
    assert state_of(control, "in") is State.STOPPED


def test_a_step_of_an_empty_queue_does_nothing(control: Control) -> None:
    assert control.step("in").outcome is Outcome.NOTHING


def test_a_drain_says_what_became_of_everything(control: Control) -> None:
    put(control, "in")
    put(control, "side", b"Subject: boom\n\nx\n")
    report = control.drain()
    assert (report.done, report.shunted, report.left) == (1, 1, 0)


def test_the_log_is_kept_for_the_log_pane(control: Control) -> None:
    put(control, "in")
    control.step("in")
    lines = control.log()
    assert "took hello" in [line.text for line in lines]
    assert control.log(lines[-1].number) == []


def test_an_injected_message_says_whether_somebody_runs_its_queue(
    control: Control,
) -> None:
    before = control.inject("side", MAIL, {"listid": ""})
    assert not before.served
    assert control.entry("side", before.filebase).headers[2] == ("Subject", "hello")
    control.start("side")
    assert control.inject("side", MAIL, {}).served
    assert not control.inject("shunt", MAIL, {}).served


# --- Who else is there


HOLDER = """
import sys
import threading
import time
from qtool.installation import Configuration, load_settings
from pathlib import Path
config = Configuration(load_settings(Path(sys.argv[1])))
part = config.slices("in")[int(sys.argv[2])]
with config.switchboards["in"].for_slice(part).claim("runner in"):
    print("claimed", flush=True)
    sys.stdin.read()
"""


def test_a_slice_of_another_process_shows_its_holder(tmp_path: Path) -> None:
    control = open_site(tmp_path, TEXT)
    (tmp_path / "qtool.cfg").write_text(TEXT)
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "qtool.cfg"), "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "claimed\n"
        holder = f"claimed by pid {other.pid} on {os.uname().nodename} (runner in)"
        row = control.scan().row("in")
        assert row is not None
        assert row.state is State.CLAIMED
        assert [cell.state for cell in row.cells[::4]].count(State.CLAIMED) == 1
        assert row.note == f"slice 1:4 claimed, 3 stopped: {holder}"
        for act in (control.start, control.stop, control.resume):
            with pytest.raises(SliceClaimed, match=f"pid {other.pid} on "):
                act("in", 1)
        assert control.inject("in", MAIL, {}).served
        line = control.start("in")
        assert line == f"in: 3 of 4 slices started; in, slice 1:4, is {holder}"
        other.stdin.close()
        assert other.wait(PATIENCE) == 0
    row = control.scan().row("in")
    assert row is not None
    assert [cell.state for cell in row.cells[::4]][1] is State.STOPPED
    assert control.start("in", 1) == "in, slice 1:4, started"
    control.close()


def test_a_whole_queue_of_another_process_cannot_be_stepped(tmp_path: Path) -> None:
    control = open_site(tmp_path, configuration(side=TAKING))
    other = open_site(tmp_path, configuration(side=TAKING))
    other.start("side")
    row = control.scan().row("side")
    assert row is not None
    assert row.refusal == row.step_refusal == row.note
    assert f"pid {os.getpid()}" in row.note
    with pytest.raises(SliceClaimed, match="pid"):
        control.step("side")
    with pytest.raises(SliceClaimed, match="pid"):
        control.snooze("side", 2)
    other.close()
    assert state_of(control, "side") is State.STOPPED
    control.close()


def test_a_folder_of_queues_has_no_runners_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    control = opened(from_root(tmp_path))
    row = control.scan().row("in")
    assert row is not None
    assert (row.state, row.runner) == (State.NO_RUNNER, None)
    for act in (control.start, control.step, control.pause):
        with pytest.raises(Refused, match="--root names none"):
            act("in")
    with pytest.raises(Refused, match="nothing to run: --root names no runner"):
        control.start_all()
    assert control.inject("in", MAIL, {}).filebase
    control.close()


def test_queues_of_mailman_2_are_only_looked_at(tmp_path: Path) -> None:
    (tmp_path / "qfiles" / "in").mkdir(parents=True)
    control = opened(from_root(tmp_path / "qfiles"))
    row = control.scan().row("in")
    assert row is not None
    assert row.state is State.NO_RUNNER
    assert "Mailman 2" in row.refusal
    acts: list[Callable[[], object]] = [
        lambda: control.start("in"),
        lambda: control.step("in"),
        lambda: control.inject("in", MAIL, {}),
    ]
    for act in acts:
        with pytest.raises(QToolError, match="Mailman 2"):
            act()
    control.close()


def test_the_built_in_default_moves_mail_from_in_to_out(tmp_path: Path) -> None:
    control = opened(default(tmp_path / "spool"))
    assert not (tmp_path / "spool").exists()
    control.inject("in", MAIL, {})
    assert control.start_all() == "started in"
    eventually(lambda: len(control.names("out")) == 1)
    control.close()


# --- The end


def test_closing_waits_for_the_message_in_hand(held: Control) -> None:
    base = put(held, "slow")
    held.start("slow")
    assert Held.busy.wait(PATIENCE)
    (finishing,) = held.finishing()
    assert (finishing.runner, finishing.filebase) == ("slow", base)
    assert finishing.seconds >= 0
    assert held.stop("slow") == "slow stopped after the message in hand"
    assert state_of(held, "slow") is State.STOPPING
    Held.free.set()
    held.close()
    assert held.names("slow") == []


def test_closing_can_give_the_message_in_hand_back(held: Control) -> None:
    base = put(held, "slow")
    held.start("slow")
    assert Held.busy.wait(PATIENCE)
    held.close(unclaim=True)
    assert held.names("slow") == [f"{base}.pck"]


def test_what_is_due_at_the_end_is_done_once(tmp_path: Path) -> None:
    control = opened(default(tmp_path / "spool"))
    ends: list[int] = []
    control.on_close(lambda: ends.append(1))
    control.close()
    control.close()
    assert ends == [1]


def test_who_closes_second_waits_until_the_first_is_done(tmp_path: Path) -> None:
    control = opened(default(tmp_path / "spool"))
    begun, may_end, ends = threading.Event(), threading.Event(), list[str]()

    def end() -> None:
        begun.set()
        assert may_end.wait(PATIENCE)
        ends.append("first")

    def close_too() -> None:
        control.close(unclaim=True)
        ends.append("second")

    control.on_close(end)
    first = threading.Thread(target=control.close)
    first.start()
    assert begun.wait(PATIENCE)
    second = threading.Thread(target=close_too)
    second.start()
    may_end.set()
    for thread in (first, second):
        thread.join(PATIENCE)
    assert ends == ["first", "second"]
