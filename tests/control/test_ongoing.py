"""Acts that take a while: how far they are can be asked, and they can be stopped."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.acting import Actor, acting_as
from qtool.control.acts import attended as attending
from qtool.control.acts.attended import Attended
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.server import Server
from qtool.errors import Refused
from qtool.installation import Configuration
from tests.control.site import PATIENCE, configuration, eventually, open_site
from tests.control.test_mending import files, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtool.control.control import Control
    from qtool.control.models import UnderWay


class Gate:
    """A clock that holds up who asks it at a moment, once.

    An act asks for the time before it looks at entries, and before it is on record.
    """

    def __init__(self, control: Control, looked_at: int) -> None:
        self._control, self._looked_at = control, looked_at
        self.reached, self.free = threading.Event(), threading.Event()

    def __call__(self) -> float:
        acts = self._control.under_way()
        if acts and acts[0].done == self._looked_at and not self.reached.is_set():
            self.reached.set()
            assert self.free.wait(PATIENCE)
        return time.time()


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, configuration(**{"in": "", "out": ""}))
    yield control
    control.close()


def held_up(control: Control, looked_at: int) -> tuple[Gate, Any]:
    """Return what holds an act up when it has come so far, and the act."""
    token = control.preview("move", "in", "all", to="out").token
    gate = control.clock = Gate(control, looked_at)
    return gate, lambda: control.confirm(token)


@pytest.fixture(params=["here", "attached"])
def front(control: Control, request: pytest.FixtureRequest) -> Iterator[Control]:
    """The site, or the same at the other end of a socket."""
    if request.param == "here":
        yield control
        return
    settings = control.configuration.settings
    with ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="q-"))
        path = Path(folder) / "s"
        ends.callback(Server(control, path).close)
        link = Link(path, settings.queue_root)
        attached = Attached(Configuration(settings), link, read_only=False)
        ends.callback(attached.close)
        yield attached


def in_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(call())
        except Refused as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_an_act_is_seen_and_stopped_after_the_entry_in_hand(control: Control) -> None:
    names = put(control, "in", 3)
    assert control.under_way() == ()
    gate, act = held_up(control, 2)
    thread, found = in_thread(act)
    assert gate.reached.wait(PATIENCE)
    [seen] = control.under_way()
    assert (seen.verb, seen.queue, seen.to) == ("move", "in", "out")
    assert (seen.number, seen.done, seen.total) == (0, 2, 3)  # looked at, all but one
    assert (seen.pid, seen.uid) == (os.getpid(), os.geteuid())
    with acting_as(Actor(uid=12345, pid=0)), pytest.raises(Refused, match="another"):
        control.interrupt(seen.id)
    control.interrupt(seen.id)
    gate.free.set()
    thread.join()
    [result] = found
    assert result.done == (names[0],)
    assert {each.filebase for each in result.skipped} == set(names[1:])
    assert "interrupted" in result.skipped[0].reason
    [act_on_record] = control.acts()
    assert (act_on_record.done, act_on_record.count) == (1, 3)
    assert control.undo().done == (names[0],)
    assert files(control, "in") == sorted(f"{name}.pck" for name in names)
    assert control.under_way() == ()
    with pytest.raises(Refused, match="not under way any more"):
        control.interrupt(seen.id)


def test_what_is_stopped_before_it_is_on_record_has_done_nothing(
    control: Control,
) -> None:
    put(control, "in", 2)
    before = files(control, "in")
    gate, act = held_up(control, 0)
    thread, found = in_thread(act)
    assert gate.reached.wait(PATIENCE)
    [seen] = control.under_way()
    control.interrupt(seen.id)
    gate.free.set()
    thread.join()
    assert "nothing was done" in str(found[0])
    assert files(control, "in") == before
    assert control.acts() == []


def test_ctrl_c_ends_what_is_waited_for_and_tells_what_was_done(
    control: Control, front: Control
) -> None:
    names = put(control, "in", 3)
    token = control.preview("move", "in", "all", to="out").token
    gate = control.clock = Gate(control, 2)
    shown: list[UnderWay] = []

    def interrupt() -> None:
        assert gate.reached.wait(PATIENCE)
        eventually(lambda: shown)
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        eventually(lambda: attended.was_interrupted)
        gate.free.set()

    attended = Attended(front, lambda: front.confirm(token))
    thread = threading.Thread(target=interrupt)
    thread.start()
    result = attended.result(shown.append)
    thread.join()
    assert attended.was_interrupted
    assert result.done == (names[0],)
    assert shown[0].total == 3


def test_who_may_only_look_does_not_wait_for_the_end_of_a_look(
    tmp_path: Path, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "_EVERY_SECONDS", 2 * PATIENCE)
    put(control, "in", 3)
    text = configuration(**{"in": "", "out": ""})
    reader = open_site(tmp_path, text, read_only=True)
    gate = reader.clock = Gate(reader, 3)

    def interrupt() -> None:
        assert gate.reached.wait(PATIENCE)
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)

    look = Attended(reader, lambda: reader.rehearse("move", "in", "all", to="out"))
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        look.result()
    assert reader.under_way() != ()
    gate.free.set()
    thread.join()
    eventually(lambda: reader.under_way() == ())
    reader.close()


def test_an_error_goes_up_from_what_is_waited_for(control: Control) -> None:
    attended = Attended(control, lambda: control.confirm("nonsense"))
    with pytest.raises(Refused, match="is no token"):
        attended.result()
    assert not attended.was_interrupted
