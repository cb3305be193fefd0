"""What a dead runner had in flight goes back, twice, and then into bad."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool import qfile
from qtool.errors import SliceClaimed, UnreadableQFile
from qtool.queues import durable, slices
from qtool.queues.aside import Aside
from qtool.queues.recovery import COUNT_KEY, Recovery, boot_time
from qtool.queues.spool import Spool
from tests.queues.names import filebase_of, touch

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message


def _names(switchboard: Spool) -> list[str]:
    return sorted(path.name for path in switchboard.queue_directory.iterdir())


def _recovery(spool: Spool, booted: float) -> Recovery:
    root = spool.queue_directory.parent
    aside = Aside(str(root / "bad"), str(root / ".qtool"))
    return Recovery(str(spool.queue_directory), aside, booted=booted)


def test_an_entry_in_flight_goes_back_twice_and_then_into_bad(
    spool: Spool, bad: Spool, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "qtool")
    name = spool.enqueue(message, whichq="in")
    raw = spool.peek(name).message_bytes
    for recovered, often in ((1, "once"), (2, "2 times")):
        spool.dequeue(name)
        spool.recover_backup_files()
        assert _names(spool) == [f"{name}.pck"]
        assert spool.peek(name).msgdata == {
            "whichq": "in", "version": 3, "_parsemsg": False, COUNT_KEY: recovered
        }  # fmt: skip
        assert spool.peek(name).message_bytes == raw
        assert caplog.messages[-1] == f"{name}: recovered, {often} so far"
    spool.dequeue(name)
    spool.recover_backup_files()

    assert _names(spool) == []
    assert bad.get_files(".psv") == [name]
    assert bad.preserved_because(name) == "recovered 3 times and never finished"


def test_recovery_after_a_boot_does_not_count(spool: Spool, message: Message) -> None:
    """Three power cuts must not condemn a good message."""
    name = spool.enqueue(message)
    before = (spool.queue_directory / f"{name}.pck").read_bytes()
    for _ in range(5):
        spool.dequeue(name)
        _recovery(spool, booted=time.time() + 60).put_back(name)
    assert (spool.queue_directory / f"{name}.pck").read_bytes() == before


def test_the_machine_booted_in_the_past() -> None:
    assert 0 < boot_time() <= time.time()


def test_what_was_released_does_not_count(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    for _ in range(5):
        spool.dequeue(name)
        spool.release(name)
        spool.recover_backup_files()
    assert COUNT_KEY not in spool.peek(name).msgdata


def test_a_runner_sees_how_often_an_entry_was_recovered(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    spool.recover_backup_files()

    assert spool.dequeue(name)[1][COUNT_KEY] == 1


def test_an_unreadable_entry_in_flight_goes_into_bad_unchanged(
    spool: Spool, bad: Spool
) -> None:
    name = filebase_of(1)
    touch(spool.queue_directory, [])
    (spool.queue_directory / f"{name}.bak").write_bytes(b"garbage")
    spool.recover_backup_files()

    assert _names(spool) == []
    assert (bad.queue_directory / f"{name}.psv").read_bytes() == b"garbage"
    assert bad.preserved_because(name).startswith("recovered, but ")


def test_a_machine_out_of_descriptors_condemns_nothing(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)

    def fail(path: Path, **_: object) -> None:
        cause = OSError(24, os.strerror(24))
        raise UnreadableQFile("cannot be opened", path=path) from cause

    with monkeypatch.context() as patch:
        patch.setattr(qfile, "read", fail)
        with pytest.raises(OSError, match="Too many open files"):
            spool.recover_backup_files()
    assert spool.get_files(".bak") == [name]


@pytest.mark.parametrize("claimed", ["2", -5, None, 1e9, [], True])
def test_a_count_that_is_none_counts_from_zero(
    spool: Spool, message: Message, claimed: object
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    held = spool.peek(name)
    msgdata = qfile.encode_msgdata({**held.msgdata, COUNT_KEY: claimed})
    (spool.queue_directory / f"{name}.bak").write_bytes(held.message_bytes + msgdata)
    spool.recover_backup_files()

    assert spool.peek(name).msgdata[COUNT_KEY] in {1, 2}


def test_only_the_own_slice_is_recovered(spool: Spool, message: Message) -> None:
    names = spool.enqueue_many([(message, {})] * 12)
    for name in names:
        spool.dequeue(name)
    half = Spool("in", spool.queue_directory, 0, 2, recover=True)

    assert set(half.files) | set(spool.get_files(".bak")) == set(names)
    assert half.get_files(".bak") == []
    assert half.files == spool.files


def test_what_is_foreign_is_left_alone(spool: Spool) -> None:
    touch(spool.queue_directory, ["foo.bak"])
    (spool.queue_directory / f"{filebase_of(1)}.bak").mkdir()
    spool.recover_backup_files()

    assert _names(spool) == sorted(["foo.bak", f"{filebase_of(1)}.bak"])


# --- Claims


def test_a_slice_that_somebody_holds_is_not_recovered(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    runner = Spool("in", spool.queue_directory, 0, 2)
    with runner.claim("runner"), pytest.raises(SliceClaimed, match="runner"):
        spool.recover_backup_files()

    assert spool.get_files(".bak") == [name]
    spool.recover_backup_files()
    assert spool.files == [name]


def test_the_holder_itself_recovers(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    with spool.claim("runner"):
        spool.recover_backup_files()
        assert spool.files == [name]
    spool.dequeue(name)
    spool.recover_backup_files()
    assert spool.files == [name]


RUNNER = """
import sys
from qtool.queues.spool import Spool
spool = Spool("in", sys.argv[1], 0, 2)
claim = spool.claim("runner")
for name in spool.files:
    spool.dequeue(name)
