"""Entries that go to another queue or name: none is lost, none is there twice."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import EntryExists, NoSuchEntry, NoSuchQueue, QFileError
from qtool.queues import durable, filebase
from qtool.queues.entries import Entries
from qtool.queues.recovery import COUNT_KEY
from qtool.queues.spool import Spool
from qtool.queues.writers import Writing
from tests.queues.dying import at_every_call, dying
from tests.queues.names import filebase_of, touch

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from pathlib import Path

    from qtool.queues.changing import Msgdata

STATES = [".pck", ".psv"]


def _names(switchboard: Spool) -> list[str]:
    folder = switchboard.queue_directory
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _set_aside(switchboard: Spool, name: str) -> None:
    path = switchboard.queue_directory / name
    path.with_name(f"{name}.pck").rename(path.with_name(f"{name}.psv"))


@pytest.fixture
def out(tmp_path: Path) -> Spool:
    return Spool("out", tmp_path / "out")


@pytest.fixture(params=["near", "far"])
def there(request: pytest.FixtureRequest, tmp_path: Path, elsewhere: Path) -> Spool:
    """A queue on this file system, and one on another."""
    return Spool("out", (tmp_path if request.param == "near" else elsewhere) / "out")


# --- As it is


@pytest.mark.parametrize("new_suffix", STATES)
@pytest.mark.parametrize("suffix", STATES)
def test_what_waits_or_was_set_aside_goes_as_it_is(
    spool: Spool, there: Spool, message: Message, suffix: str, new_suffix: str
) -> None:
    name, other = spool.enqueue(message), filebase_of(1)
    before = (spool.queue_directory / f"{name}.pck").read_bytes()
    if suffix == ".psv":
        _set_aside(spool, name)
    spool.transfer(
        name, there, suffix=suffix, new_suffix=new_suffix, new_filebase=other
    )

    assert (_names(spool), _names(there)) == ([], [f"{other}{new_suffix}"])
    assert (there.queue_directory / f"{other}{new_suffix}").read_bytes() == before


def test_an_entry_gets_another_time_in_its_own_queue(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    soon = filebase.at(name, 1_800_000_000.0)
    spool.transfer(name, spool, new_filebase=soon)

    assert _names(spool) == [f"{soon}.pck"]
    assert filebase.digest_of(soon) == filebase.digest_of(name)


@pytest.mark.parametrize("msgdata", [None, {"number": 2}])
def test_it_replaces_nothing(
    spool: Spool, there: Spool, message: Message, msgdata: dict[str, Any] | None
) -> None:
    name = spool.enqueue(message, number=1)
    touch(there.queue_directory, [f"{name}.pck"])
    with pytest.raises(EntryExists):
        spool.transfer(name, there, msgdata=msgdata)

    assert (_names(spool), _names(there)) == ([f"{name}.pck"], [f"{name}.pck"])
    assert spool.peek(name).msgdata["number"] == 1


def test_to_itself_under_its_own_name_it_stays(
    spool: Spool, tmp_path: Path, message: Message
) -> None:
    """Also where its folder is reached by another way."""
    name = spool.enqueue(message)
    (tmp_path / "link").symlink_to(spool.queue_directory)
    for other in (spool, Spool("in", tmp_path / "link")):
        with pytest.raises(EntryExists):
            spool.transfer(name, other)
    assert _names(spool) == [f"{name}.pck"]

    spool.transfer(name, Spool("in", tmp_path / "link"), msgdata={"number": 1})
    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata["number"] == 1


@pytest.mark.parametrize("msgdata", [None, {}])
def test_what_is_in_flight_or_in_a_hand_stays_there(
    spool: Spool, out: Spool, message: Message, msgdata: dict[str, Any] | None
) -> None:
    taken, held = spool.enqueue(message), spool.enqueue(message)
    spool.dequeue(taken)
    Entries("in", str(spool.queue_directory), create=True).hold(held)
    with Writing(str(spool.queue_directory), held):
        with pytest.raises(NoSuchEntry, match="in flight"):
            spool.transfer(taken, out, msgdata=msgdata)
        with pytest.raises(NoSuchEntry, match="in somebody's hand"):
            spool.transfer(held, out, msgdata=msgdata)
        with pytest.raises(NoSuchEntry, match="not there any more"):
            spool.transfer(filebase_of(1), out, msgdata=msgdata)

    assert _names(spool) == sorted([f"{taken}.bak", f"{held}.edit"])
    assert not out.queue_directory.exists()


@pytest.mark.parametrize("msgdata", [None, {}])
def test_what_a_recovery_has_not_ended_with_yet_stays_there(
    spool: Spool, out: Spool, message: Message, msgdata: dict[str, Any] | None
) -> None:
    """It waits already and is in flight still: what was moved would come twice."""
    name = spool.enqueue(message)
    waiting = spool.queue_directory / f"{name}.pck"
    waiting.with_suffix(".bak").write_bytes(waiting.read_bytes())
    with pytest.raises(NoSuchEntry, match="in flight"):
        spool.transfer(name, out, msgdata=msgdata)
    with pytest.raises(NoSuchEntry, match="in flight"):
        spool.rewrite(name, {})

    assert _names(spool) == sorted([f"{name}.pck", f"{name}.bak"])


@pytest.mark.parametrize("suffix", STATES)
@pytest.mark.parametrize("msgdata", [None, {"number": 1}])
def test_what_a_dead_hand_held_goes_all_the_same(
    spool: Spool,
    out: Spool,
    message: Message,
    suffix: str,
    msgdata: dict[str, Any] | None,
) -> None:
    name = spool.enqueue(message, number=1)
    if suffix == ".psv":
        _set_aside(spool, name)
    Entries("in", str(spool.queue_directory), create=True).hold(name, suffix)
    spool.transfer(name, out, suffix=suffix, msgdata=msgdata)

    assert (_names(spool), _names(out)) == ([], [f"{name}.pck"])


def test_only_a_folder_that_may_be_made_is_made(
    spool: Spool, tmp_path: Path, message: Message
) -> None:
    name = spool.enqueue(message, number=1)
    mailmans = Spool("out", tmp_path / "out", create=False)
    for msgdata in (None, {"number": 2}):
        with pytest.raises(NoSuchQueue):
            spool.transfer(name, mailmans, msgdata=msgdata)
        assert _names(spool) == [f"{name}.pck"]
        assert spool.peek(name).msgdata["number"] == 1

    trash = Spool("trash", tmp_path / ".qtool" / "trash" / "1")
    spool.transfer(name, trash)
    assert trash.files == [name]


def test_nothing_but_a_filebase_and_a_state_becomes_a_path(
    spool: Spool, out: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    with pytest.raises(NoSuchEntry, match="no filebase"):
        spool.transfer("../x", out)
    with pytest.raises(NoSuchEntry, match="no filebase"):
        spool.transfer(name, out, new_filebase="../x")
    for wrong in (".bak", "/../x", ""):
        with pytest.raises(ValueError, match="no state"):
            spool.transfer(name, out, suffix=wrong)
        with pytest.raises(ValueError, match="no state"):
            spool.transfer(name, out, new_suffix=wrong)
    assert spool.files == [name]


def test_a_move_in_two_steps_that_was_cut_off_is_ended(
    spool: Spool, out: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    touch(out.queue_directory, [])
    waiting = spool.queue_directory / f"{name}.pck"
    os.link(waiting, out.queue_directory / waiting.name)
    spool.transfer(name, out)

    assert (_names(spool), _names(out)) == ([], [f"{name}.pck"])


def test_only_what_is_synced_by_hand_is_not_synced_at_once(
    spool: Spool, out: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = spool.enqueue_many([(message, {})] * 3)
    touch(out.queue_directory, [])
    synced: list[str] = []
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    spool.transfer(names[0], out, sync=False)
    assert synced == []
    spool.transfer(names[1], out)
    assert synced == [str(out.queue_directory), str(spool.queue_directory)]
    spool.transfer(names[2], spool, new_filebase=filebase_of(1))
    assert synced[2:] == [str(spool.queue_directory)]


def test_who_moves_many_makes_one_call_for_each(
    spool: Spool, out: Spool, message: Message
) -> None:
    names = spool.enqueue_many([(message, {})] * 5)
    touch(out.queue_directory, [])
    with dying(len(names)) as process:
        for name in names:
            spool.transfer(name, out, sync=False)

    assert not process.came_so_far
    assert out.files == names


@pytest.mark.parametrize("suffix", STATES)
def test_the_state_of_an_entry_is_known_and_it_can_be_removed_for_good(
    spool: Spool, message: Message, suffix: str
) -> None:
    name, taken = spool.enqueue(message), spool.enqueue(message)
    spool.dequeue(taken)
    if suffix == ".psv":
        _set_aside(spool, name)
    assert spool.suffix_of(name) == suffix
    spool.erase(name)
    for gone, why in ((name, "not there"), (taken, "in flight"), ("../x", "filebase")):
        with pytest.raises(NoSuchEntry, match=why):
            spool.suffix_of(gone)
        with pytest.raises(NoSuchEntry, match=why):
            spool.erase(gone)
    assert _names(spool) == [f"{taken}.bak"]


# --- With other metadata


@pytest.mark.parametrize("suffix", STATES)
def test_it_may_get_other_metadata_on_its_way(
    spool: Spool, there: Spool, message: Message, suffix: str
) -> None:
    name = spool.enqueue(message, whichq="in", number=1)
    before = spool.peek(name)
    if suffix == ".psv":
        _set_aside(spool, name)
    changed = {"number": 2, "_volatile": 1, COUNT_KEY: 2, "version": 9}
    spool.transfer(name, there, suffix=suffix, msgdata=changed)

    after = there.peek(name)
    assert (_names(spool), _names(there)) == ([], [f"{name}.pck"])
    assert after.message_bytes == before.message_bytes
    assert after.msgdata == {"number": 2, "version": 3, "_parsemsg": False}


@pytest.mark.parametrize("msgdata", [{"function": len}, {1: 2}])
def test_metadata_that_no_queue_can_keep_change_nothing(
    spool: Spool, out: Spool, message: Message, msgdata: dict[Any, Any]
) -> None:
    name = spool.enqueue(message, number=1)
    with pytest.raises((QFileError, AttributeError)):
        spool.transfer(name, out, msgdata=msgdata)

    assert (_names(spool), _names(out)) == ([f"{name}.pck"], [])
    assert spool.peek(name).msgdata["number"] == 1


def test_an_entry_that_appears_where_it_goes_leaves_it_as_it_was(
    spool: Spool, there: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message, number=1)
    write_new = durable.write_new

    def appear(*args: Any, **kws: Any) -> None:
        write_new(*args, **kws)
        touch(there.queue_directory, [f"{name}.pck"])
        monkeypatch.undo()

    monkeypatch.setattr(durable, "write_new", appear)
    with pytest.raises(EntryExists):
        spool.transfer(name, there, msgdata={"number": 2})

    assert (_names(spool), _names(there)) == ([f"{name}.pck"], [f"{name}.pck"])
    assert spool.peek(name).msgdata["number"] == 1


def test_one_that_mailman_counted_meanwhile_is_left_to_it(
    spool: Spool, out: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GNU Mailman's recovery writes the count into the same file."""
    name = spool.enqueue(message, number=1)
    waiting = spool.queue_directory / f"{name}.pck"
    write_new = durable.write_new

    def count(*args: Any, **kws: Any) -> None:
        write_new(*args, **kws)
        with waiting.open("r+b") as file:
            file.write(waiting.read_bytes().replace(b"\x01", b"\x02"))
            file.write(b" ")
        monkeypatch.undo()

    monkeypatch.setattr(durable, "write_new", count)
    with pytest.raises(NoSuchEntry):
        spool.transfer(name, out, msgdata={"number": 2})

    assert (_names(spool), _names(out)) == ([f"{name}.pck"], [])


