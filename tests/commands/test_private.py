"""The console's own engine: a process that ends with the console, however it ends."""

from __future__ import annotations

import logging
import os
import re
import select
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.commands.site import ENGINE
from qtool.control import Control, open_site
from qtool.control.models import ENGINE_GONE, Board, Outcome, State
from qtool.control.opening import open_apart, site_settings
from qtool.control.serving.daemons import daemon_of, holdings, state_of
from qtool.errors import NoSuchQueue, Refused, RunnerError, Unreachable
from tests.commands.program import FORWARD, MESSAGE, QTOOL, configuration, entries
from tests.control.site import PATIENCE, Boards, eventually
from tests.engine.conftest import many_files
from tests.engine.mailman_double import MailmanDouble
from tests.terminal import Terminal, children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long

WAIT = FORWARD + "[runner.slow]\nclass: runners_of_the_test.Wait\nstart: no\n"


def opened(site: Path) -> Control:
    """The site as the console opens it."""
    return open_apart(site_settings(site, None), ENGINE)


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A site one of whose runners waits until it is let go."""
    return configuration(tmp_path, WAIT)


@pytest.fixture
def apart(slow: Path) -> Iterator[Control]:
    control = opened(slow)
    yield control
    control.close(unclaim=True)


def put(site: Path, queue: str = "slow", **msgdata: str) -> str:
    """Put a message into a queue, which keeps the runner ``slow`` until let go."""
    control = open_site(config_file=site)
    msgdata["gate"] = str(site.with_name("gate"))
    filebase = control.inject(queue, MESSAGE, msgdata).filebase
    control.close()
    return filebase


def busy(site: Path) -> list[str]:
    """What the runner ``slow`` has in hand."""
    return [each for each in left(site) if each.endswith(".bak")]


def left(site: Path) -> list[str]:
    return entries(site.with_name("spool") / "slow")


def engine_of(pid: int) -> int:
    """The engine of the console that is this process."""
    (engine,) = children_of(pid)
    return engine


@contextmanager
def ended(pid: int, seconds: float) -> Iterator[None]:
    """Wait, at the end, until that process has ended."""
    door = os.pidfd_open(pid)
    try:
        yield
        assert select.select([door], [], [], seconds)[0]
    finally:
        os.close(door)


def state(runner: str, wanted: State, board: Board) -> bool:
    row = board.row(runner)
    return row is not None and row.state is wanted


# --- Over the calls of Control


def test_it_does_what_an_engine_of_this_process_would(
    slow: Path, apart: Control
) -> None:
    boards = Boards(apart)
    boards.wait(partial(state, "in", State.STOPPED))
    assert apart.start("in") == "in started"
    put(slow, "in")
    board = boards.wait(lambda board: (row := board.row("out")) and row.depth == 1)
    assert board.site.attached == ""
    (entry,) = apart.entries("out")
    assert apart.names("out") == [f"{entry.filebase}.pck"]
    with pytest.raises(RunnerError, match="runs already"):
        apart.start("in")
    with pytest.raises(NoSuchQueue):
        apart.entries("none")
    engine = engine_of(os.getpid())
    assert os.getpriority(os.PRIO_PROCESS, engine) > os.nice(0)
    with ended(engine, 0):
        apart.close()
    with pytest.raises(Unreachable, match="this console's engine has ended"):
        apart.start("in")


def test_a_console_with_many_files_open_has_an_engine(slow: Path) -> None:
    with many_files():
        control = opened(slow)
        assert control.start("in") == "in started"
        control.close()


def test_a_board_is_there_before_the_engine_is(apart: Control) -> None:
    os.kill(engine_of(os.getpid()), signal.SIGSTOP)
    board = Boards(apart).wait(lambda board: board.rows)
    assert state("in", State.STOPPED, board)
    assert board.site.watching == ""
    os.kill(engine_of(os.getpid()), signal.SIGCONT)


def test_what_the_engine_holds_never_looks_like_another_s(apart: Control) -> None:
    apart.start("in")
    boards = Boards(apart)
    boards.wait(lambda board: board.site.watching == "events")
    assert all(state("in", State.RUNNING, board) for board in boards.seen)


def test_what_was_logged_there_and_here_is_one_log(slow: Path, apart: Control) -> None:
    boards = Boards(apart)
    logging.getLogger("qtool.console").error("here")
    put(slow)
    apart.start("slow")
    boards.wait(lambda _: any(line.text == "in hand" for line in apart.log()))
    slow.with_name("gate").touch()
    numbers = [line.number for line in apart.log()]
    assert "here" in {line.text for line in apart.log()}
    assert numbers == sorted(set(numbers))
    assert not any("pid" in line.text for line in apart.log())


def test_closing_waits_for_what_is_in_hand_and_is_told_what_that_is(
    slow: Path, apart: Control
) -> None:
    filebase = put(slow)
    apart.start("slow")
    eventually(lambda: busy(slow))
    closing = threading.Thread(target=apart.close)
    closing.start()
    (one,) = apart.finishing()
    assert (one.runner, one.filebase) == ("slow", filebase)
    assert closing.is_alive()
    slow.with_name("gate").touch()
    closing.join(PATIENCE)
    assert left(slow) == []


def test_closing_a_second_time_gives_the_message_back(
    slow: Path, apart: Control
) -> None:
    filebase = put(slow)
    apart.start("slow")
    eventually(lambda: busy(slow))
    engine = engine_of(os.getpid())
    closing = threading.Thread(target=apart.close)
    closing.start()
    with ended(engine, 0):
        apart.close(unclaim=True)
    closing.join(PATIENCE)
    assert left(slow) == [f"{filebase}.pck"]


def test_an_engine_that_dies_is_named_and_followed_by_another(
    slow: Path, apart: Control
) -> None:
    boards = Boards(apart)
    apart.start("in")
    boards.wait(partial(state, "in", State.RUNNING))
    former = engine_of(os.getpid())
    os.kill(former, signal.SIGKILL)
    boards.wait(lambda board: board.site.attached == ENGINE_GONE)
    seen = len(boards.seen)
    board = boards.wait(lambda board: board.site.attached == "", seen)
    assert state("in", State.STOPPED, board)
    assert engine_of(os.getpid()) != former
    assert [line.text for line in apart.log() if line.level == "ERROR"] == [
        f"this console's engine, pid {former}, was killed by SIGKILL;"
        " the next one comes with its runners stopped"
    ]
    assert apart.start("in") == "in started"


def test_an_engine_that_cannot_start_says_why_and_is_tried_again(
    slow: Path, apart: Control
) -> None:
    boards = Boards(apart)
    text = slow.read_text()
    boards.wait(lambda board: board.site.watching)
    slow.write_text(text + "[runner.in]\ninstances: none\n")
    os.kill(engine_of(os.getpid()), signal.SIGTERM)
    boards.wait(lambda _: any("does not start" in line.text for line in apart.log()))
    slow.write_text(text)
    assert any(
        f"does not start: {slow}: line" in line.text
        and "[runner.in] is there already" in line.text
        for line in apart.log()
    )
    boards.wait(lambda board: board.site.attached == "", len(boards.seen))


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGTERM])
def test_the_last_words_of_an_engine_are_in_the_log(
    slow: Path, apart: Control, number: signal.Signals
) -> None:
    boards = Boards(apart)
    apart.start("in")
    boards.wait(partial(state, "in", State.RUNNING))
    os.kill(engine_of(os.getpid()), number)
    boards.wait(lambda board: board.site.attached == ENGINE_GONE)
    (line,) = (line for line in apart.log() if line.level == "ERROR")
    assert re.search(rf"was (killed|ended) by {number.name}; the next one", line.text)
    # Its stack is that of the thread which the signal has found.
    assert ("Stack (most recent" in line.traceback) == (number is signal.SIGSEGV)


def test_what_a_thread_of_an_engine_ends_of_is_in_the_log(
    slow: Path, apart: Control
) -> None:
    boards = Boards(apart)
    put(slow, fails="yes")
    apart.start("slow")
    boards.wait(lambda _: any(line.level == "ERROR" for line in apart.log()))
    (line,) = (line for line in apart.log() if line.level == "ERROR")
    assert line.text == "aside ends: ZeroDivisionError: division by zero"
    assert "in <lambda>" in line.traceback


def test_an_engine_that_fails_as_it_ends_says_so_when_it_is_closed(
    slow: Path, apart: Control
) -> None:
    boards = Boards(apart)
    put(slow)
    apart.start("slow")
    eventually(lambda: busy(slow))
    closing = ThreadPoolExecutor().submit(apart.close)
    boards.wait(partial(state, "slow", State.STOPPING))
    os.kill(engine_of(os.getpid()), signal.SIGABRT)
    with pytest.raises(Unreachable, match=r"engine, pid \d+, was killed by SIGABRT$"):
        closing.result(PATIENCE)
    apart.close()


def test_mailmans_own_runner_is_stepped_there_after_the_same_question(
    tmp_path: Path,
) -> None:
    double = MailmanDouble(tmp_path / "site")
    control = opened(double.directory / "mailman.cfg")
    boards = Boards(control)
    boards.wait(partial(state, "in", State.MAILMAN_STOPPED))
    control.inject("in", MESSAGE, {})
    asked = control.step_question("in")
    assert asked is not None
    assert "Step Mailman's own runner" in asked
    with pytest.raises(Refused, match="Mailman runs these itself"):
        control.start("in")
    assert control.step("in").outcome is Outcome.DONE
    double.plan("wait")
    filebase = control.inject("in", MESSAGE, {}).filebase

    def step() -> None:
        with suppress(Unreachable):  # it may be gone before it can answer
            control.step("in")

    threads = [threading.Thread(target=step), threading.Thread(target=control.close)]
    threads[0].start()
    double.wait_until_started()
    threads[1].start()
    assert [one.filebase for one in control.finishing()] == [filebase]
    double.open_gate()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(entries(double.queues / "pipeline")) == 2
    assert entries(double.queues / "in") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_the_terminal_says_is_for_the_console(
    apart: Control, number: signal.Signals
) -> None:
    assert apart.start("in") == "in started"
    os.kill(engine_of(os.getpid()), number)
    assert apart.stop("in").startswith("in stopped")


def test_who_may_not_act_or_has_no_runner_has_no_engine(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "queues" / "in").mkdir(parents=True)
    looking = open_apart(site_settings(site, None), ENGINE, read_only=True)
    folder = open_apart(site_settings(None, tmp_path / "queues"), ENGINE)
    for control in looking, folder:
        assert children_of(os.getpid()) == []
        assert control.scan().rows
        control.close()


def test_what_it_holds_is_held_by_its_window(slow: Path, apart: Control) -> None:
    apart.start("in")
    (holding,) = holdings(state_of(slow.with_name("spool")))
    assert holding.pid == engine_of(os.getpid())
    assert f"is held by pid {os.getpid()} (" in str(daemon_of(holding))


# --- In a terminal


@contextmanager
def console(site: Path, *words: str) -> Iterator[Terminal]:
    """The console, on whose board the runner ``slow`` has a message in hand."""
    put(site)
    command = [str(QTOOL), "--config", str(site), *words]
    with Terminal(command, rows=30, columns=120) as shown:
        shown.wait_for_text("● events")
        shown.press("jj")
        shown.wait_for_text("slow  depth")
        shown.press("s")
        shown.wait_for(lambda: busy(site))
        yield shown


def test_an_engine_whose_console_is_killed_finishes_its_message_and_goes(
    slow: Path,
) -> None:
    with console(slow) as shown:
        engine = engine_of(shown.process.pid)
        with ended(engine, PATIENCE):
            shown.process.kill()
            shown.process.wait()
            assert busy(slow)
            slow.with_name("gate").touch()
    assert left(slow) == []


@pytest.mark.long
def test_an_engine_is_gone_a_second_after_its_message(slow: Path) -> None:
    for _ in range(5):
        with console(slow) as shown:
            engine = engine_of(shown.process.pid)
            shown.process.kill()
            with ended(engine, 1):
                slow.with_name("gate").touch()
        slow.with_name("gate").unlink()


@pytest.mark.long
def test_an_engine_whose_console_is_killed_gives_back_what_takes_too_long(
    tmp_path: Path,
) -> None:
    site = configuration(tmp_path, "stop_grace: 0.3s\n" + WAIT)
    text = site.read_text().replace("stop_grace: 0.3s\n", "")
    site.write_text(text.replace("[qtool]\n", "[qtool]\nstop_grace: 0.3s\n"))
    with console(site) as shown:
        (held,) = busy(site)
        with ended(engine_of(shown.process.pid), PATIENCE):
            shown.process.kill()
    assert left(site) == [held.replace(".bak", ".pck")]


@pytest.mark.long
def test_a_console_outlives_its_engine(slow: Path) -> None:
    with console(slow) as shown:
        former = engine_of(shown.process.pid)
        streams = [Path(f"/proc/{former}/fd/{each}").readlink() for each in range(3)]
        assert [str(each) for each in streams[:2]] == [os.devnull] * 2
        assert str(streams[2]).startswith("/memfd:")
        os.kill(former, signal.SIGKILL)
        shown.wait_for_text("was killed by SIGKILL")
        shown.wait_for_text("● events")
        shown.wait_for_text("■ stopped")
        slow.with_name("gate").touch()
        shown.press("s")  # it recovers the message, and is done with it
        shown.wait_for(lambda: left(slow) == [])
        shown.press("q")
        with ended(engine_of(shown.process.pid), 1):
            assert shown.wait_for_end() == 0
        assert shown.is_as_before


@pytest.mark.long
def test_q_names_the_message_in_hand_and_a_second_one_gives_it_back(
    slow: Path,
) -> None:
    with console(slow) as shown:
        (held,) = busy(slow)
        with ended(engine_of(shown.process.pid), 1):
            shown.press("q")
            shown.wait_for_text("q gives them back unfinished")
            shown.wait_for_text(held.removesuffix(".bak"))
            shown.press("q")
            assert shown.wait_for_end() == 0
        assert "Stopped with this window: slow." in shown.text
    assert left(slow) == [held.replace(".bak", ".pck")]
