from __future__ import annotations

import os
import select
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from qtool.control.control import Control
from qtool.control.models import Outcome, State
from qtool.control.opening import open_site
from qtool.engine.mailman_lease import read_claim
from qtool.errors import NoSuchEntry, QToolError, Refused
from tests.control.site import MAIL, PATIENCE, Held, put
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qtool.control.models import QueueRow


@pytest.fixture
def double(tmp_path: Path) -> MailmanDouble:
    return MailmanDouble(tmp_path / "site")


@pytest.fixture
def control(double: MailmanDouble) -> Iterator[Control]:
    control = open_site(config_file=double.directory / "mailman.cfg")
    yield control
    control.close()


def row_of(control: Control, name: str) -> QueueRow:
    row = control.scan().row(name)
    assert row is not None
    return row


def test_a_row_says_that_mailman_is_stopped(control: Control) -> None:
    row = row_of(control, "in")
    assert (row.state, row.note) == (State.MAILMAN_STOPPED, "")
    assert (row.runner_slices, len(row.cells)) == (4, 16)
    assert control.site().mailman == "Mailman stopped"
    assert control.site().kind == "mailman3"


def test_a_row_says_that_mailman_runs(control: Control, double: MailmanDouble) -> None:
    double.lock_of_master(4711, "elsewhere.example.com")
    (double.directory / "var/locks/master.lck").touch()
    os.utime(double.directory / "var/locks/master.lck", (4e9, 4e9))
    row = row_of(control, "in")
    assert row.state is State.MAILMAN
    assert row.note == "pid 4711 on elsewhere.example.com"
    assert "Mailman (pid 4711 on" in control.scan().site.mailman
    assert control.inject("in", MAIL, {}).served


def test_a_spool_that_is_not_there_while_mailman_runs_is_told(
    control: Control, double: MailmanDouble
) -> None:
    (double.directory / "var/queue").rename(double.directory / "var/away")
    assert control.site().verdict is None  # nothing was put into it yet
    double.lock_of_master(4711, "elsewhere.example.com")
    os.utime(double.directory / "var/locks/master.lck", (4e9, 4e9))
    other = open_site(config_file=double.directory / "mailman.cfg")
    verdict = other.scan().site.verdict
    other.close()
    assert verdict is not None
    assert verdict.words == "the spool is gone"
    assert verdict.evidence.startswith("Mailman runs, and /")


def test_sleep_times_are_mailmans(control: Control) -> None:
    row = row_of(control, "bounces")
    assert (row.snooze_seconds, row.snooze_fixed) == (120.0, True)


def test_a_runner_that_is_switched_off_says_so(control: Control) -> None:
    row = row_of(control, "nntp")
    assert (row.state, row.note) == (
        State.MAILMAN_STOPPED,
        "switched off in mailman.cfg",
    )


def test_a_runner_without_a_queue_has_no_depth_and_no_cells(control: Control) -> None:
    row = row_of(control, "lmtp")
    assert (row.has_queue, row.depth, row.cells) == (False, None, ())
    assert "manages no queue" in row.step_refusal
    assert not row.sends_mail


