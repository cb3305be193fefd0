"""The original of an edit is kept, and each of the two can take the other's place."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import EntryExists, NoSuchEntry
from qtool.qfile import message_from_string
from qtool.queues import durable
from qtool.queues.entries import Entries
from qtool.queues.spool import Spool
from tests.queues.dying import at_every_call
from tests.queues.names import filebase_of, touch

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from pathlib import Path


def _names(switchboard: Spool) -> list[str]:
    folder = switchboard.queue_directory
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _number(switchboard: Spool, name: str, suffix: str = ".pck") -> Any:
    from qtool import qfile

    path = switchboard.queue_directory / f"{name}{suffix}"
    return qfile.look(path).msgdata["number"]


@pytest.fixture(params=["near", "far"])
def trash(request: pytest.FixtureRequest, tmp_path: Path, elsewhere: Path) -> Spool:
    """A place for originals on this file system, and one on another."""
    top = tmp_path if request.param == "near" else elsewhere
    return Spool("trash", top / ".qtool" / "trash" / "1")


@pytest.fixture
def edited(spool: Spool, trash: Spool, message: Message) -> str:
    """An entry whose number is 2, and whose original is 1."""
    name = spool.enqueue(message, number=1)
    spool.keep(name, trash)
    spool.rewrite(name, {"number": 2})
    return name


# --- Keeping


def test_what_is_kept_stays_as_it_was_when_its_entry_changes(
    spool: Spool, trash: Spool, message: Message
) -> None:
    name = spool.enqueue(message, number=1)
    before = (spool.queue_directory / f"{name}.pck").read_bytes()
    spool.keep(name, trash)
    spool.keep(name, trash)  # again does nothing
    spool.rewrite(name, {"number": 2})

    assert (_names(spool), _names(trash)) == ([f"{name}.pck"], [f"{name}.pck"])
    assert (trash.queue_directory / f"{name}.pck").read_bytes() == before
    assert _number(spool, name) == 2


def test_only_what_waits_is_kept_and_nothing_is_replaced(
    spool: Spool, trash: Spool, message: Message
) -> None:
    name, taken = spool.enqueue(message), spool.enqueue(message)
    spool.dequeue(taken)
    with pytest.raises(NoSuchEntry, match="in flight"):
        spool.keep(taken, trash)
    with pytest.raises(NoSuchEntry):
        spool.keep(filebase_of(1), trash)
    trash.queue_directory.mkdir(parents=True, exist_ok=True)
    touch(trash.queue_directory, [f"{name}.pck"])
    with pytest.raises(EntryExists):
        spool.keep(name, trash)

    assert _names(spool) == sorted([f"{name}.pck", f"{taken}.bak"])
    assert _names(trash) == [f"{name}.pck"]


def test_a_file_that_may_have_no_second_name_is_copied(
    spool: Spool, tmp_path: Path, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where links to the files of others are forbidden."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    name, trash = spool.enqueue(message), Spool("trash", tmp_path / "trash")
    trash.queue_directory.mkdir(parents=True)
    monkeypatch.setattr(os, "link", refuse)
    spool.keep(name, trash)

    assert trash.peek(name).message_bytes == spool.peek(name).message_bytes
    assert not (trash.queue_directory / f"{name}.pck").samefile(
        spool.queue_directory / f"{name}.pck"
    )


# --- Swapping


def test_original_and_edited_swap_places_as_often_as_one_likes(
    spool: Spool, trash: Spool, edited: str
) -> None:
    for number in (1, 2, 1):
        spool.swap(edited, trash)
        assert (_names(spool), _names(trash)) == ([f"{edited}.pck"], [f"{edited}.pck"])
        assert (_number(spool, edited), _number(trash, edited)) == (number, 3 - number)


def test_without_an_exchange_they_swap_by_copies(
    spool: Spool,
    tmp_path: Path,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, trash = spool.enqueue(message, number=1), Spool("trash", tmp_path / "trash")
    spool.keep(name, trash)
    spool.rewrite(name, {"number": 2})

    def refuse(first: str, second: str) -> None:
        raise OSError(errno.EINVAL, "no such rename", first, None, second)

    monkeypatch.setattr(durable, "exchange", refuse)
    spool.swap(name, trash)

    assert (_names(spool), _names(trash)) == ([f"{name}.pck"], [f"{name}.pck"])
    assert (_number(spool, name), _number(trash, name)) == (1, 2)


def test_what_a_runner_has_taken_is_not_swapped(
    spool: Spool, trash: Spool, edited: str
) -> None:
    spool.dequeue(edited)
    with pytest.raises(NoSuchEntry, match="in flight"):
        spool.swap(edited, trash)

    assert (_names(spool), _names(trash)) == ([f"{edited}.bak"], [f"{edited}.pck"])
    assert _number(trash, edited) == 1


def test_without_an_original_nothing_is_swapped(
    spool: Spool, trash: Spool, message: Message
) -> None:
    name = spool.enqueue(message, number=1)
    with pytest.raises(NoSuchEntry):
        spool.swap(name, trash)
    trash.queue_directory.mkdir(parents=True)
    with pytest.raises(NoSuchEntry, match="trash"):
        spool.swap(name, trash)
    assert _names(spool) == [f"{name}.pck"]


def test_what_is_another_than_was_seen_is_not_swapped(
    spool: Spool, trash: Spool, edited: str
) -> None:
    seen = spool.peek(edited)
    spool.swap(edited, trash, was=seen)
    with pytest.raises(NoSuchEntry, match="another since"):
        spool.swap(edited, trash, was=seen)
    assert _names(spool) == [f"{edited}.pck"]
    assert _number(spool, edited) == 1


def test_what_a_dead_hand_held_is_swapped_all_the_same(
    spool: Spool, trash: Spool, edited: str
) -> None:
    Entries("in", str(spool.queue_directory), create=True).hold(edited)
    spool.swap(edited, trash)

    assert _names(spool) == [f"{edited}.pck"]
    assert _number(spool, edited) == 1


def test_beside_a_runner_either_is_sent_once(
    spool: Spool, trash: Spool, message: Message
) -> None:
    names = spool.enqueue_many([(message, {"number": n}) for n in range(40)])
    for number, name in enumerate(names):
        spool.keep(name, trash)
        spool.rewrite(name, {"number": 1000 + number})
    sent: list[int] = []

    def send_all() -> None:
        while len(sent) < len(names):
            for name in spool.files:
                with contextlib.suppress(NoSuchEntry):
                    sent.append(spool.dequeue(name)[1]["number"])
                    spool.finish(name)

    runner = threading.Thread(target=send_all)
    runner.start()
    for name in reversed(names):
        with contextlib.suppress(NoSuchEntry):
            spool.swap(name, trash)
    runner.join()

    left = [trash.peek(name).msgdata["number"] for name in trash.files]
    assert sorted(sent + left) == [*range(40), *range(1000, 1040)]
    assert _names(spool) == []


# --- Killed, and failing


def _prepared(
    tmp_path: Path, far: Path | None
) -> Callable[[int], tuple[Callable[[], object], Callable[[], object]]]:
    def prepare(number: int) -> tuple[Callable[[], object], Callable[[], object]]:
        here = Spool("in", tmp_path / str(number) / "in")
        there = Spool("trash", (far or tmp_path) / str(number) / "trash")
        name = here.enqueue(message_from_string("Subject: x\n\nbody\n"), number=1)
        here.keep(name, there)
        here.rewrite(name, {"number": 2})

        def check() -> None:
            here.sweep()
            there.sweep()
            assert _names(here) == [f"{name}.pck"]
            found = {_number(here, name), _number(there, name)}
            if f"{name}.psv" in _names(there):
                assert far is not None
                found.add(_number(there, name, ".psv"))
            assert found == {1, 2}
            before = _number(here, name)
            here.swap(name, there)
            assert _names(there) == [f"{name}.pck"]
            assert {_number(here, name), _number(there, name)} == {1, 2}
            assert before == 1 or _number(here, name) == 1

        return lambda: here.swap(name, there), check

    return prepare


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("error", [None, errno.EIO, errno.ENOSPC])
def test_killed_or_failing_at_any_call_no_version_is_lost(
    tmp_path: Path, elsewhere: Path, far: bool, error: int | None
) -> None:
    """And to swap again ends a swap that was cut off."""
    prepared = _prepared(tmp_path, elsewhere if far else None)
    assert at_every_call(prepared, error) >= (15 if far else 5)


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("error", [None, errno.EIO, errno.ENOSPC])
def test_killed_or_failing_at_any_call_the_kept_one_is_whole_or_not_there(
    tmp_path: Path, elsewhere: Path, far: bool, error: int | None
) -> None:
    def prepare(number: int) -> tuple[Callable[[], object], Callable[[], object]]:
        here = Spool("in", tmp_path / str(number) / "in")
        top = elsewhere if far else tmp_path
        there = Spool("trash", top / str(number) / "trash")
        name = here.enqueue(message_from_string("Subject: x\n\nbody\n"), number=1)

        def check() -> None:
            if there.queue_directory.exists():
                there.sweep()
            assert _names(there) in ([], [f"{name}.pck"])
            assert all(_number(there, kept) == 1 for kept in there.files)
            assert _names(here) == [f"{name}.pck"]

        return lambda: here.keep(name, there), check

    assert at_every_call(prepare, error) >= 4
