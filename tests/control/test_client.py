from __future__ import annotations

import os
import socket
import tempfile
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from qtool.control.models import RECONNECTING, Outcome, State
from qtool.control.opening import site_settings
from qtool.control.serving.attaching import attach, socket_name
from qtool.control.serving.calls import CALLS
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.server import Server
from qtool.control.serving.sockets import listening
from qtool.errors import NoSuchQueue, NoSuchRunner, ReadOnly, Refused, Unreachable
from qtool.installation import Configuration
from qtool.settings import default
from tests.control.site import (
    HERE,
    MAIL,
    PATIENCE,
    Boards,
    Held,
    configuration,
    open_site,
    put,
)
from tests.rights import powerless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.control import Control
    from qtool.control.serving.sockets import Peer

TEXT = configuration(**{"in": f"class: {HERE}.Taking\ninstances: 2", "out": ""})
ATTACHED = f"attached to pid {os.getpid()}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of sockets, whose path is short."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    """What the daemon has."""
    control = open_site(tmp_path, TEXT)
    yield control
    control.close()


@pytest.fixture
def place(control: Control, folder: Path) -> Path:
    return folder / socket_name(control.configuration.settings)


@pytest.fixture
def server(control: Control, place: Path) -> Iterator[Server]:
    server = Server(control, place)
    yield server
    server.close()


@pytest.fixture
def attached(control: Control, server: Server) -> Iterator[Control]:
    settings = control.configuration.settings
    attached = attach(settings, [server.path.parent])
    assert attached is not None
    yield attached
    attached.close()


def at(control: Control, place: Path, *, read_only: bool = False) -> Attached:
    """Attach to what listens there."""
    settings = control.configuration.settings
    link = Link(place, settings.queue_root)
    return Attached(Configuration(settings), link, read_only=read_only)


def test_it_sees_what_the_daemon_sees(control: Control, attached: Control) -> None:
    base = put(control, "in", kept={1, 2})
    here, there = attached.scan(), control.scan()
    assert here.rows == there.rows
    assert here.site == replace(there.site, attached=ATTACHED)
    assert attached.site() == here.site
    assert attached.entries("in") == control.entries("in")
    assert attached.entries("in", 0) == []
    assert attached.names("in") == control.names("in")
    assert attached.entry("in", base) == control.entry("in", base)
    assert attached.finishing() == []
    assert attached.step_question("in") is None
    assert attached.log() == control.log()


def test_it_acts_where_the_daemon_acts(control: Control, attached: Control) -> None:
    assert "in" in attached.start("in", 1)
    row = control.scan().row("in")
    assert row is not None
    assert [cell.state for cell in row.cells][-1] is State.RUNNING
    attached.stop("in")
    injected = attached.inject("in", MAIL, {"mark": b"\xff"})
    assert control.names("in") == [f"{injected.filebase}.pck"]
    report = attached.step("in", injected.filebase)
    assert (report.outcome, (report.before or {})["mark"]) == (Outcome.DONE, b"\xff")
    attached.snooze("in", 7.0)
    row = control.scan().row("in")
    assert row is not None
    assert row.snooze_seconds == 7.0
    put(control, "in")
    assert attached.drain().done == 1


def test_errors_are_those_of_the_daemon(attached: Control) -> None:
    with pytest.raises(NoSuchRunner, match="there is no runner 'none'"):
        attached.start("none")
    with pytest.raises(NoSuchQueue, match="there is no queue 'none'"):
        attached.names("none")
    with pytest.raises(Refused, match="the input is empty"):
        attached.inject("in", b"", {})
    with pytest.raises(TypeError):
        attached.start()  # type: ignore[call-arg]


def test_read_only_is_refused_here(control: Control, server: Server) -> None:
    attached = at(control, server.path, read_only=True)
    with pytest.raises(ReadOnly, match="read-only was asked for"):
        attached.start("in")
    assert attached.site().read_only == "read-only was asked for"
    assert control.site().read_only == ""