def test_only_mailman_starts_and_pauses_its_runners(control: Control) -> None:
    acts: list[Callable[[str], str]] = [
        control.start, control.stop, control.pause, control.resume,
        lambda name: control.snooze(name, 2.0),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(Refused, match="Mailman runs these itself"):
            act("in")
        with pytest.raises(Refused, match="shunt has no runner"):
            act("shunt")
    with pytest.raises(Refused, match="Mailman runs these itself"):
        control.start_all()


# --- Runners of ours


OURS = "[runner.in]\nclass: tests.control.site.Taking\ninstances: 2\n"


@contextmanager
def holder(double: MailmanDouble) -> Iterator[None]:
    """Mailman's lock is held for us; it is not any more when this ends."""
    claim = read_claim(double.directory / "var/locks/master.lck")
    assert claim is not None
    process = os.pidfd_open(claim.pid)
    try:
        yield
        assert select.select([process], [], [], PATIENCE)[0]
    finally:
        os.close(process)


def locks(double: MailmanDouble) -> list[Path]:
    return list((double.directory / "var/locks").iterdir())


def test_a_runner_of_ours_works_there_under_mailmans_lock(
    control: Control, double: MailmanDouble
) -> None:
    control.configuration.push("x", OURS.replace("Taking", "Held"))
    assert row_of(control, "in").state is State.STOPPED
    assert locks(double) == []
    Held.busy.clear()
    Held.free.clear()
    put(control, "in")
    assert control.start_all() == "started in"
    with holder(double):
        assert Held.busy.wait(PATIENCE)
        assert len(list((double.queues / "in").glob("*.bak"))) == 1
        assert row_of(control, "in").state is State.RUNNING
        assert control.site().mailman == "Mailman locked out"
        Held.free.set()
        assert control.stop("in").startswith("in: all 2 slices stopped")
    assert locks(double) == []
    assert list((double.queues / "in").iterdir()) == []


def test_a_runner_of_ours_is_stepped_under_mailmans_lock(
    control: Control, double: MailmanDouble
) -> None:
    control.configuration.push("x", OURS)
    base = put(control, "in")
    assert control.step_question("in") is None
    assert control.step("in", base).outcome is Outcome.DONE
    assert list((double.queues / "pipeline").iterdir()) == []  # it was not Mailman's


def test_while_mailman_runs_none_of_ours_does(
    control: Control, double: MailmanDouble
) -> None:
    control.configuration.push("x", OURS)
    double.lock_of_master(4711, "elsewhere.example.com")
    os.utime(double.directory / "var/locks/master.lck", (4e9, 4e9))
    row = row_of(control, "in")
    assert (row.state, row.runner_slices) == (State.CLAIMED, 2)
    assert row.refusal == (
        "Mailman runs (pid 4711 on elsewhere.example.com), and its queues are its own"
    )
    put(control, "in")
    acts: list[Callable[[], object]] = [
        control.start_all,
        lambda: control.start("in"),
        lambda: control.step("in"),
    ]
    for act in acts:
        with pytest.raises(QToolError, match=r"pid 4711 on elsewhere.*until 20"):
            act()
    report = control.drain(("in",))
    assert (report.done, report.left) == (0, 0)
    assert "held by pid 4711" in report.others[0]
    assert len(list((double.queues / "in").glob("*.pck"))) == 1


def test_a_drain_takes_what_ours_makes_for_mailmans(
    control: Control, double: MailmanDouble
) -> None:
    control.configuration.push(
        "x", "[runner.in]\nclass: qtool.runners.forward.ForwardRunner\nto: out\n"
    )
    double.plan("preserve")
    put(control, "in")
    report = control.drain()
    assert (report.done, report.preserved, report.left) == (1, 1, 0)
    assert report.failures == report.others == ()
    assert len(list((double.queues / "bad").iterdir())) == 1


def test_a_queue_changes_hands_when_the_file_is_read_again(
    control: Control, double: MailmanDouble
) -> None:
    control.configuration.push("x", OURS)
    control.start_all()
    source = double.directory / "mailman.cfg"
    text = source.read_text()
    source.write_text(f"{text}[runner.out]\nclass: tests.control.site.Taking\n")
    (line,) = control.reload()
    assert line.endswith("OutgoingRunner -> tests.control.site.Taking: started")
    source.write_text(text)
    (line,) = control.reload()
    assert line.endswith("tests.control.site.Taking -> mailman.runners.outgoing"
                         ".OutgoingRunner: stopped")  # fmt: skip
    assert row_of(control, "out").state is State.MAILMAN_STOPPED
    with holder(double):
        control.stop("in")


def test_a_class_that_is_none_of_ours_is_mailmans(control: Control) -> None:
    control.configuration.push("x", "[runner.in]\nclass: plugin.of.Mailmans\n")
    row = row_of(control, "in")
    assert (row.state, row.refusal) == (
        State.MAILMAN_STOPPED,
        "Mailman runs these itself: use mailman start and mailman stop",
    )
    assert row.note == (
        "[runner.in] class: plugin.of.Mailmans:"
        " ModuleNotFoundError: No module named 'plugin'"
    )
    put(control, "in")
    with pytest.raises(Refused, match="Mailman runs these itself"):
        control.start("in")
    assert control.step("in").outcome is Outcome.DONE


def test_the_question_names_queue_subject_and_number_of_recipients(
    control: Control,
) -> None:
    put(control, "out", MAIL, recipients={"a@example.com", "b@example.com"})
    assert control.step_question("out") == (
        "Step Mailman's own runner through one file of the queue out?"
        " It really processes “hello”, for 2 recipients, and sends it."
    )


def test_a_file_that_cannot_be_read_is_asked_about_by_name(control: Control) -> None:
    base = put(control, "in")
    queue = control.configuration.switchboards["in"]
    (queue.queue_directory / f"{base}.pck").write_bytes(b"\x80\x05")
    question = control.step_question("in")
    assert question is not None
    assert base in question


def test_a_step_takes_the_file_asked_about_and_no_other(control: Control) -> None:
    first = put(control, "in")
    assert control.step_question("in") is not None
    put(control, "in")
    report = control.step("in")
    assert (report.outcome, report.filebase) == (Outcome.DONE, first)


def test_a_step_never_takes_what_came_after_the_question(control: Control) -> None:
    base = put(control, "in")
    assert control.step_question("in") is not None
    queue = control.configuration.switchboards["in"]
    queue.dequeue(base)
    queue.finish(base)
    put(control, "in")
    with pytest.raises(NoSuchEntry):
        control.step("in")


def test_a_queue_that_was_empty_when_asked_about_is_not_stepped(
    control: Control,
) -> None:
    assert control.step_question("in") is None
    put(control, "in")
    assert control.step("in").outcome is Outcome.NOTHING
    assert control.step("in").outcome is Outcome.DONE


def test_a_step_can_be_limited_to_a_slice(control: Control) -> None:
    base = put(control, "in")
    number = int(base[-40], 16) // 4
    for other in {0, 1, 2, 3} - {number}:
        assert control.step("in", slice=other).outcome is Outcome.NOTHING
    assert control.step("in", slice=number).filebase == base
    with pytest.raises(Refused, match="4 slices"):
        control.step("in", slice=4)


def test_a_drain_goes_on_in_later_queues_and_takes_what_comes_back_once(
    control: Control,
) -> None:
    for _ in range(2):
        put(control, "in")
    report = control.drain()  # the double puts everything into pipeline
    assert (report.done, report.kept, report.left) == (4, 0, 2)
    assert (report.failures, report.others, report.note) == ((), (), "")
    assert len(control.names("pipeline")) == 2


def test_what_mailman_retries_rests_until_the_next_drain(
    control: Control, double: MailmanDouble
) -> None:
    control.configuration.push("x", "[runner.retry]\npath: retry\n")
    (double.queues / "retry").mkdir()
    double.plan("retry")
    put(control, "out")
    report = control.drain()
    assert (report.done, report.kept, report.left) == (1, 0, 1)
    assert len(control.names("retry")) == 1


def test_a_drain_of_one_slice_takes_nothing_else(control: Control) -> None:
    bases = [put(control, "in") for _ in range(6)]
    upper = [base for base in bases if base[-40] in "cdef"]
    control.drain(("in:3:4",))
    left = {name.removesuffix(".pck") for name in control.names("in")}
    assert left == set(bases) - set(upper)


def test_a_drain_leaves_to_a_running_mailman_what_it_runs(
    control: Control, double: MailmanDouble
) -> None:
    double.lock_of_master(4711, "elsewhere.example.com")
    os.utime(double.directory / "var/locks/master.lck", (4e9, 4e9))
    put(control, "in")
    report = control.drain()
    assert (report.done, report.left) == (0, 0)
    assert report.others[0].startswith("left alone: Mailman (pid 4711 on elsewhere")
    assert control.drain(("in",)).done == 1


def test_a_drain_names_what_was_not_taken(
    control: Control, double: MailmanDouble
) -> None:
    double.plan("leave")
    base = put(control, "in")
    report = control.drain()
    assert (report.done, report.left) == (0, 1)
    assert base in report.failures[0]
    (double.programs / "runner").unlink()
    put(control, "in")
    report = control.drain()
    assert report.left == 2
    assert "'runner' is in none of" in report.failures[0]
    assert len(report.failures) == 1


def test_what_cannot_be_stepped_says_why(control: Control) -> None:
    for name in ("shunt", "lmtp"):
        refusal = row_of(control, name).step_refusal
        assert refusal
        with pytest.raises(Refused, match=r"no runner|no queue"):
            control.step(name)
        with pytest.raises(Refused, match=r"no runner|no queue"):
            control.step_question(name)


def test_mail_is_injected_in_the_text_form(control: Control) -> None:
    injected = control.inject("in", MAIL, {"listid": "ant.example.com"})
    assert not injected.served
    view = control.entry("in", injected.filebase)
    assert view.msgdata["_parsemsg"] is True
    assert "Message-ID-Hash" in dict(view.headers)


def test_opening_puts_back_what_a_killed_step_left(double: MailmanDouble) -> None:
    from qtool.engine import private_queue

    config = double.directory / "mailman.cfg"
    control = open_site(config_file=config)
    base = put(control, "in")
    note = private_queue.Note(queue="in", runner="in", filebase=base)
    private = private_queue.make(control.configuration.state_directory, note)
    private.take(control.configuration.switchboards["in"].queue_directory)
    private.close()
    assert control.names("in") == []
    control.close()
    looking = open_site(config_file=config, read_only=True)
    assert looking.names("in") == []
    looking.close()
    again = open_site(config_file=config)
    assert again.names("in") == [f"{base}.pck"]
    assert any(base in line.text for line in again.log())
    again.close()
