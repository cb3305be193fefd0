"""Other metadata for an entry that waits, and what a runner makes of it meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import EntryExists, NoSuchEntry, QFileError
from qtool.qfile import message_bytes_of, message_from_bytes
from qtool.queues import durable, slices
from qtool.queues.entries import Entries
from qtool.queues.recovery import COUNT_KEY
from qtool.queues.spool import Spool
from qtool.queues.writers import Writing
from tests.queues.names import filebase_of, touch

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "qfiles"


def _names(switchboard: Spool) -> list[str]:
    return sorted(path.name for path in switchboard.queue_directory.iterdir())


def _meanwhile(patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something after the new file is written and before it is put in place."""
    write_new = durable.write_new

    def write_then_act(*args: Any, **kws: Any) -> None:
        write_new(*args, **kws)
        patch.undo()
        act()

    patch.setattr(durable, "write_new", write_then_act)


def test_an_entry_gets_other_metadata_and_keeps_name_and_message(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message, listid="ant", wrong=1)
    before = spool.peek(name)
    spool.rewrite(name, {"listid": "bee", "_volatile": 1, COUNT_KEY: 2, "version": 9})

    after = spool.peek(name)
    assert _names(spool) == [f"{name}.pck"]
    assert after.message_bytes == before.message_bytes
    assert after.msgdata == {"listid": "bee", "version": 3, "_parsemsg": False}
    assert spool.dequeue(name)[0]["subject"] == "First"


def test_a_message_in_the_text_form_stays_in_it(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message, _plaintext=True)
    spool.rewrite(name, {"_parsemsg": False})

    assert spool.dequeue(name)[0]["subject"] == "First"


def test_a_runner_that_takes_the_entry_meanwhile_wins(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message, number=1)
    _meanwhile(monkeypatch, lambda: spool.dequeue(name))
    with pytest.raises(NoSuchEntry):
        spool.rewrite(name, {"number": 2})

    assert _names(spool) == [f"{name}.bak"]
    assert spool.peek(name).msgdata["number"] == 1


def test_an_entry_that_was_recovered_meanwhile_keeps_its_count(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)

    def crash_and_recover() -> None:
        spool.dequeue(name)
        (spool.queue_directory / f"{name}.pck.tmp").rename(
            spool.queue_directory / "aside"
        )
        spool.recover_backup_files()
        (spool.queue_directory / "aside").rename(
            spool.queue_directory / f"{name}.pck.tmp"
        )

    _meanwhile(monkeypatch, crash_and_recover)
    with pytest.raises(NoSuchEntry):
        spool.rewrite(name, {"number": 2})

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata[COUNT_KEY] == 1


def test_of_two_who_rewrite_one_wins(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)

    def rewrite_too() -> None:
        with pytest.raises(EntryExists, match="rewritten already"):
            spool.rewrite(name, {"number": 2})

    _meanwhile(monkeypatch, rewrite_too)
    spool.rewrite(name, {"number": 1})

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata["number"] == 1