print("taken", flush=True)
sys.stdin.read()
"""


def test_what_another_live_process_has_in_flight_is_not_re_armed(
    spool: Spool, message: Message
) -> None:
    """And once it was killed, it is, by whoever comes next."""
    names = spool.enqueue_many([(message, {})] * 10)
    own = Spool("in", spool.queue_directory, 1, 2)
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, spool.queue_directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"taken\n"
        with pytest.raises(SliceClaimed, match=rf"pid {runner.pid} on"):
            spool.recover_backup_files()
        own.recover_backup_files()
        assert set(spool.get_files(".bak")) == set(names) - set(own.files)
        runner.kill()
    spool.recover_backup_files()

    assert spool.files == names


# --- What was cut off


def test_a_crash_between_putting_back_and_removing_counts_once(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    unlink = os.unlink

    def crash(path: str) -> None:
        if path.endswith(".bak"):
            raise KeyboardInterrupt
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            spool.recover_backup_files()
    assert _names(spool) == [f"{name}.bak", f"{name}.pck"]

    spool.recover_backup_files()
    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata[COUNT_KEY] == 1


def test_two_names_of_one_file_become_one(spool: Spool, message: Message) -> None:
    """As a rename in two steps leaves them that was cut off."""
    name = spool.enqueue(message)
    waiting = spool.queue_directory / f"{name}.pck"
    os.link(waiting, waiting.with_suffix(".bak"))
    spool.recover_backup_files()

    assert _names(spool) == [f"{name}.pck"]


def test_metadata_that_shares_its_parts_is_compared_in_time(
    spool: Spool, message: Message
) -> None:
    nested: list[object] = []
    for _ in range(60):
        nested = [nested, nested]
    name = spool.enqueue(message, nested=nested)
    waiting = spool.queue_directory / f"{name}.pck"
    waiting.with_suffix(".bak").write_bytes(waiting.read_bytes())
    spool.recover_backup_files()
    # What is too large to be compared whole counts as another entry.
    assert _names(spool) == [f"{name}.pck"]
    assert len(list((spool.queue_directory.parent / "bad").iterdir())) == 1


def test_an_entry_with_a_class_that_is_allowed_is_recovered(
    tmp_path: Path, message: Message
) -> None:
    kept = qfile.Opaque("site.Colour", ("red",))
    spool = Spool("in", tmp_path / "in", allowed=frozenset(["site.Colour"]))
    name = spool.enqueue(message, colour=kept)
    assert spool.dequeue(name)[1]["colour"] == kept
    spool.recover_backup_files()
    assert _names(spool) == [f"{name}.pck"]
    assert spool.dequeue(name)[1] == {
        "colour": kept, "version": 3, "_parsemsg": False, COUNT_KEY: 1
    }  # fmt: skip


def test_another_entry_of_the_same_name_is_kept_for_a_person(
    spool: Spool, bad: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    other = spool.queue_directory / f"{spool.enqueue(message, other=True)}.pck"
    other.rename(spool.queue_directory / f"{name}.pck")
    spool.recover_backup_files()

    assert spool.files == [name]
    assert spool.peek(name).msgdata["other"] is True
    assert bad.get_files(".psv") == [name]
    assert "another entry of its name" in bad.preserved_because(name)


def test_a_recovery_that_was_cut_off_while_writing_begins_anew(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    (spool.queue_directory / f"{name}.pck.tmp").write_bytes(b"half")
    spool.recover_backup_files()

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).message["subject"] == "First"


def _failing_to_write(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_recovery_that_cannot_write_leaves_the_entry_in_flight(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    monkeypatch.setattr(durable, "write_new", _failing_to_write(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        _recovery(spool, booted=0.0).put_back(name)

    assert _names(spool) == [f"{name}.bak"]


def test_a_full_disk_recovers_without_counting(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fills a disk may be the spool: it must be able to drain."""
    name = spool.enqueue(message)
    spool.dequeue(name)
    monkeypatch.setattr(durable, "write_new", _failing_to_write(errno.ENOSPC))
    spool.recover_backup_files()

    assert _names(spool) == [f"{name}.pck"]
    assert COUNT_KEY not in spool.peek(name).msgdata