# --- Killed, and failing


def _prepared(
    tmp_path: Path, far: Path | None, msgdata: dict[str, Any] | None, suffix: str
) -> Callable[[int], tuple[Callable[[], object], Callable[[], object]]]:
    """Return what makes two queues, and says what must be true in the end."""
    from qtool.qfile import message_from_string

    def prepare(number: int) -> tuple[Callable[[], object], Callable[[], object]]:
        here = Spool("in", tmp_path / str(number) / "in")
        there = Spool("out", (far or tmp_path) / str(number) / "out")
        name = here.enqueue(message_from_string("Subject: x\n\nbody\n"), number=1)
        if suffix == ".psv":
            _set_aside(here, name)

        def act() -> None:
            here.transfer(
                name, there, suffix=suffix, new_suffix=suffix, msgdata=msgdata
            )

        def check() -> None:
            here.sweep()
            if there.queue_directory.exists():
                there.sweep()
            found = [
                spool.peek(name).msgdata["number"]
                for spool in (here, there)
                for left in _names(spool)
                if left == name + suffix
            ]
            assert len(_names(here) + _names(there)) == len(found)
            assert set(found) <= {1, (msgdata or {}).get("number", 1)}
            # Only on its way to another file system one may be there twice.
            assert found
            assert len(found) == 1 or far is not None

        return act, check

    return prepare


