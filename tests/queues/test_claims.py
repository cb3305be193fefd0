"""Claims of slices, across threads and processes."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.errors import ClaimsUnsupported, SliceClaimed
from qtool.queues import durable, slices
from qtool.queues.claims import Claims
from qtool.queues.slices import SPACE, Slice

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDER = """
import sys
from qtool.queues.claims import Claims
from qtool.queues.slices import equal
claims = Claims("in", sys.argv[1], sys.argv[2], clock=lambda: 1234.5)
claim = claims.take(equal(4)[int(sys.argv[3])], "qtool run")
print("held", flush=True)
sys.stdin.read()
claim.release()
"""


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    (tmp_path / "in").mkdir()
    return _claims(tmp_path)


def _claims(root: Path) -> Claims:
    return Claims("in", str(root / "in"), str(root / ".qtool"))


@contextmanager
def _other_process(root: Path, number: int) -> Iterator[subprocess.Popen[str]]:
    """A process that holds one quarter until its standard input ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, root / "in", root / ".qtool", str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def test_a_claimed_slice_cannot_be_claimed_again(claims: Claims) -> None:
    wanted = rf"in is claimed by pid {os.getpid()}"
    with claims.take(slices.whole(), "one"), pytest.raises(SliceClaimed, match=wanted):
        claims.take(slices.whole(), "two")
    claims.take(slices.whole(), "three").release()


def test_overlapping_slices_conflict_and_disjoint_ones_do_not(claims: Claims) -> None:
    halves, thirds = slices.equal(2), slices.equal(3)
    with claims.take(halves[0], "one"):
        for part in (halves[0], thirds[0], thirds[1], slices.whole()):
            with pytest.raises(SliceClaimed):
                claims.take(part, "two")
        with claims.take(halves[1], "two"), pytest.raises(SliceClaimed):
            claims.take(thirds[2], "three")


@settings(max_examples=25)
@given(
    weights=st.lists(st.integers(min_value=1, max_value=1000), min_size=1, max_size=12)
)
def test_all_slices_of_a_division_are_held_side_by_side(
    tmp_path_factory: pytest.TempPathFactory, weights: list[int]
) -> None:
    claims = _claims(tmp_path_factory.mktemp("site"))
    parts = slices.weighted(weights)
    held = [claims.take(part, "test") for part in parts]

    for part in parts:
        with pytest.raises(SliceClaimed):
            claims.take(part, "again")
        assert claims.holder(part) is not None
    for claim in held:
        claim.release()
    assert claims.holder(slices.whole()) is None


