"""Mailman's own runners: one file, by Mailman's program, and back if it survives."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from qtool import qfile
from qtool.engine import private_queue
from qtool.engine.foreign import MailmanRunners
from qtool.engine.mailman_lease import Lease
from qtool.engine.mailman_register import Register
from qtool.engine.step import Outcome, StepReport
from qtool.errors import NoSuchEntry, Refused
from qtool.queues import durable
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qtool.installation import Configuration

TEXT = b"From: anne@example.com\nMessage-ID: <one@example.com>\n\nna\xefve\n"


@pytest.fixture
def mailman(tmp_path: Path) -> MailmanDouble:
    return MailmanDouble(tmp_path)


@pytest.fixture
def site(mailman: MailmanDouble) -> Configuration:
    return mailman.configuration()


def enqueue(site: Configuration, text: bytes = TEXT, **msgdata: Any) -> str:
    message = qfile.message_from_bytes(text)
    return site.switchboards["in"].enqueue(message, listid="ant.example.com", **msgdata)


def traces(site: Configuration) -> list[str]:
    """Return what is left of private queues."""
    return sorted(str(path) for path in site.state_directory.glob("step-*"))


# --- What a step reports


def test_a_step_processes_the_chosen_file_and_no_other(site: Configuration) -> None:
    first, second = enqueue(site), enqueue(site)
    report = MailmanRunners(site).step("in", "in", second)
    (landed,) = site.switchboards["pipeline"].files
    assert report.filebase == second
    assert report.outcome is Outcome.DONE
    assert [(e.queue, e.filebase) for e in report.enqueued] == [("pipeline", landed)]
    assert site.switchboards["in"].files == [first]
    assert site.switchboards["in"].get_files(".bak") == []
    assert traces(site) == []


def test_a_step_without_a_choice_takes_the_oldest(site: Configuration) -> None:
    first, second = enqueue(site), enqueue(site)
    assert MailmanRunners(site).step("in", "in").filebase == first
    assert site.switchboards["in"].files == [second]


def test_a_step_of_an_empty_queue_finds_nothing(site: Configuration) -> None:
    report = MailmanRunners(site).step("in", "in")
    assert (report.outcome, report.filebase) == (Outcome.NOTHING, None)


def test_a_report_has_the_metadata_of_before_and_after(site: Configuration) -> None:
    enqueue(site, colour="blue")
    report = MailmanRunners(site).step("in", "in")
    assert report.before is not None
    assert report.after is not None
    assert report.before["colour"] == report.after["colour"] == "blue"


def test_a_report_quotes_what_the_program_logged_and_nobody_else(
    site: Configuration,
) -> None:
    enqueue(site)
    report = MailmanRunners(site).step("in", "in")
    assert [(line.source, line.text) for line in report.log] == [
        ("mailman.log", "in runner started.")
    ]
    assert abs(report.log[0].when - time.time()) < 100


@pytest.mark.parametrize(
    ("plan", "outcome", "queue"),
    [
        ("deliver", Outcome.DONE, "pipeline"),
        ("shunt", Outcome.SHUNTED, "shunt"),
        ("requeue", Outcome.KEPT, "in"),
        ("preserve", Outcome.PRESERVED, None),
        ("leave", Outcome.NOT_TAKEN, None),
        ("die", Outcome.NOT_TAKEN, None),
    ],
)
def test_the_outcome_is_read_from_the_queues(
    mailman: MailmanDouble,
    site: Configuration,
    plan: str,
    outcome: Outcome,
    queue: str | None,
) -> None:
    base = enqueue(site)
    mailman.plan(plan)
    report = MailmanRunners(site).step("in", "in", base)
    assert report.outcome is outcome
    assert [place.queue for place in report.enqueued] == ([queue] if queue else [])
    assert traces(site) == []


def test_a_shunted_message_brings_its_traceback(
    mailman: MailmanDouble, site: Configuration
) -> None:
    enqueue(site)
    mailman.plan("shunt")
    report = MailmanRunners(site).step("in", "in")
    assert report.traceback.splitlines() == [
        "Traceback (most recent call last):",
        '  File "x.py", line 1',
        "ValueError: bad luck",
    ]


def test_a_file_that_was_not_taken_is_back_and_the_report_says_so(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base = enqueue(site)
    mailman.plan("die")
    report = MailmanRunners(site).step("in", "in", base)
    assert site.switchboards["in"].files == [base]
    assert "Mailman's runner ended with status -9: Killed: by the test" in report.note
    assert "the file is in in, as before" in report.note
    assert "Killed: by the test" in report.traceback


def test_a_survivor_is_back_unchanged_but_for_its_recoveries(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base = enqueue(site)
    path = mailman.queues / "in" / f"{base}.pck"
    entry = qfile.read(path)
    counted = qfile.encode_msgdata({**entry.msgdata, "_bak_count": 2})
    path.write_bytes(entry.message_bytes + counted)
    mailman.plan("die")
    MailmanRunners(site).step("in", "in", base)
    back = qfile.read(path)
    assert back.message_bytes == entry.message_bytes
    assert back.msgdata == entry.msgdata
    assert "_bak_count" not in back.msgdata


def test_the_passwords_of_the_site_are_for_our_eyes_and_do_not_stay(
    mailman: MailmanDouble, site: Configuration
) -> None:
    enqueue(site)
    mailman.plan("wait")
    with Stepping(site) as step:
        mailman.wait_until_started()
        (private,) = site.state_directory.glob("step-*/mailman.cfg")
        assert private.stat().st_mode & 0o777 == 0o600
        mailman.open_gate()
    assert step.report is not None
    assert step.report.outcome is Outcome.DONE
    assert not private.exists()


def test_a_step_under_way_says_what_it_has_in_hand(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base = enqueue(site)
    mailman.plan("wait")
    runners = MailmanRunners(site)
    with Stepping(site, runners):
        mailman.wait_until_started()
        assert [(name, found) for name, found, _ in runners.in_hand] == [("in", base)]
        mailman.open_gate()
    assert runners.in_hand == []


# --- What is refused


def test_a_file_that_is_gone_is_named(site: Configuration) -> None:
    base = enqueue(site)
    site.switchboards["in"].move(base, site.switchboards["out"])
    with pytest.raises(NoSuchEntry, match="is not in in"):
        MailmanRunners(site).step("in", "in", base)
    with pytest.raises(NoSuchEntry):
        MailmanRunners(site).step("in", "in", "../out/x")
    assert traces(site) == []


def test_a_file_that_runs_code_is_not_given_to_mailman(
    mailman: MailmanDouble, site: Configuration
) -> None:
    marker = mailman.directory / "marker"
    name = f"1700000000.5+{'a' * 40}"
    content = b"cos\nsystem\n(S'touch %s'\ntR." % os.fsencode(marker)
    (mailman.queues / "in" / f"{name}.pck").write_bytes(content + b"(dp0\n.")
    with pytest.raises(Refused, match="is not given to Mailman"):
        MailmanRunners(site).step("in", "in", name)
    assert site.switchboards["in"].files == [name]
    assert not marker.exists()


def test_a_link_is_not_given_to_mailman(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base, name = enqueue(site), f"1700000000.5+{'a' * 40}"
    queue = mailman.queues / "in"
    (queue / f"{name}.pck").symlink_to(queue / f"{base}.pck")
    with pytest.raises(Refused, match="is not given to Mailman"):
        MailmanRunners(site).step("in", "in", name)


def test_a_damaged_file_is_given_to_mailman_which_preserves_it(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base = enqueue(site)
    path = mailman.queues / "in" / f"{base}.pck"
    path.write_bytes(path.read_bytes()[:-20])
    mailman.plan("preserve")
    report = MailmanRunners(site).step("in", "in")
    assert report.outcome is Outcome.PRESERVED


@pytest.mark.parametrize(
    ("runner", "reason"),
    [
        ("shunt", "no runner serves shunt"),
        ("retry", "retry manages no queue"),
        ("lmtp", "lmtp manages no queue"),
        ("mine", "mine is not one of Mailman's own runners"),
    ],
)
def test_a_runner_that_cannot_be_stepped_says_why(
    mailman: MailmanDouble, runner: str, reason: str
) -> None:
    ours = "[runner.mine]\nclass: qtool.runners.forward.ForwardRunner\n"
    site = mailman.configuration({"mine": ours})
    assert MailmanRunners(site).step_refusal(runner).startswith(reason)
    assert MailmanRunners(site).step_refusal("in") == ""


def test_without_mailmans_program_a_step_says_where_it_looked(
    mailman: MailmanDouble, site: Configuration
) -> None:
    (mailman.programs / "runner").unlink()
    base = enqueue(site)
    with pytest.raises(
        Refused, match=r"'runner' is in none of .*bin, .*: name its folder"
    ):
        MailmanRunners(site).step("in", "in", base)
    assert site.switchboards["in"].files == [base]


def test_a_program_that_cannot_run_leaves_the_file_where_it_was(
    mailman: MailmanDouble, site: Configuration
) -> None:
    (mailman.programs / "runner").write_text("#!/no/such/python\n")
    base = enqueue(site)
    with pytest.raises(Refused, match="No such file"):
        MailmanRunners(site).step("in", "in", base)
    assert site.switchboards["in"].files == [base]
    assert traces(site) == []


# --- Mailman's master


def test_mailman_is_stopped_without_a_lock(site: Configuration) -> None:
    assert MailmanRunners(site).master_state() is None


def test_a_process_that_is_no_master_does_not_count(
    mailman: MailmanDouble, site: Configuration
) -> None:
    mailman.lock_of_master(os.getpid(), os.uname().nodename)
    assert MailmanRunners(site).master_state() is None


def test_a_running_master_is_known_by_its_program(
    mailman: MailmanDouble, site: Configuration
) -> None:
    master = mailman.programs / "master"
    master.write_text(f"#!{sys.executable} -ES\nimport sys\nsys.stdin.read()\n")
    with subprocess.Popen([master], stdin=subprocess.PIPE) as process:
        mailman.lock_of_master(process.pid, os.uname().nodename)
        wait_for_true(lambda: MailmanRunners(site).master_state() is not None)
        assert MailmanRunners(site).master_state() == f"pid {process.pid}"
        process.communicate()
    assert MailmanRunners(site).master_state() is None


def test_the_runners_that_a_master_keeps_are_known_by_their_processes(
    mailman: MailmanDouble, site: Configuration
) -> None:
    master, runner = mailman.programs / "master", mailman.programs / "slept"
    runner.write_text(f"#!{sys.executable} -ES\nimport sys\nsys.stdin.read()\n")
    runner.chmod(0o755)
    specs = ["--runner=in:0:1", "--runner=out:1:2", "--runner=none"]
    master.write_text(
        f"#!{sys.executable} -ES\nimport subprocess, sys\n"
        f"own = [subprocess.Popen([{str(runner)!r}, each, '-C', 'x'])"
        f" for each in {specs}]\n"
        "for each in own: each.wait()\n"
    )
    processes = MailmanRunners(site).processes
    assert processes() is None
    with subprocess.Popen([master], stdin=subprocess.PIPE) as process:
        mailman.lock_of_master(process.pid, os.uname().nodename)
        wait_for_true(lambda: (found := processes()) and len(found) == 2)
        found = processes()
        assert found is not None
        assert set(found) == {("in", 0), ("out", 1)}
        first = found["in", 0]
        os.kill(first.pid, signal.SIGSTOP)
        wait_for_true(lambda: (now := processes()) and now["in", 0].is_suspended)
        os.kill(first.pid, signal.SIGKILL)
        wait_for_true(lambda: (now := processes()) and set(now) == {("out", 1)})
        process.communicate()
    assert processes() is None


def test_a_lock_of_another_machine_counts_until_its_time(
    mailman: MailmanDouble, site: Configuration
) -> None:
    mailman.lock_of_master(999_999_999, "elsewhere.example.com")
    lock = site.settings.lock_file
    assert lock is not None
    os.utime(lock, (time.time() + 100, time.time() + 100))
    state = MailmanRunners(site).master_state()
    assert state == "pid 999999999 on elsewhere.example.com"
    os.utime(lock, (time.time() - 100, time.time() - 100))
    assert MailmanRunners(site).master_state() is None


def test_a_lock_that_is_held_for_runners_of_ours_is_no_masters(
    mailman: MailmanDouble, site: Configuration
) -> None:
    lock = site.settings.lock_file
    assert lock is not None
    # What Mailman calls this machine need not be its own name for itself.
    lease = Lease(lock, host="lists.example.com", pid=os.getpid())
    holder = Register(site.state_directory)
    holder.note(lease.claim)
    lease.take()
    master = MailmanRunners(site).master_state
    assert master() == f"pid {os.getpid()} on lists.example.com"  # nobody holds it
    holder.hold()
    assert master() is None
    holder.note("another")
    assert master() is not None
    holder.close()


@pytest.mark.parametrize("content", ["", "x", "a|b|c|d", "a|b|²|d", "|" * 9000])
def test_a_strange_lock_is_no_master(
    mailman: MailmanDouble, site: Configuration, content: str
) -> None:
    lock = mailman.directory / "var" / "locks" / "master.lck"
    lock.write_text(content)
    assert MailmanRunners(site).master_state() is None


# --- After a kill


def test_a_file_whose_step_was_cut_short_is_put_back(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base = enqueue(site)
    abandon(site, base, suffix=".bak")
    assert site.switchboards["in"].files == []
    assert MailmanRunners(site).recover() == [
        f"{base} is back in in: its step was cut short"
    ]
    assert site.switchboards["in"].files == [base]
    assert traces(site) == []
    assert MailmanRunners(site).recover() == []


def test_a_return_that_was_cut_short_is_done_again(site: Configuration) -> None:
    base = enqueue(site, _bak_count=1)
    abandon(site, base, suffix=".bak")
    (folder,) = site.state_directory.glob("step-*/queue")
    (folder / f"{base}.bak.edit").write_bytes(b"half of it")
    assert len(MailmanRunners(site).recover()) == 1
    assert "_bak_count" not in site.switchboards["in"].peek(base).msgdata
    assert traces(site) == []


def test_a_step_recovers_before_it_begins(site: Configuration) -> None:
    base = enqueue(site)
    abandon(site, base)
    assert MailmanRunners(site).step("in", "in", base).outcome is Outcome.DONE


def test_nothing_is_put_back_while_the_child_is_alive(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base = enqueue(site)
    mailman.plan("wait")
    code = (
        "import sys; from pathlib import Path\n"
        "from qtool.installation import Configuration, load_settings\n"
        "from qtool.engine.foreign import MailmanRunners\n"
        "site = Configuration(load_settings(Path(sys.argv[1])))\n"
        "MailmanRunners(site).step('in', 'in')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(mailman.directory / "mailman.cfg")]
    ) as qtool:
        mailman.wait_until_started()
        qtool.kill()
    assert MailmanRunners(site).recover() == []
    assert len(traces(site)) == 1
    mailman.open_gate()
    wait_for_true(lambda: MailmanRunners(site).recover() == [] and not traces(site))
    assert site.switchboards["in"].files == []
    assert len(site.switchboards["pipeline"].files) == 1
    assert base not in site.switchboards["in"].get_files(".bak")


def test_what_is_there_already_is_not_overwritten(
    mailman: MailmanDouble, site: Configuration
) -> None:
    base = enqueue(site)
    abandon(site, base)
    other = mailman.queues / "in" / f"{base}.pck"
    other.write_bytes(b"another")
    (line,) = MailmanRunners(site).recover()
    assert "is there already: see" in line
    assert other.read_bytes() == b"another"
    assert len(list(site.state_directory.glob(f"step-*/queue/{base}.pck"))) == 1


def test_a_note_that_was_never_finished_means_nothing_was_moved(
    site: Configuration,
) -> None:
    base = enqueue(site)
    (site.state_directory / "step-1" / "queue").mkdir(parents=True)
    (site.state_directory / "step-1" / "note.json").write_text('{"queue": "in')
    assert MailmanRunners(site).recover() == []
    assert traces(site) == []
    assert site.switchboards["in"].files == [base]


def test_a_private_queue_that_was_never_finished_goes(site: Configuration) -> None:
    (site.state_directory / "step-1").mkdir(parents=True)
    assert MailmanRunners(site).recover() == []
    assert traces(site) == []


def test_a_step_that_a_full_disk_refuses_leaves_nothing(
    site: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = enqueue(site)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "write_new", fail)
    with pytest.raises(Refused, match="No space left"):
        MailmanRunners(site).step("in", "in", base)
    assert traces(site) == []
    assert site.switchboards["in"].files == [base]


def test_a_file_of_a_queue_that_is_gone_stays_and_is_named(site: Configuration) -> None:
    base = enqueue(site)
    abandon(site, base, queue="elsewhere")
    (line,) = MailmanRunners(site).recover()
    assert "holds a file of the queue 'elsewhere', which is not configured" in line
    assert len(list(site.state_directory.glob(f"step-*/queue/{base}.pck"))) == 1


def test_recovering_where_nothing_happened_writes_nothing(site: Configuration) -> None:
    assert MailmanRunners(site).recover() == []
    assert not site.state_directory.exists()


# --- Helpers


def abandon(
    site: Configuration, base: str, *, queue: str = "in", suffix: str = ".pck"
) -> None:
    """Leave a private queue as a killed qtool leaves it."""
    note = private_queue.Note(queue=queue, runner="in", filebase=base)
    private = private_queue.make(site.state_directory, note)
    private.take(site.switchboards["in"].queue_directory)
    waiting = private.directory / f"{base}.pck"
    waiting.rename(waiting.with_suffix(suffix))
    private.close()


class Stepping:
    """A step in a thread of its own."""

    def __init__(
        self, site: Configuration, runners: MailmanRunners | None = None
    ) -> None:
        self.report: StepReport | None = None
        self._runners = runners or MailmanRunners(site)
        self._thread = threading.Thread(target=self._step)

    def _step(self) -> None:
        self.report = self._runners.step("in", "in")

    def __enter__(self) -> Stepping:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


def wait_for_true(fact: Callable[[], bool]) -> None:
    """Wait for what another program does, and tells nobody."""
    end = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.005)
