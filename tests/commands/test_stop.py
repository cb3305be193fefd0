"""``qtool stop``: whom it stops, whom it names, and whom it leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

import pytest

from qtool.commands.site import opened
from qtool.control import open_site
from qtool.control.models import State
from tests.commands.program import MESSAGE, QTOOL, configuration
from tests.control.site import eventually
from tests.rights import open_folder, powerless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.commands.conftest import Call

pytestmark = pytest.mark.long

WAIT = "[runner.in]\nclass: runners_of_the_test.Wait\n"


class Daemons:
    """``qtool run`` as processes that are ready."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, config: Path, *program: object) -> subprocess.Popen[str]:
        words = [*map(str, program or (QTOOL,)), "--config", str(config), "run"]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stderr is not None
        assert any("started" in line for line in process.stderr)
        return process


@pytest.fixture
def daemons() -> Iterator[Daemons]:
    made = Daemons()
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def place(folder: Path, sections: str = WAIT) -> Path:
    folder.mkdir(parents=True)
    return configuration(folder, sections)


def test_it_stops_the_daemon_of_the_site_and_waits_until_it_is_gone(
    call: Call, tmp_path: Path, daemons: Daemons
) -> None:
    config, other = place(tmp_path / "a"), place(tmp_path / "b")
    process, left = daemons.start(config), daemons.start(other)
    ended = call("--config", config, "stop")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == f"pid {process.pid}, {tmp_path}/a/spool: stopped\n"
    assert process.wait(10) == 0
    assert left.poll() is None


def test_all_stops_every_daemon_below_a_folder_and_names_each(
    call: Call, tmp_path: Path, daemons: Daemons
) -> None:
    inside = [place(tmp_path / "all" / name) for name in ("a", "deep/b")]
    outside = daemons.start(place(tmp_path / "outside"))
    processes = [
        daemons.start(inside[0]),
        daemons.start(inside[1], sys.executable, "-m", "qtool"),
    ]
    ended = call("stop", "--all", tmp_path / "all")
    assert (ended.status, ended.err) == (0, "")
    assert sorted(ended.out.splitlines()) == sorted(
        f"pid {process.pid}, {config.parent}/spool: stopped"
        for process, config in zip(processes, inside, strict=True)
    )
    assert [process.wait(10) for process in processes] == [0, 0]
    assert outside.poll() is None


@pytest.mark.parametrize("all_of_them", [False, True])
def test_one_whose_runners_have_all_been_stopped_is_found_by_its_socket(
    call: Call, tmp_path: Path, daemons: Daemons, all_of_them: bool
) -> None:
    config = place(tmp_path / "a")
    process = daemons.start(config)
    with opened(
        Namespace(
            command="stop", config=config, root=None, read_only=False, mailman_bin=None
        )
    ) as control:
        control.stop("in")
        eventually(lambda: control.scan().rows[0].state is State.STOPPED)
    assert call("--config", config, "status").out.count("running") == 0
    words = ("--all", tmp_path) if all_of_them else ()
    ended = call("--config", config, "stop", *words)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == f"pid {process.pid}, {tmp_path}/a/spool: stopped\n"


def test_a_message_in_hand_is_waited_for(
    call: Call, tmp_path: Path, daemons: Daemons
) -> None:
    config = place(tmp_path / "a")
    gate = tmp_path / "gate"
    call("--config", config, "inject", "in", "-m", f"gate={gate}", stdin=MESSAGE)
    process = daemons.start(config)
    assert process.stderr is not None
    with subprocess.Popen(
        [QTOOL, "--config", config, "stop"], stdout=subprocess.PIPE, text=True
    ) as stop:
        assert any("finishing" in line for line in process.stderr)
        assert stop.poll() is None
        gate.touch()
        out, _ = stop.communicate(timeout=60)
    assert out == f"pid {process.pid}, {tmp_path}/a/spool: stopped\n"
    assert process.wait(10) == 0


def test_where_nobody_runs_it_says_so(call: Call, tmp_path: Path) -> None:
    config = place(tmp_path / "a")
    ended = call("--config", config, "stop")
    line = f"qtool: no daemon runs in {tmp_path}/a/spool"
    assert (ended.status, ended.told) == (0, [line])
    ended = call("stop", "--all", tmp_path)
    assert (ended.status, ended.told) == (0, [f"qtool: no daemon runs in {tmp_path}"])
    ended = call("stop", "--all", tmp_path / "gone")
    assert (ended.status, ended.told) == (
        1,
        [f"qtool: {tmp_path}/gone: no such folder"],
    )


def test_who_holds_a_queue_and_is_no_daemon_is_named_and_left_alone(
    call: Call, tmp_path: Path
) -> None:
    config = place(tmp_path / "a")
    control = open_site(config_file=config)
    control.start("in")
    ended = call("--config", config, "stop")
    assert ended.status == 1
    (line,) = ended.told
    assert f"{tmp_path}/a/spool is held by pid {os.getpid()} (" in line
    assert line.endswith("): no daemon")
    control.close()


def note(config: Path, pid: int, host: str) -> None:
    """Leave the note of a claim that is not held."""
    claims = config.parent / "spool" / ".qtool" / "claims"
    claims.mkdir(parents=True)
    (claims / "in").touch()
    facts = {"host": host, "pid": pid, "started": 0.0, "what": "runner in"}
    (claims / "in.0-10.json").write_text(json.dumps(facts))


def test_a_note_whose_process_is_another_by_now_stops_nobody(
    call: Call, tmp_path: Path, daemons: Daemons
) -> None:
    config, other = place(tmp_path / "a"), place(tmp_path / "b")
    process = daemons.start(other)
    note(config, process.pid, os.uname().nodename)
    ended = call("--config", config, "stop")
    assert ended.status == 0
    assert "no daemon runs" in ended.told[0]
    assert process.poll() is None


def test_a_daemon_of_another_host_is_named(call: Call, tmp_path: Path) -> None:
    config = place(tmp_path / "a")
    note(config, 4711, "elsewhere.example.com")
    ended = call("--config", config, "stop")
    assert (ended.status, ended.told) == (
        1,
        [f"qtool: {tmp_path}/a/spool is held by pid 4711 on elsewhere.example.com"],
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start another user's")
def test_one_who_may_not_signal_it_gets_a_line(call: Call, daemons: Daemons) -> None:
    with open_folder() as folder:
        config = place(folder / "a")
        process = daemons.start(config)
        spool = folder / "a" / "spool"
        for path in (spool, *spool.rglob("*")):
            path.chmod(0o777)
        with powerless():
            ended = call("stop", "--all", folder)
        assert (ended.status, ended.out) == (1, "")
        assert ended.told == [
            f"qtool: {spool} is held by pid {process.pid}, another user's"
        ]
        assert process.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="nothing is closed to anybody else")
def test_a_spool_that_one_may_not_look_into_gets_a_line(call: Call) -> None:
    with open_folder() as folder:
        state = folder / "spool" / ".qtool" / "claims"
        state.mkdir(parents=True)
        state.parent.chmod(0o700)
        with powerless():
            ended = call("stop", "--all", folder)
    line = f"qtool: {folder}/spool: you may not see who runs there"
    assert (ended.status, ended.told) == (1, [line])