@pytest.mark.parametrize("suffix", STATES)
@pytest.mark.parametrize("msgdata", [None, {"number": 2}])
def test_killed_at_any_call_exactly_one_is_left(
    tmp_path: Path, msgdata: dict[str, Any] | None, suffix: str
) -> None:
    calls = at_every_call(_prepared(tmp_path, None, msgdata, suffix))
    assert calls >= (12 if msgdata else 5)


@pytest.mark.parametrize("msgdata", [None, {"number": 2}])
def test_killed_at_any_call_on_the_way_to_another_file_system_none_is_lost(
    tmp_path: Path, elsewhere: Path, msgdata: dict[str, Any] | None
) -> None:
    assert at_every_call(_prepared(tmp_path, elsewhere, msgdata, ".pck")) >= 12


@pytest.mark.parametrize("msgdata", [None, {"number": 2}])
def test_what_was_cut_off_on_the_way_is_there_once_when_it_was_taken_back(
    tmp_path: Path, elsewhere: Path, message: Message, msgdata: dict[str, Any] | None
) -> None:
    """Nobody sweeps before; whoever takes it back may be killed, too."""

    def prepare(last: int) -> tuple[Callable[[], object], Callable[[], object]]:
        near = Spool("in", tmp_path / f"{last}" / "in")
        far = Spool("out", elsewhere / f"{last}" / "out")
        name = near.enqueue(message, number=1)

        def back() -> None:
            with contextlib.suppress(NoSuchEntry):  # it is back, or never went
                far.transfer(name, near, msgdata=msgdata and {"number": 1})

        def there_and_back() -> None:
            near.transfer(name, far, msgdata=msgdata)
            back()

        def check() -> None:
            back()
            near.sweep()
            far.sweep()
            assert (_names(near), _names(far)) == ([f"{name}.pck"], [])

        return there_and_back, check

    assert at_every_call(prepare) >= 24


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("msgdata", [None, {"number": 2}])
def test_whatever_call_fails_exactly_one_is_left(
    tmp_path: Path,
    elsewhere: Path,
    msgdata: dict[str, Any] | None,
    far: bool,
    error: int,
) -> None:
    prepared = _prepared(tmp_path, elsewhere if far else None, msgdata, ".pck")
    at_every_call(prepared, error)


