"""What the service manager is told, over a real socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from qtool.commands.notify import Herald, Notifier
from qtool.control import open_site
from qtool.control.models import State
from tests.commands.program import MESSAGE, QTOOL, configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control import Control
    from qtool.control.models import Board

pytestmark = pytest.mark.long

WAIT = "[runner.in]\nclass: runners_of_the_test.Wait\n"


class Manager:
    """The service manager's end of the socket."""

    def __init__(self, address: str) -> None:
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.door.bind(address)
        self.door.settimeout(20)

    def hear(self) -> dict[str, str]:
        """The lines of the next datagram."""
        lines = self.door.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def hear_of(self, name: str) -> dict[str, str]:
        """The lines of the next datagram that has one of that name."""
        while name not in (lines := self.hear()):
            pass
        return lines

    def has_heard(self) -> bool:
        self.door.setblocking(False)
        try:
            self.hear()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.door.close()


@pytest.fixture
def notifier(tmp_path: Path, manager: Manager) -> Notifier:
    return Notifier(
        {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
    )


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    made = open_site(config_file=configuration(tmp_path, WAIT))
    yield made
    made.close()


def test_without_a_socket_nothing_is_told() -> None:
    for environment in ({}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": ""}):
        notifier = Notifier(environment)
        assert not notifier.is_heard
        notifier.tell("READY=1")


def test_an_abstract_socket_hears_too() -> None:
    name = f"qtool-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    Notifier({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1", "STATUS=fine")
    assert manager.hear() == {"READY": "1", "STATUS": "fine"}
    manager.door.close()


def test_a_manager_that_is_gone_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")
    assert "cannot be told READY=1" in caplog.text


def test_the_watchdog_is_that_of_this_process() -> None:
    named = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "5000000"}
    ours, other = str(os.getpid()), str(os.getpid() + 1)
    assert Notifier(named).watchdog_seconds == 5.0
    assert Notifier({**named, "WATCHDOG_PID": ours}).watchdog_seconds == 5.0
    assert Notifier({**named, "WATCHDOG_PID": other}).watchdog_seconds is None
    assert Notifier({**named, "WATCHDOG_USEC": "soon"}).watchdog_seconds is None
    assert Notifier({"NOTIFY_SOCKET": "/x"}).watchdog_seconds is None


def test_a_sign_of_life_is_given_while_nothing_hangs(
    control: Control, manager: Manager, notifier: Notifier
) -> None:
    Herald(control, notifier).beat()
    assert manager.hear() == {
        "STATUS": "queues 3, runners at work 0, waiting 0, in flight 0",
        "WATCHDOG": "1",
    }


def test_no_sign_of_life_is_given_while_a_runner_hangs(
    control: Control,
    manager: Manager,
    notifier: Notifier,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    in_hand = threading.Event()
    control.watch(lambda board: in_hand.set() if control.finishing() else None)
    control.inject("in", MESSAGE, {"gate": str(tmp_path / "gate")})
    control.start("in")
    assert in_hand.wait(60)
    control.configuration.push("now", "[runner.in]\nhang_after: 0.000001\n")
    Herald(control, notifier).beat()
    assert set(manager.hear()) == {"STATUS"}
    assert "no sign of life is given: in has had" in caplog.text
    (tmp_path / "gate").touch()


def test_no_sign_of_life_is_given_while_a_runner_hangs_outside_of_a_message(
    manager: Manager,
    notifier: Notifier,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stuck = f"class: runners_of_the_test.Stuck\nhang_after: 0.01\ngate: {tmp_path}/gate"
    control = open_site(config_file=configuration(tmp_path, f"[runner.in]\n{stuck}\n"))
    hung = threading.Event()
    control.watch(lambda board: hung.set() if is_hung(board) else None)
    control.start("in")
    assert hung.wait(60)
    Herald(control, notifier).beat()
    assert set(manager.hear()) == {"STATUS"}
    assert "no sign of life is given: in: " in caplog.text
    assert "; nothing in hand; hung for " in caplog.text
    (tmp_path / "gate").touch()
    control.close()


def is_hung(board: Board) -> bool:
    row = board.row("in")
    return row is not None and row.state is State.HUNG


def test_nothing_is_said_of_the_site_after_it_is_said_to_stop(
    control: Control, manager: Manager, notifier: Notifier
) -> None:
    herald = Herald(control, notifier)
    herald.ready()
    assert manager.hear()["READY"] == "1"
    herald.stopping()
    assert manager.hear()["STOPPING"] == "1"
    herald.beat()
    assert not manager.has_heard()


def test_run_tells_its_manager(manager: Manager, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "200000",
    }
    with subprocess.Popen(
        [QTOOL, "--config", configuration(tmp_path, WAIT), "run"],
        env=environment,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert manager.hear()["READY"] == "1"
            told = manager.hear_of("WATCHDOG")
            assert told["STATUS"].startswith("queues 3, runners at work 1")
            process.send_signal(signal.SIGTERM)
            manager.hear_of("STOPPING")
            assert process.wait(60) == 0
        finally:
            process.kill()
