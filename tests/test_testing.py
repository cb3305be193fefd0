"""What people who write runners test them with."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.runner import Runner
from qtool.errors import NoSuchQueue, NoSuchRunner
from qtool.installation import Configuration, process_configuration
from qtool.qfile import message_from_string
from qtool.settings import default
from qtool.testing import (
    get_queue_messages,
    make_testable_runner,
    spool,
    throwaway_spool,
)

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

__all__ = ["spool"]


class SortingRunner(Runner):
    """Raises, keeps or forwards, as the subject says."""

    def _dispose(self, mlist: object, msg: Message, msgdata: dict[str, Any]) -> bool:
        if msg["subject"] == "raise":
            raise ValueError("as asked")
        if msg["subject"] == "keep":
            return True
        self.config.switchboards["out"].enqueue(msg, msgdata, seen=True)
        return False


def put(spool: Configuration, *subjects: str) -> None:
    """Put messages with those subjects into the queue ``sorting``."""
    if "sorting" not in spool.switchboards:
        spool.push("sorting", "[runner.sorting]\n")
    for subject in subjects:
        message = message_from_string(f"Subject: {subject}\n\nbody\n")
        spool.switchboards["sorting"].enqueue(message)


def test_a_testable_runner_ends_when_nothing_is_ready(spool: Configuration) -> None:
    put(spool, "one", "raise", "keep", "two")
    make_testable_runner(SortingRunner).run()

    out = get_queue_messages("out", expected_count=2)
    assert [item.msg["subject"] for item in out] == ["one", "two"]
    assert all(item.msgdata["seen"] for item in out)
    (shunted,) = get_queue_messages("shunt")
    assert shunted.msgdata["shunt_error"] == "ValueError: as asked"
    (kept,) = get_queue_messages("sorting")
    assert kept.msg["subject"] == "keep"


def test_a_predicate_ends_it_instead(spool: Configuration) -> None:
    asked: list[int] = []

    def asked_three_times(runner: Runner) -> bool:
        asked.append(len(runner.switchboard.files))
        return len(asked) == 3

    put(spool, "one")
    make_testable_runner(SortingRunner, "sorting", asked_three_times).run()
    assert asked == [0, 0, 0]


def test_messages_can_be_sorted_by_a_header(spool: Configuration) -> None:
    put(spool, "b", "c", "a")
    found = get_queue_messages("sorting", sort_on="subject")

    assert [item.msg["subject"] for item in found] == ["a", "b", "c"]
    assert get_queue_messages(spool.switchboards["sorting"]) == []


def test_another_number_of_messages_is_told_with_their_subjects(
    spool: Configuration,
) -> None:
    put(spool, "one", "two")
    with pytest.raises(AssertionError, match="sorting: expected 3, got 2: one, two"):
        get_queue_messages("sorting", expected_count=3)
    with pytest.raises(AssertionError, match="sorting: expected 1, got 0: none"):
        get_queue_messages("sorting", expected_count=1)


def test_what_is_not_configured_is_named(spool: Configuration) -> None:
    with pytest.raises(NoSuchRunner, match="'sorting'"):
        make_testable_runner(SortingRunner)
    with pytest.raises(NoSuchQueue, match="'nowhere'"):
        get_queue_messages("nowhere")


def test_a_spool_of_one_s_own_leaves_the_process_alone(tmp_path: Path) -> None:
    before = process_configuration()
    own = Configuration(default(tmp_path))
    put(own, "one")
    make_testable_runner(SortingRunner, config=own).run()

    assert len(get_queue_messages("out", config=own)) == 1
    assert process_configuration() is before


def test_the_process_has_its_own_configuration_again_afterwards(
    tmp_path: Path,
) -> None:
    """Also for code that has it at hand already."""
    config = process_configuration()
    config.push("mine", "[runner.mine]\n")
    before = config.settings
    try:
        with throwaway_spool(tmp_path):
            assert config.settings.queue_root == tmp_path
            assert "mine" not in config.switchboards
        assert config.settings == before
        assert "mine" in config.switchboards
    finally:
        config.pop("mine")


def test_only_the_fixture_needs_pytest() -> None:
    code = (
        "import sys, qtool.testing as t; t.make_testable_runner, dir(t);"
        "assert 'pytest' not in sys.modules; t.spool; assert 'pytest' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_it_serves_as_a_plugin(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["qtool.testing"]\n')
    (tmp_path / "test_it.py").write_text(
        "def test_it(spool, tmp_path):\n"
        "    assert spool.settings.queue_root == tmp_path / 'spool'\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         f"--basetemp={tmp_path / 'scratch'}", tmp_path],
        capture_output=True, text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
