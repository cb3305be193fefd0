"""What is wanted and held by somebody else is taken when that lets it go."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.master import Master
from qtool.engine.restarts import CLAIM_SECONDS
from qtool.engine.status import RunnerState, RunnerStatus
from qtool.engine.step import Outcome
from qtool.errors import RunnerError, SliceClaimed
from tests.engine.conftest import TIMEOUT, Changes, Clock, Site
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HERE = "tests.engine.apart"

both = pytest.mark.parametrize("apart", [False, True], ids=["thread", "process"])


class Watched:
    """A master of one runner, with a clock that a test moves."""

    def __init__(
        self, site: Site, kind: str = "Noop", *, apart: bool = False, **keys: Any
    ) -> None:
        site.runner("in", f"{HERE}.{kind}", sleep_time="1h", **keys)
        self._queue = site.queue("in")
        self.clock = Clock()
        self.master = site.master(self.clock, in_processes=apart)
        self._changes = Changes(self.master)

    def status(self, number: int = 0) -> RunnerStatus:
        states = self.master.states()
        return next(s for s in states if (s.runner, s.slice) == ("in", number))

    def becomes(self, state: RunnerState, number: int = 0) -> None:
        self.wait(lambda: self.status(number).state is state)

    def wait(self, so: Callable[[], object]) -> None:
        self._changes.wait(so)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Start it, while somebody else has its slice for as long as this lasts."""
        with self._queue.claim("a test"):
            with pytest.raises(SliceClaimed, match="a test"):
                self.master.start("in", waits=True)
            yield

    def later(self, seconds: float = CLAIM_SECONDS) -> None:
        self.clock.now += seconds
        self.master.timer.look()


def waiting_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [text for r in caplog.records if "waits" in (text := r.getMessage())]


@both
def test_a_slice_that_is_wanted_is_taken_when_it_is_free(
    site: Site, caplog: pytest.LogCaptureFixture, *, apart: bool
) -> None:
    caplog.set_level(logging.INFO)
    watched = Watched(site, apart=apart)
    with watched.held():
        looked = threading.Semaphore(0)
        watched.master.on_change(looked.release)
        for _ in range(3):
            found = watched.status()
            assert (found.state, found.waits) == (RunnerState.CLAIMED, True)
            assert found.note.startswith("waits: in is claimed by pid ")
            watched.later()
            assert looked.acquire(timeout=TIMEOUT)
        assert len(waiting_lines(caplog)) == 1
    watched.later()
    watched.becomes(RunnerState.RUNNING)
    watched.wait(lambda: len(waiting_lines(caplog)) == 2)
    assert not watched.status().waits
    first, second = waiting_lines(caplog)
    assert first.startswith("in waits: in is claimed by pid ")
    assert second == "in waits no more: nobody else holds its slice"


def test_who_is_refused_is_not_waited_for(site: Site) -> None:
    watched = Watched(site)
    with site.queue("in").claim("a test"), pytest.raises(SliceClaimed):
        watched.master.start("in")
    assert not watched.status().waits
    assert not watched.master.is_wanted("in", 0)
    with pytest.raises(RunnerError, match="in is not running"):
        watched.master.stop("in")


def test_a_stop_ends_the_waiting(site: Site) -> None:
    watched = Watched(site)
    with watched.held():
        assert watched.master.stop("in") == (0,)
    assert watched.status().state is RunnerState.STOPPED
    watched.later()
    assert site.queue("in").holder() is None
    with pytest.raises(RunnerError, match="in is not running"):
        watched.master.stop("in")


@both
def test_a_restart_that_meets_a_claim_waits_for_it(
    site: Site, tmp_path: Path, *, apart: bool
) -> None:
    well = tmp_path / "well"
    watched = Watched(site, "Unwell", apart=apart, well=well)
    watched.master.start("in")
    watched.becomes(RunnerState.RESTARTING)
    with site.queue("in").claim("a test"):
        watched.later()
        watched.becomes(RunnerState.CLAIMED)
        assert "a test" in watched.status().note
        well.touch()
    watched.later()
    watched.becomes(RunnerState.RUNNING)


def test_a_runner_that_lost_its_slice_waits_for_it(site: Site) -> None:
    watched = Watched(site)
    watched.master.start("in")
    watched.master.pause("in")
    watched.becomes(RunnerState.PAUSED)
    state = site.config.state_directory
    state.rename(state.with_name("removed"))
    with site.queue("in").claim("somebody else"):
        site.put("in")
        watched.master.resume("in")
        watched.becomes(RunnerState.CLAIMED)
        assert watched.status().waits
    watched.later()
    watched.becomes(RunnerState.RUNNING)


def test_new_slices_that_somebody_holds_are_waited_for(site: Site) -> None:
    watched = Watched(site)
    watched.master.start("in")
    watched.master.stop("in")
    watched.becomes(RunnerState.STOPPED)
    site.config.push("more", "[runner.in]\ninstances: 2\n")
    first, second = site.config.slices("in")
    with site.queue("in").for_slice(second).claim("a test"):
        regroup = watched.master.regroup("in", is_wanted=True)
        watched.becomes(RunnerState.RUNNING)
        watched.becomes(RunnerState.CLAIMED, 1)
        assert regroup.wait(60)
        assert isinstance(regroup.error, SliceClaimed)
    watched.later()
    watched.becomes(RunnerState.RUNNING, 1)
    assert first.number == 0


def test_a_slice_that_waits_can_be_stepped_and_drained_meanwhile(site: Site) -> None:
    watched = Watched(site)
    site.put("in")
    site.put("in")
    with watched.held():
        with pytest.raises(SliceClaimed):
            watched.master.step("in")
        assert watched.master.drain().others[0].startswith("left alone: in is claimed")
        assert watched.status().waits
    assert watched.master.step("in").outcome is Outcome.DONE
    assert watched.master.drain().counts.done == 1
    assert watched.status().waits
    watched.later()
    watched.becomes(RunnerState.RUNNING)


def test_a_runner_in_mailmans_queue_comes_back_when_mailman_has_stopped(
    tmp_path: Path,
) -> None:
    double = MailmanDouble(tmp_path / "site")
    keys = f"class: {HERE}.Unwell\ninstances: 1\nsleep_time: 1h\nwell: {tmp_path}/w\n"
    config = double.configuration({"x": f"[runner.in]\n{keys}"})
    clock = Clock()
    master = Master(config, clock=clock)
    changes = Changes(master)

    def state() -> RunnerState:
        return next(s.state for s in master.states() if s.runner == "in")

    master.start("in")
    changes.wait(lambda: state() is RunnerState.RESTARTING)
    file = config.settings.lock_file
    assert file is not None
    assert not file.exists()
    double.lock_of_master(4711, "elsewhere.example.com")
    os.utime(file, (4e9, 4e9))
    clock.now += 1
    master.timer.look()
    changes.wait(lambda: state() is RunnerState.CLAIMED)
    (tmp_path / "w").touch()
    file.unlink()
    clock.now += CLAIM_SECONDS
    master.timer.look()
    changes.wait(lambda: state() is RunnerState.RUNNING)
    master.close()