def test_what_a_rewrite_that_was_killed_left_is_no_hindrance(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    touch(spool.queue_directory, [f"{name}.pck.tmp"])
    spool.rewrite(name, {"number": 1})

    assert _names(spool) == [f"{name}.pck"]


def test_only_what_waits_can_be_rewritten(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    for chosen in (name, filebase_of(1)):
        with pytest.raises(NoSuchEntry):
            spool.rewrite(chosen, {})
    assert _names(spool) == [f"{name}.bak"]


def test_a_queue_without_a_folder_has_nothing_to_rewrite(spool: Spool) -> None:
    with pytest.raises(NoSuchEntry):
        spool.rewrite(filebase_of(1), {})


@pytest.mark.parametrize("msgdata", [{"function": len}, {1: 2}])
def test_what_no_queue_can_keep_changes_nothing(
    spool: Spool, message: Message, msgdata: dict[Any, Any]
) -> None:
    name = spool.enqueue(message, number=1)
    with pytest.raises((QFileError, AttributeError)):
        spool.rewrite(name, msgdata)

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata["number"] == 1


def test_of_two_who_saw_the_same_the_first_changes_it(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message, number=1)
    seen = spool.peek(name)
    spool.rewrite(name, {"number": 2}, was=seen)
    with pytest.raises(NoSuchEntry, match="another since"):
        spool.rewrite(name, {"number": 3}, was=seen)

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata["number"] == 2


# --- Another message

EIGHT_BIT = (
    b"Subject: caf\xe9\nX-Odd: a\n\tb\nContent-Type: text/plain; charset=latin-1\n\n"
    b"caf\xe9 \xff\x80\x0c lone\rreturn\nFrom here\n"
)


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("text_form", [True, False])
def test_another_message_keeps_every_byte_and_the_form(
    tmp_path: Path, message: Message, text_form: bool, as_bytes: bool
) -> None:
    spool = Spool("in", tmp_path / "in", text_form=text_form)
    name = spool.enqueue(message, number=1)
    form = spool.peek(name).form
    changed = EIGHT_BIT if as_bytes else message_from_bytes(EIGHT_BIT)
    spool.rewrite(name, {"number": 2, "_volatile": 1}, message=changed)

    after = spool.peek(name)
    assert after.form == form
    assert after.msgdata == {"number": 2, "version": 3, "_parsemsg": text_form}
    assert message_bytes_of(after.message) == EIGHT_BIT
    assert spool.dequeue(name)[0]["x-odd"] == "a\n\tb"


def test_as_text_bytes_are_kept_that_no_message_would_keep(
    tmp_path: Path, message: Message
) -> None:
    spool = Spool("in", tmp_path / "in", text_form=True)
    name = spool.enqueue(message)
    odd = b"no header at all\r\n\xff\r\r\n"
    spool.rewrite(name, {}, message=odd)

    assert odd.decode("ascii", "surrogateescape") == pickle.loads(
        spool.peek(name).message_bytes
    )


@pytest.mark.parametrize("kind", ["object", "notification", "text"])
def test_another_message_for_mailman_is_written_as_text(
    spool: Spool, kind: str
) -> None:
    name = filebase_of(1)
    spool.queue_directory.mkdir()
    real = FIXTURES / f"mailman3-{kind}.pck"
    (spool.queue_directory / f"{name}.pck").write_bytes(real.read_bytes())
    msgdata = spool.peek(name).msgdata
    spool.rewrite(name, msgdata, message=EIGHT_BIT)

    after = spool.peek(name)
    assert after.form == "Mailman 3, text form"
    assert after.msgdata == {**msgdata, "_parsemsg": True}
    assert message_bytes_of(after.message) == EIGHT_BIT


def test_a_message_of_our_own_class_in_a_queue_of_mailman_becomes_text(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    mailmans = Spool("in", spool.queue_directory, text_form=True)
    mailmans.rewrite(name, {}, message=message)

    assert mailmans.peek(name).form == "Mailman 3, text form"


@pytest.mark.parametrize("call", ["fsync", "write", "rename"])
def test_a_disk_that_fails_leaves_the_entry_as_it_was(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    name = spool.enqueue(message, number=1)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "the disk is on fire")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="on fire"):
            spool.rewrite(name, {"number": 2})

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata["number"] == 1


# --- What the dead leave


def test_an_entry_whose_editor_died_waits_again(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    Entries("in", str(spool.queue_directory), create=True).hold(name)
    assert spool.names() == [f"{name}.edit"]
    assert spool.scan(slices.equal(1)).in_flight == 1
    assert spool.peek(name).message["subject"] == "First"
    spool.recover_backup_files()

    assert _names(spool) == [f"{name}.pck"]


def test_an_entry_whose_editor_died_can_be_rewritten(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    Entries("in", str(spool.queue_directory), create=True).hold(name)
    spool.rewrite(name, {"number": 1})

    assert _names(spool) == [f"{name}.pck"]
    assert spool.peek(name).msgdata["number"] == 1


def test_an_entry_whose_editor_lives_is_left_alone(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    Entries("in", str(spool.queue_directory), create=True).hold(name)
    with Writing(str(spool.queue_directory), name):
        spool.recover_backup_files()
        with pytest.raises(NoSuchEntry):
            spool.rewrite(name, {"number": 1})
        assert _names(spool) == [f"{name}.edit"]


def test_an_edited_entry_beside_another_of_its_name_gets_its_own(
    spool: Spool, message: Message
) -> None:
    name = spool.enqueue(message, number=1)
    Entries("in", str(spool.queue_directory), create=True).hold(name)
    other = spool.queue_directory / f"{spool.enqueue(message, number=2)}.pck"
    other.rename(spool.queue_directory / f"{name}.pck")
    spool.sweep()

    assert name in spool.files
    assert [spool.peek(n).msgdata["number"] for n in sorted(spool.files)] in (
        [1, 2], [2, 1]
    )  # fmt: skip


def test_two_names_of_an_edited_entry_become_one(
    spool: Spool, message: Message
) -> None:
    """As a rename in two steps leaves them that was cut off."""
    name = spool.enqueue(message)
    waiting = spool.queue_directory / f"{name}.pck"
    os.link(waiting, waiting.with_suffix(".edit"))
    spool.sweep()

    assert _names(spool) == [f"{name}.pck"]


def test_beside_a_runner_no_rewrite_has_a_message_sent_twice(
    spool: Spool, message: Message
) -> None:
    names = spool.enqueue_many([(message, {"number": n}) for n in range(60)])
    sent: list[int] = []

    def send_all() -> None:
        while len(sent) < len(names):
            for name in spool.files:
                with contextlib.suppress(NoSuchEntry):
                    sent.append(spool.dequeue(name)[1]["number"])
                    spool.finish(name)

    runner = threading.Thread(target=send_all)
    runner.start()
    for number, name in reversed(list(enumerate(names))):
        with contextlib.suppress(NoSuchEntry):
            spool.rewrite(name, {"number": number, "edited": True})
    runner.join()

    assert sorted(sent) == list(range(60))
    assert _names(spool) == []
