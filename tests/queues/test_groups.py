"""Entries that get other metadata by one group commit: each goes, or stays."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import EntryExists, NoSuchEntry, NoSuchQueue, QToolError
from qtool.qfile import message_from_string
from qtool.queues import durable, rewriting
from qtool.queues.filebase import TAKEN, WAITING
from qtool.queues.spool import Spool
from tests.queues.dying import at_every_call
from tests.queues.names import filebase_of, touch
from tests.queues.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qtool.queues.mending import Prepared

UNSHUNT = """
import os, sys
from qtool.qfile import message_from_string
from qtool.queues.spool import Spool
here, there = (Spool(name, f"{sys.argv[1]}/{name}") for name in ("in", "out"))
message = message_from_string("Subject: x\\n\\nbody\\n")
names = here.enqueue_many([(message, {"number": 1})] * 3)
there.queue_directory.mkdir()
os.write(1, b"begins")
prepared = here.prepare([(name, ".pck", {}) for name in names])
for name in names:
    here.transfer(name, there, msgdata={}, prepared=prepared, sync=False)
prepared.close()
"""


@pytest.fixture
def out(tmp_path: Path) -> Spool:
    return Spool("out", tmp_path / "out")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each new file that the test writes, whether it waited for its own fsync."""
    calls: list[bool] = []
    write_new = durable.write_new

    def note(path: str, data: bytes, *, sync: bool = True) -> None:
        write_new(path, data, sync=sync)
        calls.append(sync)

    monkeypatch.setattr(durable, "write_new", note)
    return calls


def enqueued(spool: Spool, count: int) -> list[str]:
    message = message_from_string("Subject: x\n\nbody\n")
    return spool.enqueue_many([(message, {"number": n}) for n in range(count)])


def edited(held: dict[str, Any]) -> dict[str, Any]:
    return {**held, "edited": True}


def prepare(spool: Spool, *names: str) -> Prepared:
    return spool.prepare([(name, WAITING, edited) for name in names])


@contextlib.contextmanager
def prepared(spool: Spool, *names: str) -> Iterator[Prepared]:
    with contextlib.closing(prepare(spool, *names)) as made:
        yield made


def go(spool: Spool, there: Spool, name: str, made: Prepared) -> None:
    spool.transfer(name, there, msgdata=edited, prepared=made, sync=False)


def names_of(spool: Spool) -> list[str]:
    return sorted(path.name for path in spool.queue_directory.iterdir())


def waiting(names: list[str]) -> list[str]:
    return sorted(f"{name}.pck" for name in names)


def are_edited(spool: Spool) -> list[bool]:
    return [spool.peek(name).msgdata.get("edited", False) for name in spool.files]


# --- One wait for the disk


@pytest.mark.usefixtures("needs_strace")
def test_the_disk_is_waited_for_once_and_before_any_entry_leaves(
    tmp_path: Path,
) -> None:
    calls = trace(UNSHUNT, tmp_path, log=tmp_path / "log")
    begin = next(
        n for n, c in enumerate(calls) if c.name == "write" and "in" not in c.path
    )
    calls = calls[begin:]
    [synced] = [n for n, call in enumerate(calls) if call.name == "syncfs"]
    created = [n for n, call in enumerate(calls) if call.name == "create"]
    renamed = [n for n, call in enumerate(calls) if call.name == "rename"]

    assert len(created) == 3
    assert len(renamed) == 3 * 3
    assert max(created) < synced < min(renamed)
    assert [call for call in calls if call.name == "fsync"] == []


def test_all_stays_as_it_is_until_each_goes(spool: Spool, out: Spool) -> None:
    names = enqueued(spool, 3)
    with prepared(spool, *names) as made:
        assert spool.files == names
        assert are_edited(spool) == [False] * 3
        go(spool, out, names[1], made)

    assert names_of(spool) == waiting([names[0], names[2]])
    assert are_edited(spool) == [False] * 2
    assert (out.files, are_edited(out)) == ([names[1]], [True])


def test_in_any_state_each_goes_as_it_was_prepared(spool: Spool, out: Spool) -> None:
    names = enqueued(spool, 3)
    folder = spool.queue_directory
    (folder / f"{names[0]}.pck").rename(folder / f"{names[0]}.psv")
    states = [".psv", ".pck", ".pck"]
    changes = [(name, state, edited) for name, state in zip(names, states, strict=True)]
    with contextlib.closing(spool.prepare(changes)) as made:
        for name, state, _ in changes:
            spool.transfer(name, out, suffix=state, msgdata=edited, prepared=made)

    assert names_of(spool) == []
    assert (out.files, are_edited(out)) == (names, [True] * 3)


