"""The sockets of daemons: who may listen."""

from __future__ import annotations

import fcntl
import importlib
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.control.serving import alone
from qtool.control.serving.sockets import connected, listening
from qtool.errors import Refused, Unreachable
from tests.rights import STRANGER, powerless

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a socket may be: its path is short."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        yield Path(name) / "s.sock"


def test_nobody_who_only_sees_the_folder_keeps_a_daemon_out(place: Path) -> None:
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with listening(place, None):
            assert list(place.parent.iterdir()) == [place]
    finally:
        os.close(folder)


def test_a_daemon_that_is_about_to_listen_is_not_waited_for_long(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.control.serving.alone._WAIT_SECONDS", 0.05)
    with open(f"{place}.lock", "w") as other:  # noqa: PTH123 - a name with a suffix more
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="another daemon is about to listen"):
            listening(place, None)
    with listening(place, None):
        pass


@pytest.fixture
def left_by_root(place: Path) -> Path:
    """A lock of root's, made long ago, in a folder of somebody without rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can leave files of other users")
    importlib.import_module("ctypes")  # from then on root's Python may be closed
    lock = place.with_name(f"{place.name}.lock")
    lock.touch(0o600)
    os.utime(lock, (0, 0))
    os.chown(place.parent, STRANGER, -1)
    return lock


def test_a_lock_that_another_user_has_left_is_replaced(
    place: Path, left_by_root: Path
) -> None:
    with powerless(), listening(place, None):
        assert list(place.parent.iterdir()) == [place]


@pytest.mark.parametrize("why", ["held", "young", "in a folder of root's", "unseen"])
def test_a_lock_of_another_user_that_stays_is_named_with_its_owner(
    place: Path, left_by_root: Path, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with left_by_root.open() as other:
        if why == "held":
            fcntl.flock(other, fcntl.LOCK_EX)
        elif why == "young":
            os.utime(left_by_root)
        elif why == "unseen":
            monkeypatch.setattr("qtool.control.serving.alone._LOCKS", place)
        else:
            os.chown(place.parent, 0, -1)
            place.parent.chmod(0o1777)
        with powerless(), pytest.raises(Refused) as refusal:
            listening(place, None)
        message = str(refusal.value)
        assert message.startswith(f"{left_by_root} belongs to root, and keeps")
        assert message.endswith("remove it, or have root do so")
        assert os.path.samestat(left_by_root.stat(), os.fstat(other.fileno()))
    assert list(place.parent.iterdir()) == [left_by_root]


def test_a_lock_that_is_another_one_by_now_is_put_back(place: Path) -> None:
    lock, former = place.with_suffix(".lock"), place.with_suffix(".former")
    former.touch()
    with lock.open("w") as other:
        assert alone._exchanged(lock, former.stat()) is None
        assert os.path.samestat(lock.stat(), os.fstat(other.fileno()))
    assert {former, lock} == set(place.parent.iterdir())


def test_a_daemon_at_whose_door_too_many_wait_is_not_waited_for(place: Path) -> None:
    with ExitStack() as waiting:
        waiting.enter_context(listening(place, None))  # and nobody accepts

        def connect_until_refused() -> None:
            while (connection := connected(place)) is not None:
                waiting.enter_context(connection)

        with pytest.raises(Unreachable, match="does not answer at"):
            connect_until_refused()


def test_what_is_in_the_place_of_a_socket_stays(place: Path) -> None:
    place.mkdir()
    with pytest.raises(Refused):
        listening(place, None)
    assert place.is_dir()
