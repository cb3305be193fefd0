"""Mailman's master lock: taken as Mailman takes it, and held while we need it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.engine import mailman_holder
from qtool.engine.mailman_lease import LIFETIME_SECONDS, Lease, read_claim
from qtool.engine.mailman_lock import MasterLock
from qtool.engine.mailman_register import Register
from qtool.engine.master import Master
from qtool.engine.status import RunnerState
from qtool.engine.step import Outcome
from qtool.errors import MailmanRuns, RunnerError
from tests.clock import NOW, Clock
from tests.engine.conftest import TIMEOUT, Changes, ended, in_thread, mail
from tests.engine.conftest import Clock as Ticks
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = "here.example.com"
OTHER = "other.example.com"
ALIVE, DEAD, OURS = 11, 12, 13


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "locks").mkdir()
    return tmp_path / "locks" / "master.lck"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(lock: Path, clock: Clock) -> Lease:
    return Lease(
        lock, host=HERE, pid=OURS, clock=clock, is_alive=lambda pid: pid == ALIVE
    )


def held(lock: Path, host: str, pid: int, expires: float = NOW + 60) -> Path:
    """Lock it as somebody else does; return the claim."""
    claim = lock.with_name(f"{lock.name}|{host}|{pid}|4711")
    claim.write_text(str(claim))
    os.utime(claim, (expires, expires))
    lock.hardlink_to(claim)
    return claim


def there(lock: Path) -> list[str]:
    return sorted(path.name for path in lock.parent.iterdir())


# --- As Mailman takes it


def test_the_lock_is_a_second_name_of_a_claim_that_tells_whose_it_is(
    lock: Path, lease: Lease
) -> None:
    lease.take()
    assert there(lock) == ["master.lck", Path(lease.claim).name]
    assert lock.samefile(lease.claim)
    assert lease.claim.startswith(f"{lock}|{HERE}|{OURS}|")
    found = read_claim(lock)
    assert found is not None
    assert (found.text, found.host, found.pid) == (lease.claim, HERE, OURS)
    assert found.expires == NOW + LIFETIME_SECONDS
    assert lease.is_ours()


def test_given_back_nothing_is_left_of_it(lock: Path, lease: Lease) -> None:
    lease.take()
    lease.give_back()
    assert there(lock) == []


@pytest.mark.parametrize("expires", [NOW + 60, NOW - 1e6])
@pytest.mark.parametrize(
    ("pid", "refusal", "told"),
    [
        # Who lives here holds it; what one that died left is Mailman's to clear away.
        (ALIVE, MailmanRuns, rf"held by pid {ALIVE} on {HERE} \(.*: stop"),
        (DEAD, RunnerError, rf"pid {DEAD} on {HERE}.*is dead.*--force"),
    ],
)
def test_a_lock_of_this_machine_stays_even_beyond_its_time(
    lock: Path,
    lease: Lease,
    pid: int,
    refusal: type[Exception],
    told: str,
    expires: float,
) -> None:
    claim = held(lock, HERE, pid, expires)
    with pytest.raises(refusal, match=told):
        lease.take()
    assert there(lock) == ["master.lck", claim.name]


def test_another_host_holds_it_until_its_time_has_passed(
    lock: Path, lease: Lease, clock: Clock
) -> None:
    held(lock, OTHER, DEAD)
    for clock.now in (NOW, NOW + 69):
        with pytest.raises(MailmanRuns, match=rf"pid {DEAD} on {OTHER} .* until 20"):
            lease.take()
    clock.now = NOW + 71  # the clocks of two machines may differ a little
    lease.take()
    assert there(lock) == ["master.lck", Path(lease.claim).name]


def test_what_a_dead_holder_of_ours_left_is_taken_over(
    lock: Path, lease: Lease
) -> None:
    former = held(lock, HERE, ALIVE)  # its number is somebody else's by now
    lease.take(str(former))
    assert there(lock) == ["master.lck", Path(lease.claim).name]


def test_only_a_claim_on_this_lock_is_removed_with_it(lock: Path, lease: Lease) -> None:
    precious = lock.with_name("precious|x|1|2")
    precious.touch()
    lock.write_text(f"{precious.parent}/precious|{OTHER}|1|2")
    precious.rename(lock.with_name(f"precious|{OTHER}|1|2"))
    os.utime(lock, (NOW - 60, NOW - 60))
    lease.take()
    assert there(lock)[-1] == f"precious|{OTHER}|1|2"


@pytest.mark.parametrize("content", ["", "junk", "a|b|c|d", "a|b|99999999999|d"])
def test_a_lock_that_does_not_say_whose_it_is_is_left_alone(
    lock: Path, lease: Lease, content: str
) -> None:
    lock.write_text(content)
    os.utime(lock, (0, 0))
    with pytest.raises(MailmanRuns, match=r"master\.lck, .* does not say whose"):
        lease.take()
    assert there(lock) == ["master.lck"]


def test_a_folder_that_is_not_there_is_named(lock: Path, lease: Lease) -> None:
    lock.parent.rmdir()
    with pytest.raises(RunnerError, match=r"master\.lck cannot be taken: No such"):
        lease.take()


# --- For as long as it is needed


def test_its_time_is_set_anew_now_and_then_and_when_the_clock_was(
    lock: Path, lease: Lease, clock: Clock
) -> None:
    lease.take()
    for now, expires in (
        (NOW + 3599, NOW),
        (NOW + 3601, NOW + 3601),
        (NOW - 86400, NOW - 86400),
    ):
        clock.now = now
        lease.refresh()
        assert lock.stat().st_mtime == expires + LIFETIME_SECONDS


def test_a_lock_that_was_taken_away_is_not_given_back(lock: Path, lease: Lease) -> None:
    lease.take()
    lock.unlink()
    assert not lease.is_ours()
    claim = held(lock, HERE, ALIVE)
    assert not lease.is_ours()
    lease.give_back()
    assert there(lock) == ["master.lck", claim.name]


def test_a_holder_ends_when_its_lock_is_taken_away(
    lock: Path, lease: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailman_holder, "_LOOK_SECONDS", 0.01)
    user, holder = Register(tmp_path), Register(tmp_path)
    user.join()
    lease.take()
    keeping = in_thread(lambda: mailman_holder._keep(holder, lease))
    lock.unlink()
    ended(keeping)
    assert there(lock) == []
    user.close()


def test_a_holder_that_cannot_keep_what_it_took_gives_it_back(
    lock: Path, lease: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    lease.take()
    with pytest.raises(RuntimeError):
        mailman_holder._keep(Register(tmp_path), lease)
    assert there(lock) == []


# --- The process that holds it


@pytest.fixture
def master(lock: Path, tmp_path: Path) -> MasterLock:
    return MasterLock(lock, tmp_path / ".qtool")


@contextmanager
def watched(lock: Path) -> Iterator[int]:
    """The number of the process that holds it; it has ended when this does."""
    found = read_claim(lock)
    assert found is not None
    assert found.host == socket.getfqdn()
    process = os.pidfd_open(found.pid)
    try:
        yield found.pid
        assert select.select([process], [], [], TIMEOUT)[0]
    finally:
        os.close(process)


def answered(lock: Path) -> str:
    """What a holder says that cannot hold it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = [
            mailman_holder.__name__,
            theirs.fileno(),
            lock,
            lock.parents[1] / ".qtool",
        ]
        command = [sys.executable, "-m", *map(str, words)]
        subprocess.run(command, pass_fds=[theirs.fileno()], check=True)
        theirs.close()
        ours.settimeout(TIMEOUT)
        return ours.recv(4096).decode()


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    with closing(Register(tmp_path / ".qtool")) as made:
        yield made


