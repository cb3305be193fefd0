"""A pass holds few names at once, takes each file once, and makes its work durable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine import passes
from qtool.engine.runner import Runner
from qtool.queues.spool import Spool

if TYPE_CHECKING:
    from email.message import Message

    from tests.engine.conftest import Site


class Choosing(Runner):
    """Keeps what ``keep`` says, notes the rest."""

    keep = ""

    def __init__(self, *args: Any, **kws: Any) -> None:
        super().__init__(*args, **kws)
        self.noted: list[str] = []

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.noted.append(str(msg["subject"]))
        return str(msg["subject"]) in self.keep


@pytest.fixture
def batches_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "_BATCH", 3)


@pytest.mark.usefixtures("batches_of_three")
def test_a_pass_over_many_batches_takes_each_file_once_in_order(site: Site) -> None:
    site.runner("in", sleep_time="1h")
    subjects = [str(number) for number in range(10)]
    for subject in subjects:
        site.put("in", subject)
    runner = Choosing("in", config=site.config)
    runner.keep = "".join(subjects)
    assert runner.one_pass() == 10
    assert runner.noted == subjects
    assert len(site.queue("in").files) == 10


@pytest.mark.usefixtures("batches_of_three")
def test_messages_that_rest_at_the_head_do_not_hide_those_behind_them(
    site: Site,
) -> None:
    site.runner("in", sleep_time="1h")
    for number in range(10):
        site.put("in", str(number))
    runner = Choosing("in", config=site.config)
    runner.keep = "0123456789"
    runner.one_pass()
    runner.noted.clear()
    for subject in ("a", "b", "c", "d", "e"):
        site.put("in", subject)
    assert runner.one_pass() == 5
    assert runner.noted == ["a", "b", "c", "d", "e"]


@pytest.mark.usefixtures("batches_of_three")
def test_a_pass_ends_although_more_arrive_than_it_takes(site: Site) -> None:
    class Inviting(Choosing):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            site.put("in", "more")
            return super()._dispose(mlist, msg, msgdata)

    site.runner("in")
    for number in range(7):
        site.put("in", str(number))
    assert Inviting("in", config=site.config).one_pass() == 7
    assert len(site.queue("in").files) == 7


@pytest.mark.usefixtures("batches_of_three")
def test_only_few_names_are_asked_for_at_once(site: Site) -> None:
    asked: list[int] = []

    class Counting(Spool):
        def oldest(self, count: int) -> list[str]:
            asked.append(count)
            return super().oldest(count)

    class Counted(Choosing):
        switchboard_class = Counting

    site.runner("in")
    for number in range(10):
        site.put("in", str(number))
    Counted("in", config=site.config).one_pass()
    assert len(asked) >= 4
    assert max(asked) == 3


def test_a_long_pass_makes_its_work_durable_every_tenth_of_a_second(
    site: Site,
) -> None:
    now = [0.0]
    synced: list[float] = []

    class Syncing(Spool):
        def sync(self) -> None:
            synced.append(round(now[0], 2))
            super().sync()

    class Slow(Choosing):
        switchboard_class = Syncing

        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            now[0] += 0.04
            return False

    site.runner("in")
    for number in range(7):
        site.put("in", str(number))
    runner = Slow("in", config=site.config)
    runner.clock = lambda: now[0]
    runner.one_pass()
    at_the_start = synced.count(0.0)  # recovery
    assert synced[at_the_start:] == [0.12, 0.24, 0.28]


def test_a_runner_that_never_snoozes_forgets_what_has_rested(site: Site) -> None:
    site.runner("in", sleep_time="1s")
    runner = Choosing("in", config=site.config)
    runner.clock = lambda: now
    runner.keep, now = "kept", 0.0
    site.put("in", "kept")
    runner.one_pass()
    assert runner.resting
    runner.keep, now = "", 2.0
    assert runner.one_pass() == 1
    assert not runner.resting