def test_closing_leaves_the_daemon_as_it_is(control: Control, server: Server) -> None:
    attached = at(control, server.path)
    attached.start_all()
    Boards(attached).wait(lambda board: board.row("in"))
    attached.close()
    row = control.scan().row("in")
    assert row is not None
    assert row.state is State.RUNNING


def test_boards_come_with_what_was_logged(control: Control, attached: Control) -> None:
    boards = Boards(attached)
    put(control, "in")
    attached.step("in")
    boards.wait(lambda _: any("took hello" in line.text for line in attached.log()))
    board = boards.wait(lambda board: board.site.watching == "events")
    assert board.site.attached == ATTACHED
    last = attached.log()[-1].number
    assert attached.log(last) == []
    assert attached.board.rows == boards.seen[-1].rows


def test_a_daemon_that_goes_is_said_and_found_again(
    control: Control, place: Path
) -> None:
    server = Server(control, place)
    attached = at(control, place)
    boards = Boards(attached)
    boards.wait(lambda board: board.row("in"))
    server.close()
    gone = boards.wait(lambda board: board.site.attached == RECONNECTING)
    assert gone.rows
    with pytest.raises(Unreachable, match="does not answer"):
        attached.start("in")
    seen = len(boards.seen)
    lines = len(attached.log())
    server = Server(control, place)
    boards.wait(lambda board: board.site.attached == ATTACHED, since=seen)
    attached.start("in")
    assert len(attached.log()) >= lines
    attached.close()
    server.close()


def test_a_configuration_is_read_again_there_and_here(
    control: Control, attached: Control, tmp_path: Path
) -> None:
    file = tmp_path / "qtool.cfg"
    file.write_text(configuration(**{"in": f"class: {HERE}.Taking", "new": ""}))
    assert attached.reload()
    for each in (control, attached):
        assert "new" in each.configuration.settings.runners
    assert attached.names("new") == []


# --- Whether there is one


def test_without_a_daemon_there_is_none_to_attach_to(
    control: Control, folder: Path, place: Path
) -> None:
    settings = control.configuration.settings
    assert attach(settings, [folder / "none", folder]) is None
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    assert attach(settings, [folder]) is None


def test_a_socket_that_refuses_is_an_error(
    control: Control, server: Server, folder: Path
) -> None:
    settings = control.configuration.settings
    with powerless():
        if os.geteuid() == server.path.stat().st_uid:
            server.path.chmod(0)
        with pytest.raises(Refused, match="refuses you: Permission denied"):
            attach(settings, [folder])
    folder.chmod(0o700)
    with powerless():
        if os.geteuid() != folder.stat().st_uid:
            with pytest.raises(Refused, match="cannot be seen"):
                attach(settings, [folder])


def test_a_member_of_the_group_gets_in_as_who_he_is(
    control: Control, place: Path, folder: Path
) -> None:
    server = Server(control, place, group=os.getegid())  # which powerless users keep
    with powerless():
        member = os.geteuid()
        attached = attach(control.configuration.settings, [folder])
        assert attached is not None
        with suppress(ReadOnly):  # the daemon of this test has become powerless, too
            attached.start("in")
        attached.close()
    said = f"pid {os.getpid()} of user {member}: start in"
    assert said in [line.text for line in control.log()]
    server.close()


