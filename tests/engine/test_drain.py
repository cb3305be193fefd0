"""A drain runs all queues until nothing is ready, and takes nothing twice."""

from __future__ import annotations

import errno
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.pauses import Pause, Pauses
from qtool.engine.runner import Runner
from qtool.engine.status import Counts, RunnerState
from qtool.installation.specs import named
from qtool.queues.spool import Spool
from tests.engine.conftest import Changes, Gatekeeper, Site, ended, in_thread

if TYPE_CHECKING:
    from email.message import Message


class Noop(Runner):
    """Disposes of everything at once."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        return False


class Keeping(Runner):
    """Keeps everything."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        return True


def forwarding(to: str) -> type[Runner]:
    """Return a class that puts every message into another queue."""

    class Forwarding(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            self.config.switchboards[to].enqueue(msg, msgdata)
            return False

    return Forwarding


@pytest.mark.parametrize("instances", [1, 3])
def test_what_runners_make_in_earlier_and_later_queues_is_drained_too(
    site: Site, instances: int
) -> None:
    site.runner("last", Noop, instances=instances)
    site.runner("in", forwarding("middle"), instances=instances)
    site.runner("middle", forwarding("last"), instances=instances)
    for number in range(10):
        site.put("in", str(number))
    drained = site.master().drain()
    assert drained.counts == Counts(done=30)
    assert (drained.left, drained.failures) == (0, ())
    for queue in ("in", "middle", "last"):
        assert site.queue(queue).holder() is None


def test_slices_with_weights_leave_nothing(site: Site) -> None:
    site.runner("in", Noop, weights="50 30 20")
    for number in range(30):
        site.put("in", str(number))
    drained = site.master().drain()
    assert (drained.counts.done, drained.left) == (30, 0)


def test_a_kept_message_is_taken_once_and_counts_as_left(site: Site) -> None:
    site.runner("in", Keeping, sleep_time="0")
    site.put("in")
    drained = site.master().drain()
    assert drained.counts == Counts(kept=1)
    assert drained.left == 1


def test_shunt_and_bad_are_never_drained(site: Site) -> None:
    class Raising(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            raise ValueError

    site.runner("in", Raising)
    site.put("in")
    site.put("shunt", "Old")
    drained = site.master().drain()
    assert drained.counts == Counts(shunted=1)
    assert site.subjects("shunt") == ["Old", "One"]
    assert drained.left == 0


def test_periodic_work_is_done_in_a_drain_and_what_it_makes_is_drained(
    site: Site,
) -> None:
    class Digesting(Noop):
        pending = [True]  # noqa: RUF012 # one for the test, as meant

        def _do_periodic(self) -> None:
            if self.pending:
                self.pending.pop()
                site.put("out", "Digest")

    class Clockwork(Digesting):
        is_queue_runner = False
        pending = [True]  # noqa: RUF012

    site.runner("out", Noop)
    site.runner("in", Digesting)
    site.runner("task", Clockwork, path="")
    site.put("in")
    assert site.master().drain().counts == Counts(done=3)


def test_a_runner_that_cannot_run_is_named_and_the_others_are_drained(
    site: Site,
) -> None:
    class Unwell(Noop):
        def _do_periodic(self) -> None:
            raise ValueError("not today")

    site.runner("claimed", Noop)
    site.runner("missing", "nowhere.Found")
    site.runner("unwell", Unwell)
    site.runner("none")
    site.runner("in", Noop)
    for queue in ("claimed", "missing", "unwell", "in"):
        site.put(queue)
    with site.queue("claimed").claim("a test"):
        drained = site.master().drain()
    assert drained.counts == Counts(done=2)
    assert drained.left == 1
    (claimed,) = drained.others
    missing, unwell = drained.failures
    assert claimed.startswith("left alone: claimed is claimed by pid")
    assert "a test" in claimed
    assert "nowhere" in missing
    assert unwell == "unwell failed: ValueError: not today"


def test_a_runner_with_a_loop_of_its_own_has_no_part_in_a_drain(site: Site) -> None:
    class Server(Runner):
        is_queue_runner = False

        def run(self) -> None:
            raise AssertionError

    site.runner("lmtp", Server, path="")
    assert site.master().drain().failures == ()


def test_a_claim_that_cannot_be_taken_is_named_and_the_others_are_drained(
    site: Site,
) -> None:
    class Broken(Spool):
        def recover_backup_files(self) -> None:
            raise OSError(errno.EIO, "input/output error")

    class Unlucky(Noop):
        switchboard_class = Broken

    site.runner("a", Unlucky)
    site.runner("b", Noop)
    site.put("b")
    drained = site.master().drain()
    assert drained.counts.done == 1
    (failure,) = drained.failures
    assert "a cannot start: OSError" in failure


@pytest.mark.parametrize("name", ["shunt", "bad"])
def test_not_even_a_runner_of_theirs_drains_shunt_and_bad(
    site: Site, name: str
) -> None:
    site.runner(name, Noop)
    site.put(name)
    drained = site.master().drain()
    assert (drained.counts, drained.left) == (Counts(), 0)
    assert site.subjects(name) == ["One"]


@pytest.mark.parametrize("keys", [{"start": "no"}, {"instances": "0"}])
def test_who_has_no_permanent_runner_is_drained(
    site: Site, keys: dict[str, str]
) -> None:
    site.runner("in", Noop, **keys)
    for number in range(5):
        site.put("in", str(number))
    drained = site.master().drain()
    assert (drained.counts.done, drained.left, drained.failures) == (5, 0, ())


def test_messages_that_go_round_end_it_and_wait(site: Site) -> None:
    site.runner("in", Noop)
    site.runner("a", forwarding("b"))
    site.runner("b", forwarding("a"))
    site.put("in")
    site.put("a", "Round")
    drained = site.master().drain()
    assert "in a circle?" in drained.note
    assert drained.left == 1
    assert site.subjects("a") + site.subjects("b") == ["Round"]


def test_a_runner_of_one_message_a_pass_is_drained_to_the_end(site: Site) -> None:
    class Short(Noop):
        def _short_circuit(self) -> bool:
            return True

    site.runner("in", Short)
    for number in range(30):
        site.put("in", str(number))
    drained = site.master().drain()
    assert (drained.counts.done, drained.left, drained.note) == (30, 0, "")


def test_a_way_through_every_queue_against_their_order_has_an_end(site: Site) -> None:
    names = [f"q{number:02}" for number in range(20)]
    site.runner(names[0], Noop)
    for to, name in itertools.pairwise(names):
        site.runner(name, forwarding(to))
    site.put(names[-1])
    drained = site.master().drain()
    assert (drained.counts.done, drained.left, drained.note) == (20, 0, "")


def test_running_runners_are_left_alone_and_run_on(site: Site) -> None:
    site.runner("in", Noop, sleep_time="1h", instances=2)
    master = site.master()
    master.start("in", 0)
    drained = master.drain()
    assert drained.failures == ()
    assert drained.others == ("left alone: in, slice 0:2 is running here",)
    states = [one.state for one in master.states()]
    assert states == [RunnerState.RUNNING, RunnerState.STOPPED]


def test_only_what_is_asked_for_is_drained(site: Site) -> None:
    site.runner("in", forwarding("out"), instances=4)
    site.runner("out", Noop)
    for number in range(20):
        site.put("in", str(number))
    part = site.queue("in").for_slice(site.config.slices("in")[2])
    depth = len(part.files)
    drained = site.master().drain(named(site.config, ["in:2:4"]))
    assert drained.counts == Counts(done=depth)
    assert drained.left == 0
    assert part.files == []
    assert len(site.queue("in").files) == 20 - depth
    assert len(site.queue("out").files) == depth


def test_periodic_work_is_done_once_when_nothing_is_left(site: Site) -> None:
    done: list[int] = []

    class Batching(Noop):
        periodic_every = 0.0

        def _do_periodic(self) -> None:
            done.append(len(self.switchboard.files))

    site.runner("last", Batching)
    site.runner("in", forwarding("last"))
    for number in range(5):
        site.put("in", str(number))
    site.master().drain()
    assert done == [0]


def test_what_waits_for_its_time_is_left_and_told(site: Site) -> None:
    site.runner("in", Noop, honours_due="yes")
    due = 4102444800.0
    site.put("in", deliver_after=due)
    site.put("in", deliver_after=due + 1)
    site.put("in")
    drained = site.master().drain()
    assert (drained.counts.done, drained.left) == (1, 2)
    assert drained.next_due == due


def test_a_paused_runner_is_left_alone_and_named(site: Site) -> None:
    site.runner("in", Noop, sleep_time="1h")
    master = site.master()
    changes = Changes(master)
    master.start("in")
    master.pause("in")
    changes.wait(lambda: master.states()[0].state is RunnerState.PAUSED)
    site.put("in")
    drained = master.drain()
    assert drained.others == ("left alone: in is paused here",)
    assert (drained.failures, drained.left) == ((), 1)


def test_a_pause_on_record_is_honoured_and_named(site: Site) -> None:
    site.runner("in", Noop)
    site.put("in")
    pause = Pause(runner="in", slice=None, who="anne", since=0.0, reason="disk swap")
    Pauses(site.config.state_directory).put(pause)
    drained = site.master().drain()
    (line,) = drained.others
    assert line.startswith("left alone: in is paused: disk swap; by anne since")
    assert (drained.counts.done, drained.left) == (0, 1)


def test_closing_ends_a_drain_after_the_message_in_hand(site: Site) -> None:
    gatekeeper = Gatekeeper()

    class Held(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            gatekeeper.pass_through()
            return False

    site.runner("in", Held)
    site.put("in", "One")
    site.put("in", "Two")
    master = site.master()
    drains: list[Any] = []
    draining = in_thread(lambda: drains.append(master.drain()))
    gatekeeper.entered()
    closing = in_thread(master.close)
    gatekeeper.let_go()
    ended(closing)
    ended(draining)
    assert drains[0].counts.done == 1
    assert drains[0].left == 1
    assert drains[0].failures == ()


def test_a_drain_ends_although_a_dispose_hangs_when_it_is_given_back(
    site: Site,
) -> None:
    gatekeeper = Gatekeeper()

    class Held(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            gatekeeper.pass_through()
            return False

    site.runner("in", Held)
    filebase = site.put("in")
    master = site.master()
    draining = in_thread(master.drain)
    gatekeeper.entered()
    ended(in_thread(lambda: master.close(unclaim=True)))
    assert site.queue("in").files == [filebase]
    ended(draining)
    gatekeeper.let_go()