def _between_write_and_rename(
    patch: pytest.MonkeyPatch, act: Callable[[], None]
) -> None:
    write_new = durable.write_new

    def write_then_act(path: str, content: bytes, *, sync: bool = True) -> None:
        write_new(path, content, sync=sync)
        if path.endswith(".pck.tmp"):
            act()

    patch.setattr(durable, "write_new", write_then_act)


def test_what_a_recovery_writes_is_nothing_that_a_dead_writer_left(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner of another slice that starts meanwhile sweeps the queue."""
    name = spool.enqueue(message)
    spool.dequeue(name)
    other = Spool("in", spool.queue_directory)
    _between_write_and_rename(monkeypatch, other.sweep)
    spool.recover_backup_files()

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata[COUNT_KEY] == 1


def test_a_recovery_whose_file_is_swept_all_the_same_is_not_counted(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    _between_write_and_rename(
        monkeypatch, (spool.queue_directory / f"{name}.pck.tmp").unlink
    )
    spool.recover_backup_files()

    assert _names(spool) == [f"{name}.pck"]
    assert COUNT_KEY not in spool.peek(name).msgdata


def test_recovery_of_a_queue_without_a_folder_does_nothing(tmp_path: Path) -> None:
    Spool("in", tmp_path / "in").recover_backup_files()
    assert list(tmp_path.iterdir()) == []


def test_slices_recover_side_by_side(spool: Spool, message: Message) -> None:
    names = spool.enqueue_many([(message, {})] * 12)
    for name in names:
        spool.dequeue(name)
    parts = [spool.for_slice(part) for part in slices.equal(4)]
    claims = [part.claim("runner") for part in parts]
    for part in parts:
        part.recover_backup_files()
    for claim in claims:
        claim.release()

    assert spool.files == names