def test_a_daemon_of_somebody_elses_is_an_error(control: Control, folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs a second user")
    folder.chmod(0o777)
    place = folder / socket_name(control.configuration.settings)
    with socket.socket(socket.AF_UNIX) as fake:
        with powerless():
            fake.bind(str(place))
            fake.listen()
        with pytest.raises(Refused, match="of user 65534, whose this spool is not"):
            attach(control.configuration.settings, [folder])


def test_a_daemon_of_another_protocol_is_named(control: Control, place: Path) -> None:
    def answer(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                if connection.recv(4096):
                    connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"qtool": 9}\n')

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        attached = at(control, place)
        with pytest.raises(Unreachable, match="version 9, and this qtool 1"):
            attached.site()
        thread.join(PATIENCE)


def test_a_daemon_that_hangs_is_waited_for_or_named_but_never_passed_over(
    control: Control, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = control.configuration.settings
    for name in ("_PATIENCE_SECONDS", "_BRIEF_SECONDS"):
        monkeypatch.setattr(f"qtool.control.serving.link.{name}", 0.01)
    heard: SimpleQueue[tuple[str, int]] = SimpleQueue()
    monkeypatch.setattr("qtool.control.serving.link._ANSWER_SECONDS", 0.2)
    link = Link(place, settings.queue_root)
    with listening(place, None):  # and nobody accepts
        late = attach(settings, [place.parent], late=lambda *told: heard.put(told))
        assert late is not None
        for _ in range(2):
            with pytest.raises(Unreachable, match=r"does not answer$"):
                late.site()
        assert heard.get(timeout=PATIENCE) == ("the daemon", os.getpid())
        assert heard.empty()  # it is said once
        with ExitStack() as waiting, suppress(Unreachable):
            while True:  # as many as may wait for it
                waiting.enter_context(link.connect()[0])
        # Also those that have gone since keep others out.
        with pytest.raises(Unreachable, match="does not answer at"):
            attach(settings, [place.parent])
    assert attach(settings, [place.parent]) is None  # it was killed


class Counting(Link):
    """Tells of each connection that it makes."""

    def __init__(self, path: Path, spool: Path) -> None:
        super().__init__(path, spool, lambda *told: self.heard.append(told))
        self.heard: list[object] = []
        self.made = threading.Semaphore(0)

    def connect(self) -> tuple[socket.socket, Peer]:
        self.made.release()
        return super().connect()


def test_of_a_daemon_at_work_on_a_long_call_nothing_is_said(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.control.serving.link._PATIENCE_SECONDS", 1.01)
    Held.busy.clear()
    Held.free.clear()
    held = open_site(tmp_path, configuration(**{"in": f"class: {HERE}.Held"}))
    put(held, "in")
    server = Server(held, place)
    link = Counting(place, held.configuration.settings.queue_root)
    arguments = CALLS["/v1/step"].bound("in")
    stepping = threading.Thread(target=link.ask, args=(CALLS["/v1/step"], arguments))
    stepping.start()
    try:
        for _ in range(4):  # one for the step, and it is asked again and again
            assert link.made.acquire(timeout=PATIENCE)
    finally:
        Held.free.set()
        stepping.join(PATIENCE)
        server.close()
        held.close()
    assert link.heard == []


def test_the_name_of_a_socket_is_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qtool.cfg").write_text("[runner.in]\n")
    (tmp_path / "link.cfg").symlink_to("qtool.cfg")
    names = set()
    for folder, config in (("/", tmp_path / "qtool.cfg"), (tmp_path, Path("link.cfg"))):
        monkeypatch.chdir(folder)
        names.add(socket_name(site_settings(config, None)))
        names.add(socket_name(default(tmp_path)))
    assert len(names) == 2


def test_the_name_of_a_socket_is_short_and_its_own(control: Control) -> None:
    settings = control.configuration.settings
    name = socket_name(replace(settings, queue_root=Path("/var/spool/qtool")))
    assert name.startswith("var-spool-qtool.")
    assert name != socket_name(settings)
    assert name != socket_name(
        replace(settings, queue_root=Path("/var/spool/qtool"), source="b.cfg")
    )
    deep = replace(settings, queue_root=Path("/" + "ä/" * 200))
    assert len(os.fsencode(socket_name(deep))) < 45


def test_a_daemon_that_does_not_answer_is_said(
    control: Control, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.control.serving.link._ANSWER_SECONDS", 0.05)
    link = Link(place, control.configuration.settings.queue_root)
    with listening(place, None):  # and nobody accepts
        with pytest.raises(Unreachable, match=r"does not answer$"):
            link.ask(CALLS["/v1/site"], {})
        unknown = "does not answer; whether it did inject is unknown$"
        with pytest.raises(Unreachable, match=unknown):
            link.ask(CALLS["/v1/inject"], {"queue": "in", "message": ""})