def _without_color(held: dict[str, Any]) -> dict[str, Any]:
    return {key: held[key] for key in held if key != "color"}


@pytest.mark.parametrize("broken", ["near", "far"])
@pytest.mark.parametrize(
    ("change", "back"),
    [(None, None), (_without_color, lambda h: {**h, "color": "red"})],
)
def test_where_a_disk_fails_for_good_at_any_call_one_waits_and_never_two(
    tmp_path: Path,
    elsewhere: Path,
    message: Message,
    change: Msgdata | None,
    back: Msgdata | None,
    broken: str,
) -> None:
    """Once it works again, whoever takes the move back has one, too."""
    tops = {"near": tmp_path, "far": elsewhere}

    def prepare(last: int) -> tuple[Callable[[], object], Callable[[], object]]:
        near, far = (Spool("queue", top / f"{last}" / "q") for top in tops.values())
        name = near.enqueue(message, color="red", number=1)
        far.queue_directory.mkdir(parents=True)

        def check() -> None:
            waiting = [each for queue in (near, far) for each in queue.files]
            held = [*near.get_files(".edit"), *far.get_files(".edit")]
            assert len(waiting) == 1 or (waiting == [] and len(held) == 1)
            with contextlib.suppress(NoSuchEntry):  # it did not go
                far.transfer(name, near, msgdata=back)
            near.sweep()
            far.sweep()
            assert (_names(near), _names(far)) == ([f"{name}.pck"], [])

        return lambda: near.transfer(name, far, msgdata=change), check

    def disk(last: int) -> Path:
        return tops[broken] / f"{last}"

    assert at_every_call(prepare, errno.EIO, disk=disk) >= 4


