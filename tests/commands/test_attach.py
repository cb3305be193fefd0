"""Commands beside a daemon: they attach to it, and it goes on without them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands.program import MESSAGE, QTOOL, configuration, program, running
from tests.control.site import eventually
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.commands.conftest import Call

pytestmark = pytest.mark.long


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this test's own sockets; its path is short."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        yield Path(name) / "qtool"


def test_commands_attach_to_the_daemon_and_leave_it_running(
    call: Call, site: Path, runtime: Path
) -> None:
    with running(site) as run:
        run.read_to("started in")
        (socket,) = runtime.glob("*.sock")
        assert socket.stat().st_mode & 0o777 == 0o600
        attached = f"attached to pid {run.process.pid}"
        status = call("--config", site, "status")
        assert (status.status, status.err) == (0, "")
        assert attached in status.out.splitlines()
        assert "► running" in status.out
        board = json.loads(call("--config", site, "status", "--json").out)
        assert board["site"]["attached"] == attached
        ended = call("--config", site, "inject", "out", stdin=MESSAGE)
        assert ended.status == 0
        assert "no class" in ended.err
        run.read_to(f"pid {os.getpid()} of user {os.geteuid()}: inject out")
        shell = program("--config", site, "shell", "-c", "runners['in'].pause()")
        assert (shell.status, shell.out) == (0, "in paused\n")
        assert "paused" in call("--config", site, "status").out
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 0
    assert list(runtime.glob("*.sock")) == []
    assert "attached" not in call("--config", site, "status").out


def test_the_shell_only_looks_at_the_queues_of_a_daemon(
    site: Path, runtime: Path
) -> None:
    with running(site) as run:
        run.read_to("started in")
        looked = program(
            "--config", site, "shell", "-c", "print(switchboards['out'].files)"
        )
        assert (looked.status, looked.out) == (0, "[]\n")
        code = "switchboards['out'].enqueue(message_from_string('x'))"
        refused = program("--config", site, "shell", "-c", code)
        assert refused.status == 1
        assert refused.told == [
            f"ReadOnly: attached to pid {run.process.pid}: queues are only looked at"
            " here; control, runners and step act through it"
        ]


@pytest.mark.long
def test_a_second_daemon_is_told_who_serves(site: Path, runtime: Path) -> None:
    with running(site) as run:
        run.read_to("started in")
        second = program("--config", site, "run")
        assert second.status == 1
        (line,) = second.told
        assert line.startswith(
            f"qtool: pid {run.process.pid} serves this site already, at {runtime}"
        )


@pytest.mark.long
def test_a_killed_daemon_is_no_daemon(call: Call, site: Path, runtime: Path) -> None:
    with running(site) as run:
        run.read_to("started in")
        run.process.kill()
        run.process.wait()
        assert len(list(runtime.glob("*.sock"))) == 1
        assert "attached" not in call("--config", site, "status").out
    with running(site) as run:
        run.read_to("started in")
        assert "attached" in call("--config", site, "status").out


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    "words",
    [["status"], ["pause", "in"], ["hold", "bad", "all", "--dry-run"], ["undo"]],
)
def test_a_daemon_that_hangs_is_named_and_ctrl_c_ends_the_wait(
    site: Path, words: list[str]
) -> None:
    with running(site) as run:
        run.read_to("started in")
        run.process.send_signal(signal.SIGSTOP)
        with subprocess.Popen(
            [QTOOL, "--config", site, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        ) as waiting:  # fmt: skip
            assert waiting.stderr is not None
            waits = f"qtool: waiting: the daemon, pid {run.process.pid}, has not"
            assert waiting.stderr.readline().startswith(waits)
            waiting.send_signal(signal.SIGINT)
            since = time.monotonic()
            out, err = waiting.communicate(timeout=20)
            assert time.monotonic() - since < 3
        assert (waiting.returncode, out) == (130, "")
        assert "waiting" not in err


def test_a_group_that_is_none_is_named(tmp_path: Path, runtime: Path) -> None:
    site = configuration(tmp_path, "socket_group: no-such-group\n[runner.in]\n")
    text = site.read_text().replace("[paths]", "socket_group: nobodies\n[paths]")
    site.write_text(text.replace("socket_group: no-such-group\n", ""))
    ended = program("--config", site, "run")
    assert ended.told == ["qtool: socket_group: there is no group nobodies"]


@pytest.mark.long
def test_the_console_outlives_the_daemon_and_is_outlived_by_it(
    site: Path, runtime: Path
) -> None:
    command = [str(QTOOL), "--config", str(site)]
    with running(site) as run:
        run.read_to("started in")
        with Terminal(command) as terminal:
            terminal.wait_for_text(f"attached to pid {run.process.pid}")
            run.process.kill()
            run.process.wait()
            terminal.wait_for_text("reconnecting")
            with running(site) as again:
                again.read_to("started in")
                terminal.wait_for_text(f"attached to pid {again.process.pid}")
                terminal.press("q")
                assert terminal.wait_for_end() == 0
                said = f"The daemon (pid {again.process.pid}) goes on running."
                assert said in terminal.text
                assert again.process.poll() is None
                again.process.send_signal(signal.SIGTERM)
                assert again.end() == 0
    eventually(lambda: list(runtime.glob("*.sock")) == [])
