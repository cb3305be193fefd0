"""Forwarding moves a message with its metadata into the next queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qtool.engine.step import Outcome
from qtool.errors import SettingsError
from qtool.installation import Configuration
from qtool.qfile import message_from_string
from qtool.runners.forward import ForwardRunner
from qtool.settings import parse
from qtool.testing import get_queue_messages, make_testable_runner, spool

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["spool"]

MESSAGE = message_from_string("From: anne@example.com\nSubject: One\n\nA body.\n")


def configuration(root: Path, to: str) -> Configuration:
    text = (
        f"[qtool]\nroot: {root}\n"
        f"[runner.in]\nclass: qtool.runners.forward.ForwardRunner\nto: {to}\n"
        "[runner.out]\n"
    )
    return Configuration(parse(text, source="test.cfg", base=root))


def test_a_message_goes_on_with_all_its_metadata(tmp_path: Path) -> None:
    config = configuration(tmp_path, "out")
    config.switchboards["in"].enqueue(
        MESSAGE, foo="yes", recipients=["bea@example.com"], whichq="in"
    )
    report = ForwardRunner("in", config=config).step()
    assert report.outcome is Outcome.DONE
    (filebase,) = config.switchboards["out"].files
    held = config.switchboards["out"].peek(filebase)
    assert held.message.as_string() == MESSAGE.as_string()
    assert held.msgdata["foo"] == "yes"
    assert held.msgdata["recipients"] == ["bea@example.com"]
    assert held.msgdata["whichq"] == "in"
    assert config.switchboards["in"].files == []


def test_without_a_next_queue_the_message_is_done(spool: Configuration) -> None:
    spool.push("no next", "[runner.in]\nto:\n")
    spool.switchboards["in"].enqueue(MESSAGE)
    make_testable_runner(ForwardRunner, "in").run()
    assert [get_queue_messages(name) for name in spool.switchboards] == [[]] * 4


@pytest.mark.parametrize("to", ["nowhere", "../out", "in"])
def test_a_wrong_next_queue_is_refused_by_name(tmp_path: Path, to: str) -> None:
    config = configuration(tmp_path, to)
    with pytest.raises(SettingsError) as refusal:
        ForwardRunner("in", config=config)
    line = str(refusal.value)
    assert line.startswith(f"test.cfg: [runner.in] to: {to}: expected")
    assert "out" in line
    assert "\n" not in line


def test_the_built_in_default_forwards_from_in_to_out(spool: Configuration) -> None:
    spool.switchboards["in"].enqueue(MESSAGE)
    kind = spool.runner_class("in")
    assert kind is ForwardRunner
    make_testable_runner(kind, "in").run()
    get_queue_messages("out", expected_count=1)
