"""Runners of our own that are not well, as an operator sees them."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control import restarting
from qtool.control.holders import Holders
from qtool.control.models import State
from qtool.engine.runner import Runner
from qtool.errors import RunnerError
from tests.control.site import PATIENCE, Held, configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from pathlib import Path

    from qtool.control.control import Control
    from qtool.control.models import QueueRow

HERE = "tests.control.test_own"


class Unwell(Runner):
    """Fails after each pass."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        return False

    def _do_periodic(self) -> None:
        raise ValueError("not today")


def row_of(control: Control, name: str) -> QueueRow:
    row = control.scan().row(name)
    assert row is not None
    return row


def eventually(so: Callable[[], object]) -> None:
    """Wait until something is so."""
    tries = int(PATIENCE / 0.02)
    assert any(so() or threading.Event().wait(0.02) for _ in range(tries))


@pytest.fixture
def unwell(tmp_path: Path) -> Iterator[Control]:
    """A site with a runner that fails again and again."""
    text = configuration(**{"in": f"class: {HERE}.Unwell\ninstances: 2"})
    control = open_site(tmp_path, text)
    yield control
    control.close()


def test_a_runner_that_waits_for_its_restart_says_so(unwell: Control) -> None:
    unwell.start("in", 0)
    eventually(lambda: row_of(unwell, "in").state is State.RESTARTING)
    row = row_of(unwell, "in")
    assert row.note.startswith("slice 0:2 restarting, 1 stopped: ValueError: ")
    assert "; restarts in " in row.note
    assert row.traceback.startswith("Traceback")
    assert not row.refusal


def test_a_runner_that_waits_for_its_restart_can_be_stopped(unwell: Control) -> None:
    unwell.start("in")
    restarting = {State.RESTARTING}
    eventually(lambda: {c.state for c in row_of(unwell, "in").cells} == restarting)
    assert unwell.stop("in") == "in: all 2 slices stopped"
    eventually(lambda: row_of(unwell, "in").state is State.STOPPED)


def test_a_runner_that_hangs_shows_its_message_and_its_stack(tmp_path: Path) -> None:
    Held.busy.clear()
    Held.free.clear()
    text = configuration(slow="class: tests.control.site.Held\nhang_after: 0.01")
    control = open_site(tmp_path, text)
    try:
        base = put(control, "slow")
        control.start("slow")
        eventually(lambda: row_of(control, "slow").state is State.HUNG)
        row = row_of(control, "slow")
        told = f"waits for another thread in _dispose; in hand {base}; hung for 0 s: "
        assert row.note.startswith(told)
        assert "self.free.wait(PATIENCE)" in row.traceback
        assert control.stop("slow") == "slow stopped after the message in hand"
    finally:
        Held.free.set()
        control.close()


def test_a_slice_at_work_tells_what_it_costs_and_what_it_has_in_hand(
    tmp_path: Path,
) -> None:
    Held.busy.clear()
    Held.free.clear()
    text = configuration(slow="class: tests.control.site.Held\ninstances: 2")
    control = open_site(tmp_path, text)
    try:
        base = put(control, "slow")
        assert row_of(control, "slow").running == ()
        control.start("slow")
        assert Held.busy.wait(PATIENCE)
        running = row_of(control, "slow").running
        assert [each.slice for each in running] == [0, 1]
        assert sorted(each.filebase for each in running) == ["", base]
        assert {each.pid for each in running} == {os.getpid()}
        numbers = {thread.native_id for thread in threading.enumerate()}
        assert {each.thread for each in running} <= numbers
        assert all(each.cpu_seconds > 0 for each in running)
        assert all((each.memory_bytes or 0) > 1 << 20 for each in running)
    finally:
        Held.free.set()
        control.close()


def test_what_runs_of_a_runner_is_restarted(tmp_path: Path) -> None:
    text = configuration(**{"in": "class: tests.control.site.Taking\ninstances: 2"})
    control = open_site(tmp_path, text)
    try:
        with pytest.raises(RunnerError, match="in is not running"):
            control.restart("in")
        control.start("in")
        assert control.restart("in") == "in: all 2 slices restarted"
        assert control.restart("in", 1) == "in, slice 1:2, restarted"
        control.stop("in", 0)
        assert control.restart("in") == "in: 1 of 2 slices restarted"
        with pytest.raises(RunnerError, match="in has 2 slices: no 7"):
            control.restart("in", 7)
        running = {each.slice for each in row_of(control, "in").running}
        assert running == {1}
    finally:
        control.close()


def test_a_restart_does_not_wait_long_for_a_message_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarting, "PATIENCE_SECONDS", 0.01)
    Held.busy.clear()
    Held.free.clear()
    control = open_site(tmp_path, configuration(slow="class: tests.control.site.Held"))
    try:
        put(control, "slow")
        control.start("slow")
        assert Held.busy.wait(PATIENCE)
        told = "slow to restart after the message in hand"
        assert control.restart("slow") == told
        Held.free.set()
        eventually(lambda: row_of(control, "slow").state is State.RUNNING)
        assert control.names("slow") == []
    finally:
        Held.free.set()
        control.close()


def test_a_runner_that_cannot_be_started_again_is_said_to_be_stopped(
    tmp_path: Path,
) -> None:
    control = open_site(
        tmp_path, configuration(some="class: tests.control.site.Taking")
    )
    try:
        control.start("some")
        control.configuration.push("wrong", "[runner.some]\nclass: no.Such\n")
        with pytest.raises(
            RunnerError, match="some was stopped, and cannot be started: "
        ):
            control.restart("some")
    finally:
        control.close()


def test_a_slice_that_begins_here_meanwhile_is_nobody_else_s(tmp_path: Path) -> None:
    control = open_site(tmp_path, configuration(slow="class: tests.control.site.Held"))
    try:
        control.start("slow")  # after it was found that it is not at work here
        holders = Holders(control.configuration)
        holders.look({}, lambda: {"slow": [0]}, fresh=True)
        assert not holders.get("slow", 0)
        holders.look({}, dict, fresh=True)
        assert holders.get("slow", 0)
    finally:
        control.close()