def test_threads_of_one_process_conflict(claims: Claims) -> None:
    refused = []

    def take() -> None:
        try:
            claims.take(slices.whole(), "thread")
        except SliceClaimed as error:
            refused.append(error)

    with claims.take(slices.whole(), "main"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join(60)
    assert len(refused) == 1


def test_another_process_conflicts_and_is_named(tmp_path: Path, claims: Claims) -> None:
    with _other_process(tmp_path, 1) as child:
        line = f"pid {child.pid} on {os.uname().nodename} (qtool run)"
        wanted = re.escape(f"in, slice 1:4, is claimed by {line}")
        with pytest.raises(SliceClaimed, match=wanted):
            claims.take(slices.equal(4)[1], "test")
        holder = claims.holder(slices.whole())
        assert holder is not None
        assert (str(holder), holder.pid, holder.started) == (line, child.pid, 1234.5)
        claims.take(slices.equal(4)[2], "test").release()


def test_a_killed_holder_holds_nothing(tmp_path: Path, claims: Claims) -> None:
    with _other_process(tmp_path, 1) as child:
        os.kill(child.pid, signal.SIGKILL)
        child.wait(60)
        assert len(list((tmp_path / ".qtool/claims").glob("*.json"))) == 1
        assert claims.holder(slices.whole()) is None
        with claims.take(slices.equal(4)[1], "test"):
            holder = claims.holder(slices.whole())
            assert holder is not None
            assert holder.pid == os.getpid()


def test_facts_of_a_dead_holder_are_not_believed_of_a_live_one(
    tmp_path: Path, claims: Claims
) -> None:
    """Who holds the range and has not written its facts yet is unknown."""
    claims.take(slices.whole(), "test").release()
    lock = next((tmp_path / ".qtool/claims").iterdir())
    with claims.take(slices.whole(), "test"):
        facts = next((tmp_path / ".qtool/claims").glob("*.json"))
        for broken in (b"", b"[]", b'{"pid": "x"}', b"\xff", b"[" * 9000):
            facts.write_bytes(broken)
            holder = claims.holder(slices.whole())
            assert str(holder) == "an unknown process"
        facts.unlink()
        assert str(claims.holder(slices.whole())) == "an unknown process"
        os.mkfifo(facts)
        assert str(claims.holder(slices.whole())) == "an unknown process"
    assert lock.exists()


def test_a_claim_stands_where_no_room_is_left_for_its_facts(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fills a disk may be the spool: it must be able to drain."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "write_new", fail)
    with claims.take(slices.whole(), "test") as claim:
        assert claim.is_held
        assert str(claims.holder(slices.whole())) == "an unknown process"


def test_release_gives_back_once_and_leaves_no_facts(
    tmp_path: Path, claims: Claims
) -> None:
    claim = claims.take(slices.whole(), "test")
    held = [claim.is_held]
    claim.release()
    claim.release()

    assert [*held, claim.is_held] == [True, False]
    assert list((tmp_path / ".qtool/claims").glob("*.json")) == []
    assert claims.holder(slices.whole()) is None


def test_looking_for_a_holder_writes_nothing(tmp_path: Path, claims: Claims) -> None:
    assert claims.holder(slices.whole()) is None
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_claims_live_in_the_state_folder_for_the_group(
    tmp_path: Path, claims: Claims
) -> None:
    umask = os.umask(0o077)
    try:
        with claims.take(slices.whole(), "test"):
            pass
    finally:
        os.umask(umask)
    folder = tmp_path / ".qtool/claims"

    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o2770
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2770
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o660}
    assert list((tmp_path / "in").iterdir()) == []


def test_two_names_of_one_folder_share_their_claims(
    tmp_path: Path, claims: Claims
) -> None:
    (tmp_path / "alias").symlink_to("in")
    alias = Claims("alias", str(tmp_path / "alias"), str(tmp_path / ".qtool"))

    with claims.take(slices.whole(), "test"), pytest.raises(SliceClaimed):
        alias.take(slices.whole(), "test")


def test_queues_of_one_name_in_two_places_do_not_share(
    tmp_path: Path, claims: Claims
) -> None:
    elsewhere = tmp_path / "elsewhere" / "in"
    elsewhere.mkdir(parents=True)
    far = Claims("in", str(elsewhere), str(tmp_path / ".qtool"))
    long = Claims("in", str(tmp_path / ("x" * 200)), str(tmp_path / ".qtool"))

    with (
        claims.take(slices.whole(), "test"),
        far.take(slices.whole(), "test"),
        long.take(slices.whole(), "test"),
    ):
        assert far.holder(slices.whole()) is not None


def test_a_lock_on_a_file_that_was_replaced_is_not_a_claim(
    tmp_path: Path, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file goes between opening and locking it: the new one is locked."""
    claims.take(slices.whole(), "test").release()
    lock = next((tmp_path / ".qtool/claims").iterdir())
    control = fcntl.fcntl
    replaced: list[Path] = []

    def replace_first(descriptor: int, command: int, argument: bytes) -> bytes:
        if not replaced:
            replaced.append(lock.rename(lock.with_name("gone")))
        return bytes(control(descriptor, command, argument))

    monkeypatch.setattr(fcntl, "fcntl", replace_first)
    claim = claims.take(slices.whole(), "test")
    monkeypatch.undo()

    assert lock.exists()
    with pytest.raises(SliceClaimed):
        claims.take(slices.whole(), "test")
    claim.release()


def test_a_claim_whose_lock_file_was_removed_is_lost_and_harms_no_other(
    tmp_path: Path, claims: Claims
) -> None:
    lost = claims.take(slices.whole(), "one")
    assert not lost.is_lost
    shutil.rmtree(tmp_path / ".qtool")
    assert lost.is_lost
    with claims.take(slices.whole(), "two") as claim:
        assert (lost.is_lost, claim.is_lost) == (True, False)
        lost.release()
        assert str(claims.holder(slices.whole())).endswith("(two)")
        assert not lost.is_lost


def test_a_slice_narrower_than_a_byte_is_refused(claims: Claims) -> None:
    with pytest.raises(ClaimsUnsupported, match="too narrow"):
        claims.take(Slice(0, (1 << 98) - 1, 0, 2), "test")
    with claims.take(Slice(0, 1 << 98, 0, 2), "narrow"):
        claims.take(Slice(1 << 98, SPACE, 1, 2), "the rest").release()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named_as_such(
    claims: Claims, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with pytest.raises(ClaimsUnsupported, match="no lock can stand"):
        claims.take(slices.whole(), "test")


def test_a_system_without_such_locks_is_named_as_such(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(fcntl, "F_OFD_SETLK")
    with pytest.raises(ClaimsUnsupported, match="offers no locks"):
        claims.take(slices.whole(), "test")


def test_no_descriptor_is_left_open(claims: Claims) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    with claims.take(slices.whole(), "test"):
        for _ in range(5):
            with pytest.raises(SliceClaimed):
                claims.take(slices.whole(), "test")
            claims.holder(slices.whole())
    assert before == len(list(descriptors.iterdir()))