def test_where_there_is_no_group_commit_each_waits_for_its_own(
    tmp_path: Path, out: Spool, written: list[bool]
) -> None:
    spool = Spool("in", tmp_path / "in", group_commit=False)
    names = enqueued(spool, 3)
    written.clear()
    with prepared(spool, *names) as made:
        assert names_of(spool) == waiting(names)
        for name in names:
            go(spool, out, name, made)

    assert written == [True] * 3
    assert are_edited(out) == [True] * 3


def test_what_is_too_much_at_a_time_is_written_by_itself(
    spool: Spool, out: Spool, written: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = enqueued(spool, 4)
    size = (spool.queue_directory / f"{names[0]}.pck").stat().st_size
    monkeypatch.setattr(rewriting, "_LARGEST", 3 * size)
    written.clear()
    with prepared(spool, *names) as made:
        for name in names:
            go(spool, out, name, made)

    assert written == [False, False, True, True]
    assert are_edited(out) == [True] * 4


# --- What cannot be prepared


def test_what_is_no_entry_or_is_in_flight_leaves_the_others_alone(
    spool: Spool, out: Spool
) -> None:
    first, taken, damaged, held, last = enqueued(spool, 5)
    folder = spool.queue_directory
    spool.dequeue(taken)
    (folder / f"{damaged}.pck").write_bytes(b"x")
    (folder / f"{held}{TAKEN}").write_bytes(b"of a recovery that was cut off")
    wrong = {
        taken: "in flight",
        held: "in flight",
        filebase_of(1): "not there any more",
        "../x": "is no filebase",
        damaged: "does not begin as a qfile does",
    }
    with prepared(spool, first, *wrong, first, last) as made:
        assert sorted(path.name for path in folder.glob("*.tmp")) == sorted(
            f"{name}.pck.tmp" for name in (first, last)
        )
        for name, why in wrong.items():
            with pytest.raises(QToolError, match=why):
                go(spool, out, name, made)
        go(spool, out, first, made)
        with pytest.raises(NoSuchEntry, match="not there any more"):
            go(spool, out, first, made)
        go(spool, out, last, made)

    assert out.files == [first, last]
    assert list(folder.glob("*.tmp")) == []


def test_where_the_folder_is_gone_each_is_missing(tmp_path: Path, out: Spool) -> None:
    spool = Spool("in", tmp_path / "nowhere")
    with prepared(spool, filebase_of(1), filebase_of(2)) as made:
        for number in (1, 2):
            with pytest.raises(NoSuchEntry):
                go(spool, out, filebase_of(number), made)


def test_without_room_for_all_they_go_one_by_one(
    spool: Spool, out: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that an entry no longer needs makes the room for the next one."""
    names = enqueued(spool, 4)
    folder, write_new = spool.queue_directory, durable.write_new

    def write(path: str, data: bytes, *, sync: bool = True) -> None:
        if len(list(folder.iterdir())) > len(names):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_new(path, data, sync=sync)

    monkeypatch.setattr(durable, "write_new", write)
    with prepared(spool, *names) as made:
        assert len(names_of(spool)) == len(names) + 1
        for name in names:
            go(spool, out, name, made)

    assert (out.files, are_edited(out)) == (names, [True] * 4)


def test_what_a_group_commit_did_not_get_to_the_disk_is_not_trusted(
    spool: Spool, out: Spool, written: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have failed for strangers' files: each of ours gets a new one."""
    names = enqueued(spool, 3)
    written.clear()

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "the disk is on fire")

    monkeypatch.setattr(durable, "sync_file_system", fail)
    with prepared(spool, *names) as made:
        assert names_of(spool) == waiting(names)
        for name in names:
            go(spool, out, name, made)

    assert written == [False] * 3 + [True] * 3
    assert (out.files, are_edited(out)) == (names, [True] * 3)


# --- What others do between the two


def _taken(spool: Spool, name: str) -> None:
    spool.dequeue(name)


def _finished(spool: Spool, name: str) -> None:
    spool.dequeue(name)
    spool.finish(name)


def _recovered(spool: Spool, name: str) -> None:
    spool.dequeue(name)
    spool.recover_backup_files()


def _being_recovered(spool: Spool, name: str) -> None:
    folder = spool.queue_directory
    (folder / f"{name}.pck").with_suffix(TAKEN).write_bytes(b"in flight, too")


def _rewritten_in_place(spool: Spool, name: str) -> None:
    """As GNU Mailman's recovery does it."""
    path = spool.queue_directory / f"{name}.pck"
    path.write_bytes(path.read_bytes() + b" ")


@pytest.mark.parametrize(
    "meanwhile",
    [_taken, _finished, _recovered, _being_recovered, _rewritten_in_place],
)
def test_what_a_runner_took_meanwhile_is_left_to_it_and_the_others_go(
    spool: Spool, out: Spool, meanwhile: Callable[[Spool, str], None]
) -> None:
    names = enqueued(spool, 3)
    with prepared(spool, *names) as made:
        meanwhile(spool, names[1])
        left = [name for name in names_of(spool) if not name.endswith(".tmp")]
        go(spool, out, names[0], made)
        with pytest.raises(NoSuchEntry):
            go(spool, out, names[1], made)
        go(spool, out, names[2], made)

    assert out.files == [names[0], names[2]]
    assert names_of(spool) == sorted(set(left) - set(waiting([names[0], names[2]])))


def test_nobody_else_sweeps_or_rewrites_what_is_prepared(
    spool: Spool, out: Spool
) -> None:
    names = enqueued(spool, 2)
    with prepared(spool, *names) as made:
        other = Spool("in", spool.queue_directory)
        other.sweep()
        for name in names:
            with pytest.raises(EntryExists, match="being rewritten already"):
                other.rewrite(name, {})
            go(spool, out, name, made)

    assert are_edited(out) == [True, True]


def test_a_new_file_that_is_another_s_by_now_is_not_removed(spool: Spool) -> None:
    names = enqueued(spool, 2)
    with prepared(spool, *names):
        new = spool.queue_directory / f"{names[0]}.pck.tmp"
        new.unlink()
        new.write_bytes(b"of a recovery")

    assert names_of(spool) == sorted([*waiting(names), new.name])
    assert new.read_bytes() == b"of a recovery"


def test_where_one_cannot_go_it_stays_as_it_was_and_the_others_go(
    spool: Spool, out: Spool, tmp_path: Path
) -> None:
    names = enqueued(spool, 3)
    mailmans = Spool("later", tmp_path / "later", create=False)
    touch(out.queue_directory, [f"{names[0]}.pck"])
    with prepared(spool, *names) as made:
        with pytest.raises(EntryExists):
            go(spool, out, names[0], made)
        with pytest.raises(NoSuchQueue):
            go(spool, mailmans, names[1], made)
        go(spool, out, names[2], made)

    assert names_of(spool) == waiting(names[:2])
    assert are_edited(spool) == [False, False]


def test_beside_a_runner_no_message_is_lost_or_sent_twice(
    spool: Spool, out: Spool
) -> None:
    names = enqueued(spool, 120)
    sent: list[int] = []
    stop = threading.Event()

    def send_all() -> None:
        while not stop.is_set() or spool.files:
            for name in spool.files:
                with contextlib.suppress(NoSuchEntry):
                    sent.append(spool.dequeue(name)[1]["number"])
                    spool.finish(name)

    runner = threading.Thread(target=send_all)
    runner.start()
    for start in range(110, -1, -10):
        group = names[start : start + 10]
        with prepared(spool, *group) as made:
            for name in group:
                with contextlib.suppress(NoSuchEntry):
                    go(spool, out, name, made)
    stop.set()
    runner.join()

    moved = [out.peek(name).msgdata["number"] for name in out.files]
    assert sorted(sent + moved) == list(range(120))
    assert names_of(spool) == []


# --- Killed, and failing


def _acts(
    tmp_path: Path, error: int | None
) -> Callable[[int], tuple[Callable[[], object], Callable[[], object]]]:
    """Return what makes two queues and moves a group, and says what must be true."""

    def made(number: int) -> tuple[Callable[[], object], Callable[[], object]]:
        here, there = (
            Spool(name, tmp_path / str(number) / name) for name in ("in", "out")
        )
        names = enqueued(here, 3)
        there.queue_directory.mkdir()
        failed: list[str] = []

        def act() -> None:
            with prepared(here, *names) as ready:
                for name in names:
                    try:
                        go(here, there, name, ready)
                    except OSError:
                        assert error is not None
                        failed.append(name)

        def check() -> None:
            visible = [*here.files, *there.files]
            assert len(set(visible)) == len(visible)  # before anybody has swept
            if error is not None:
                assert sorted(there.files) == sorted(set(names) - set(failed))
                assert len(failed) <= 1
            here.sweep()
            there.sweep()
            assert sorted(names_of(here) + names_of(there)) == waiting(names)
            assert are_edited(there) == [True] * len(there.files)
            found = [
                s.peek(n).msgdata["number"] for s in (here, there) for n in s.files
            ]
            assert sorted(found) == [0, 1, 2]

        return act, check

    return made


def test_killed_at_any_call_each_is_there_once_and_never_twice(tmp_path: Path) -> None:
    assert at_every_call(_acts(tmp_path, None)) >= 3 * 7 + 2


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_whatever_call_fails_one_stays_and_is_named(tmp_path: Path, error: int) -> None:
    at_every_call(_acts(tmp_path, error), error)
