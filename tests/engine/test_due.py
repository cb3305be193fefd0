"""A runner takes what is due, and wakes by itself for what is due next."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.runner import Runner
from qtool.engine.step import Outcome
from qtool.errors import SettingsError
from qtool.queues import filebase
from tests.engine.conftest import TIMEOUT, Site, ended, in_thread

if TYPE_CHECKING:
    from email.message import Message


class Noting(Runner):
    """Notes subjects, and keeps those that say so, for an hour."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        super().__init__(*args, **kws)
        self.noted: list[str] = []
        self.took = threading.Semaphore(0)

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.noted.append(str(msg["subject"]))
        self.took.release()
        if msg["subject"] == "keep":
            msgdata["deliver_after"] = time.time() + 3600
            return True
        return False


@pytest.fixture
def retry(site: Site) -> Site:
    """A site with a queue that honours due times; its runner sleeps for an hour."""
    site.runner("retry", Noting, honours_due="yes", sleep_time="1h")
    return site


def test_a_pass_leaves_what_is_not_due(retry: Site) -> None:
    retry.put("retry", "later", deliver_after=time.time() + 3600)
    retry.put("retry", "now")
    retry.put("retry", "overdue", deliver_after=time.time() - 3600)
    runner = Noting("retry", config=retry.config)
    assert runner.one_pass() == 2
    assert runner.noted == ["overdue", "now"]
    assert retry.subjects("retry") == ["later"]


def test_a_kept_message_waits_for_the_time_that_it_asks_for(retry: Site) -> None:
    retry.put("retry", "keep")
    runner = Noting("retry", config=retry.config)
    assert (runner.one_pass(), runner.one_pass()) == (1, 0)
    [kept] = retry.queue("retry").files
    assert filebase.when_of(kept) > time.time() + 3000


def test_a_message_that_asks_for_no_time_at_all_is_shunted_with_the_reason(
    retry: Site,
) -> None:
    class Confused(Noting):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            msgdata["deliver_after"] = "soon"
            return True

    retry.put("retry", "keep")
    Confused("retry", config=retry.config).one_pass()
    shunt = retry.config.shunt
    [filebase_] = shunt.files
    assert "deliver_after: expected" in shunt.peek(filebase_).msgdata["shunt_error"]


def test_a_runner_wakes_by_itself_when_something_is_due(retry: Site) -> None:
    runner = Noting("retry", config=retry.config)
    due = time.time() + 0.3
    retry.put("retry", "soon", deliver_after=due)
    thread = in_thread(runner.run)
    assert runner.took.acquire(timeout=TIMEOUT)
    assert time.time() >= due
    runner.stop()
    ended(thread)


def test_a_runner_wakes_for_what_arrives_and_is_due_earlier(retry: Site) -> None:
    retry.put("retry", "late", deliver_after=time.time() + 3600)
    runner = Noting("retry", config=retry.config)
    thread = in_thread(runner.run)
    retry.put("retry", "early", deliver_after=time.time() + 0.3)
    assert runner.took.acquire(timeout=TIMEOUT)
    runner.stop()
    ended(thread)
    assert runner.noted == ["early"]


def test_a_drain_leaves_what_is_not_due_and_counts_it(retry: Site) -> None:
    retry.put("retry", "later", deliver_after=time.time() + 3600)
    retry.put("retry", "now")
    drained = retry.master().drain()
    assert (drained.counts.done, drained.left) == (1, 1)


def test_a_step_takes_the_next_that_is_due_or_the_one_that_is_chosen(
    retry: Site,
) -> None:
    later = retry.put("retry", "later", deliver_after=time.time() + 3600)
    runner = Noting("retry", config=retry.config)
    report = runner.step()
    assert report.outcome is Outcome.NOTHING
    assert report.note.startswith("nothing is due for 3")
    assert runner.step(later).outcome is Outcome.DONE


def test_honours_due_is_a_yes_or_no(site: Site) -> None:
    site.runner("retry", honours_due="perhaps")
    with pytest.raises(SettingsError, match=r"\[runner.retry\] honours_due: expected"):
        _ = site.config
