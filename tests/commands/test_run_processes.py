"""``qtool run --processes``: how the processes of runners end with their master."""

from __future__ import annotations

import os
import select
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands.program import (
    MESSAGE,
    configuration,
    entries,
    running,
)

if TYPE_CHECKING:
    from tests.commands.conftest import Call

pytestmark = pytest.mark.long

WAIT = "[runner.in]\nclass: runners_of_the_test.Wait\n"


@pytest.fixture
def site(tmp_path: Path, call: Call) -> Path:
    """A site whose one message waits for the file ``gate``, and goes to ``tally``.

    It leaves a thread behind that never ends.
    """
    config = configuration(tmp_path, WAIT)
    words = ("-m", f"gate={tmp_path / 'gate'}", "-m", f"tally={tmp_path / 'tally'}")
    words += ("-m", "lingers=yes")
    called = call(
        "--config", config, "inject", "in", *words, "-m", "n=1", stdin=MESSAGE
    )
    assert called.status == 0
    return config


def test_the_processes_finish_and_go_when_their_master_is_killed(
    site: Path, tmp_path: Path
) -> None:
    with running(site, "--processes") as run:
        run.read_to("in hand")
        (pid,) = _of_runners(run.process.pid)
        end = os.pidfd_open(pid)
        run.process.kill()
        run.process.wait(60)
    try:
        assert Path(f"/proc/{pid}").exists()
        assert len(list((tmp_path / "spool" / "in").glob("*.bak"))) == 1
        (tmp_path / "gate").touch()
        _await_end(end)
    finally:
        os.close(end)
    assert (tmp_path / "tally").read_text() == "1\n"
    assert entries(tmp_path / "spool" / "in") == []


def _of_runners(pid: int) -> list[int]:
    """The children of a process, whichever of its threads has begun them."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    found = " ".join((task / "children").read_text() for task in tasks)
    return list(map(int, found.split()))


def _await_end(pidfd: int) -> None:
    ready, _, _ = select.select([pidfd], [], [], 20)
    assert ready


def test_ctrl_c_at_a_terminal_is_for_the_master_alone(
    site: Path, tmp_path: Path
) -> None:
    with running(site, "--processes", start_new_session=True) as run:
        run.read_to("in hand")
        os.killpg(run.process.pid, signal.SIGINT)
        run.read_to("SIGINT: finishing the messages in hand: in 1")
        (tmp_path / "gate").touch()
        assert run.end() == 0
    assert (tmp_path / "tally").read_text() == "1\n"
    assert entries(tmp_path / "spool" / "in") == []


@pytest.mark.long
def test_what_was_stopped_at_a_terminal_has_not_hung(
    site: Path, tmp_path: Path
) -> None:
    site.write_text(f"{site.read_text()}hang_after: 2\n")
    with running(site, "--processes", start_new_session=True) as run:
        run.read_to("in hand")
        for number, seconds in ((signal.SIGSTOP, 2.5), (signal.SIGCONT, 0.6)):
            os.killpg(run.process.pid, number)
            threading.Event().wait(seconds)  # it is time that has to pass here
        (tmp_path / "gate").touch()
        while entries(tmp_path / "spool" / "in"):
            assert run.process.poll() is None
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 0
    assert not any("hung" in line for line in run.lines)
    assert (tmp_path / "tally").read_text() == "1\n"


@pytest.mark.long
def test_after_stop_grace_the_messages_go_back(site: Path, tmp_path: Path) -> None:
    site.write_text(site.read_text().replace("[paths]", "stop_grace: 0.2\n[paths]"))
    with running(site, "--processes") as run:
        run.read_to("in hand")
        (pid,) = _of_runners(run.process.pid)
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 1
    assert not Path(f"/proc/{pid}").exists()
    assert [Path(name).suffix for name in entries(tmp_path / "spool" / "in")] == [
        ".pck"
    ]


@pytest.mark.long
def test_once_with_processes_is_as_with_threads(
    site: Path, tmp_path: Path, call: Call
) -> None:
    (tmp_path / "gate").touch()
    ended = call("--config", site, "run", "--once", "--processes")
    assert ended.status == 0
    assert ended.out == "done 1, kept 0, shunted 0, preserved 0, left 0\n"


@pytest.mark.long
def test_a_reload_keeps_what_the_command_line_asked_for(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "gate").touch()
    with running(site, "--processes") as run:
        run.read_to("in hand")
        site.write_text(f"{site.read_text()}instances: 2\n")
        run.process.send_signal(signal.SIGHUP)
        run.read_to("in: instances 1 -> 2")
        assert not any("processes" in line for line in run.lines)
        assert len(_of_runners(run.process.pid)) == 2
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 0