def test_a_second_holder_leaves_everything_as_it_is(
    lock: Path, register: Register
) -> None:
    register.hold()
    register.note("the first one's")
    assert answered(lock).startswith("failed another process holds")
    assert there(lock) == []
    assert register.noted() == "the first one's"


def test_a_holder_that_cannot_take_it_forgets_no_former_claim(
    lock: Path, register: Register
) -> None:
    register.note("the former one's")
    lock.parent.rmdir()
    assert "cannot be taken" in answered(lock)
    assert register.noted() == "the former one's"
    assert not register.has_holder()


def test_a_holder_that_lives_is_not_robbed_though_its_register_does_not_say_so(
    lock: Path, register: Register
) -> None:
    words = [
        sys.executable,
        "-c",
        "import sys; sys.stdin.read()",
        mailman_holder.__name__,
        str(lock),
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as other:
        claim = held(lock, socket.getfqdn(), other.pid)
        register.note(str(claim))
        said = f"failed pid {other.pid} holds Mailman's master lock for qtool"
        assert answered(lock).startswith(said)
        assert there(lock) == ["master.lck", claim.name]
        assert register.noted() == str(claim)
        other.communicate()


def test_one_process_holds_it_for_all_until_the_last_has_gone(
    lock: Path, master: MasterLock
) -> None:
    first = master.share()
    with watched(lock) as holder:
        assert holder != os.getpid()
        second = master.share()
        first.release()
        second.check()
        found = read_claim(lock)
        assert found is not None
        assert found.pid == holder
        second.release()
    assert there(lock) == []


def test_who_needs_it_last_goes_on_when_it_is_given_back(
    lock: Path, master: MasterLock
) -> None:
    share, second = master.share(), master.share()
    found = read_claim(lock)
    assert found is not None
    share.release()
    assert len(there(lock)) == 2
    with watched(lock):
        os.kill(found.pid, signal.SIGSTOP)  # so that it cannot be by chance
        try:
            releasing = in_thread(second.release)
            releasing.join(0.2)
            assert releasing.is_alive()
            assert len(there(lock)) == 2
        finally:
            os.kill(found.pid, signal.SIGCONT)
        ended(releasing)
        assert there(lock) == []


def test_signals_that_end_a_service_do_not_end_the_holder(
    lock: Path, master: MasterLock
) -> None:
    share = master.share()
    with watched(lock) as holder:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(holder, number)
        share.check()
        share.release()
    assert there(lock) == []


def test_who_is_killed_leaves_no_lock(lock: Path, master: MasterLock) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from qtool.engine.mailman_lock import MasterLock\n"
        "share = MasterLock(Path(sys.argv[1]), Path(sys.argv[2])).share()\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, lock, lock.parent.parent / ".qtool"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"held\n"
        with watched(lock):
            victim.kill()
    assert there(lock) == []


def test_a_killed_holder_is_noticed_and_replaced(
    lock: Path, master: MasterLock
) -> None:
    share = master.share()
    with watched(lock) as holder:
        os.kill(holder, signal.SIGKILL)
    with pytest.raises(RunnerError, match="taken away"):
        share.check()
    second = master.share()
    with watched(lock):
        second.check()
        share.release()
        second.release()
    assert there(lock) == []


def test_what_a_killed_holder_left_is_given_back(
    lock: Path, master: MasterLock
) -> None:
    assert master.clear_away() == ""
    assert not lock.parent.with_name(".qtool").exists()
    share = master.share()
    assert master.clear_away() == ""
    with watched(lock) as holder:
        os.kill(holder, signal.SIGKILL)
    share.release()
    assert len(there(lock)) == 2
    assert "given back" in master.clear_away()
    assert there(lock) == []
    claim = held(lock, socket.getfqdn(), DEAD)
    assert master.clear_away() == ""  # that is Mailman's
    assert there(lock) == ["master.lck", claim.name]


def test_a_running_mailman_is_named_and_keeps_its_lock(
    lock: Path, master: MasterLock
) -> None:
    host = socket.getfqdn()
    claim = held(lock, host, os.getpid())
    with pytest.raises(MailmanRuns, match=f"held by pid {os.getpid()} on {host} "):
        master.share()
    assert there(lock) == ["master.lck", claim.name]


def test_a_runner_takes_nothing_without_the_lock_and_comes_back_with_it(
    tmp_path: Path,
) -> None:
    double = MailmanDouble(tmp_path / "site")
    lock = double.directory / "var" / "locks" / "master.lck"
    config = double.configuration(
        {
            "x": "[runner.in]\nclass: qtool.runners.forward.ForwardRunner\n"
            "instances: 1\nsleep_time: 0.02\n"
        }
    )
    clock = Ticks()
    master = Master(config, clock=clock)
    changes = Changes(master)

    def state() -> RunnerState:
        return next(s.state for s in master.states() if s.runner == "in")

    master.start("in")
    with watched(lock) as holder:
        os.kill(holder, signal.SIGKILL)
    changes.wait(lambda: state() is RunnerState.RESTARTING)
    base = config.switchboards["in"].enqueue(mail())
    assert list(config.switchboards["in"].files) == [base]
    clock.now += 1
    master.timer.look()
    changes.wait(lambda: state() is RunnerState.RUNNING)
    report = master.step("in")  # unless the runner itself was quicker
    assert report.outcome in (Outcome.DONE, Outcome.NOTHING)
    assert list(config.switchboards["in"].files) == []
    with watched(lock):
        master.close()
    assert there(lock) == []
