"""Temporary files go when nobody writes them, and only then."""

from __future__ import annotations

import fcntl
import os
import threading
from typing import TYPE_CHECKING

import pytest

from qtool.queues.leftovers import DEAD_SECONDS
from qtool.queues.spool import Spool
from qtool.queues.writers import Writing
from tests.queues.names import filebase_of, touch

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

NOW = 1_800_000_000.0


def _left_over(spool: Spool, age: float = 0.0) -> list[str]:
    """Leave a temporary file; return what of it is there after a sweep."""
    path = spool.queue_directory / f"{filebase_of(1)}.pck.tmp"
    path.parent.mkdir(exist_ok=True)
    path.touch()
    os.utime(path, (NOW - age, NOW - age))
    spool.sweep()
    return [path.name for path in spool.queue_directory.iterdir()]


@pytest.fixture
def own(tmp_path: Path) -> Spool:
    return Spool("in", tmp_path / "in", clock=lambda: NOW)


@pytest.fixture
def shared(tmp_path: Path) -> Spool:
    """A queue into which GNU Mailman writes, too."""
    return Spool("in", tmp_path / "in", create=False, clock=lambda: NOW)


def _without_locks(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, os.strerror(95))

    patch.setattr(fcntl, "fcntl", refuse)


@pytest.mark.parametrize("age", [0.0, -5_000.0, DEAD_SECONDS + 1])
def test_what_nobody_writes_goes_whatever_its_age(own: Spool, age: float) -> None:
    """Its time may lie ahead: clocks are set back."""
    assert _left_over(own, age) == []


@pytest.mark.parametrize("name", [filebase_of(1), None], ids=["one", "a group"])
@pytest.mark.parametrize("age", [0.0, DEAD_SECONDS + 1])
def test_what_somebody_writes_stays(own: Spool, name: str | None, age: float) -> None:
    touch(own.queue_directory, [])
    with Writing(str(own.queue_directory), name):
        assert len(_left_over(own, age)) == 1
    own.recover_backup_files()
    assert own.names() == []
    assert list(own.queue_directory.iterdir()) == []


def test_who_writes_another_entry_does_not_matter(own: Spool) -> None:
    touch(own.queue_directory, [])
    with Writing(str(own.queue_directory), filebase_of(2)):
        assert _left_over(own) == []


def test_what_mailman_may_be_writing_must_grow_old(shared: Spool) -> None:
    assert len(_left_over(shared, DEAD_SECONDS - 1)) == 1
    assert _left_over(shared, DEAD_SECONDS + 1) == []


def test_without_locks_it_must_grow_old(
    own: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_locks(monkeypatch)
    assert len(_left_over(own, DEAD_SECONDS - 1)) == 1
    assert _left_over(own, DEAD_SECONDS + 1) == []


def test_without_locks_an_enqueue_works(
    own: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_locks(monkeypatch)
    names = [own.enqueue(message), *own.enqueue_many([(message, {})])]

    assert sorted(own.files) == sorted(names)


def test_what_is_foreign_is_left_alone(own: Spool) -> None:
    touch(own.queue_directory, ["foo.pck.tmp", "foo.edit"])
    own.sweep()

    assert len(list(own.queue_directory.iterdir())) == 2


def test_a_queue_without_a_folder_is_swept(own: Spool) -> None:
    own.sweep()
    assert not own.queue_directory.exists()


def test_no_sweep_hinders_those_who_write_meanwhile(
    own: Spool, message: Message
) -> None:
    over = threading.Event()

    def sweep_all_the_time() -> None:
        while not over.is_set():
            own.sweep()

    sweeper = threading.Thread(target=sweep_all_the_time)
    sweeper.start()
    try:
        for _ in range(20):
            own.enqueue(message)
            own.enqueue_many([(message, {})] * 3)
    finally:
        over.set()
        sweeper.join()
    assert len(own.files) == 80