# --- Beside a runner


@pytest.mark.parametrize("call", ["sync_folder", "unlink"])
def test_a_runner_there_gets_no_copy_of_what_may_yet_stay_here(
    spool: Spool,
    elsewhere: Path,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    there = Spool("out", elsewhere / "out")
    name = spool.enqueue(message)
    touch(there.queue_directory, [])

    def fail(path: str) -> None:
        for each in there.files:
            there.dequeue(each)
        raise OSError(errno.EIO, "input/output error", path)

    with monkeypatch.context() as patch:
        patch.setattr(durable if call == "sync_folder" else os, call, fail)
        with pytest.raises(OSError, match="input/output"):
            spool.transfer(name, there)

    assert spool.files == [name]
    assert there.get_files(".bak") == []


@pytest.mark.parametrize("msgdata", [None, {"moved": True}])
def test_beside_a_runner_no_message_is_lost_or_sent_twice(
    spool: Spool, there: Spool, message: Message, msgdata: dict[str, Any] | None
) -> None:
    names = spool.enqueue_many([(message, {"number": n}) for n in range(60)])
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
    for number, name in reversed(list(enumerate(names))):
        changed = None if msgdata is None else {**msgdata, "number": number}
        with contextlib.suppress(NoSuchEntry):
            spool.transfer(name, there, msgdata=changed)
    stop.set()
    runner.join()

    moved = [there.peek(name).msgdata["number"] for name in there.files]
    assert sorted(sent + moved) == list(range(60))
    assert _names(spool) == []


def test_the_state_of_an_entry_is_its_suffix_and_it_can_be_erased(
    tmp_path: Path,
) -> None:
    queue = Spool("in", tmp_path / "in")
    name = queue.enqueue(message_from_bytes(b"Subject: x\n\nx\n"))
    assert queue.suffix_of(name) == ".pck"
    queue.dequeue(name)
    for verb in (queue.suffix_of, queue.erase):
        with pytest.raises(NoSuchEntry, match="in flight"):
            verb(name)
    queue.finish(name, preserve=True)
    bad = Spool("bad", tmp_path / "bad")
    assert bad.suffix_of(name) == ".psv"
    bad.erase(name)
    assert bad.names() == []
    with pytest.raises(NoSuchEntry):
        bad.erase(name)
