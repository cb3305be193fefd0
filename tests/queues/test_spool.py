"""The switchboard over a directory."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from email.message import Message
from subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from qtool.errors import (
    CorruptQFile,
    EntryExists,
    ForeignQFile,
    NoSuchEntry,
    NoSuchQueue,
    QFileError,
    UnreadableQFile,
)
from qtool.qfile import codec
from qtool.queues import durable, filebase, reading, slices
from qtool.queues.spool import Spool
from qtool.queues.switchboard import Enqueued, recorded_enqueues
from tests.queues.names import filebase_of, touch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = 1_700_000_000.25


def _names(switchboard: Spool) -> list[str]:
    return sorted(path.name for path in switchboard.queue_directory.iterdir())


# --- Putting in and taking out


def test_what_was_enqueued_comes_out(spool: Spool, message: Message) -> None:
    name = spool.enqueue(
        message, {"listid": "ant.example.com", "lang": "en"}, lang="de"
    )
    assert spool.files == [name]

    msg, msgdata = spool.dequeue(name)
    assert msg["subject"] == "First"
    assert msg.get_payload() == "Hello.\n"
    assert msgdata == {
        "listid": "ant.example.com", "lang": "de", "version": 3, "_parsemsg": False
    }  # fmt: skip
    assert _names(spool) == [f"{name}.bak"]

    spool.finish(name)
    assert _names(spool) == []


def test_the_name_of_an_entry_takes_nothing_from_its_metadata(
    spool: Spool, message: Message
) -> None:
    """A list of lists that share each other would take for ever to become text."""
    nested: list[object] = []
    for _ in range(60):
        nested = [nested, nested]
    name = spool.enqueue(message, listid=nested)
    assert spool.files == [name]


def test_volatile_keys_stay_behind_and_the_caller_s_metadata_is_untouched(
    spool: Spool, message: Message
) -> None:
    given = {"_bak_count": 2, "whichq": "in"}
    _, msgdata = spool.dequeue(spool.enqueue(message, given, _secret=1))

    assert msgdata == {"whichq": "in", "version": 3, "_parsemsg": False}
    assert given == {"_bak_count": 2, "whichq": "in"}


def test_a_queue_of_mailman_gets_the_text_form(
    tmp_path: Path, message: Message
) -> None:
    spool = Spool("in", tmp_path / "in", text_form=True)
    name = spool.enqueue(message)
    assert spool.peek(name).form == "Mailman 3, text form"

    msg, msgdata = spool.dequeue(name)
    assert msgdata["_parsemsg"] is True
    assert msg["subject"] == "First"


def test_plain_text_can_be_asked_for_as_mailman_s_callers_do(
    spool: Spool, message: Message
) -> None:
    _, msgdata = spool.dequeue(spool.enqueue(message, _plaintext=True))

    assert msgdata["_parsemsg"] is True
    assert "_plaintext" not in msgdata


def test_the_same_message_at_the_same_moment_gets_another_name(
    tmp_path: Path, message: Message
) -> None:
    spool = Spool("in", tmp_path / "in", clock=lambda: NOW)
    names = {spool.enqueue(message, listid="ant.example.com") for _ in range(10)}

    assert len(names) == 10
    assert {filebase.when_of(name) for name in names} == {NOW}
    assert spool.files == sorted(names)


def test_many_come_out_in_the_order_of_their_time(
    tmp_path: Path, message: Message
) -> None:
    ticks = iter(range(100))
    spool = Spool("in", tmp_path / "in", clock=lambda: NOW + next(ticks))
    names = spool.enqueue_many((message, {"number": n}) for n in range(20))

    assert spool.files == names
    assert [spool.dequeue(name)[1]["number"] for name in names] == list(range(20))
    assert spool.enqueue_many([]) == []


def test_enqueues_are_recorded_for_a_report(spool: Spool, message: Message) -> None:
    with recorded_enqueues() as enqueued:
        first = spool.enqueue(message)
        second, third = spool.enqueue_many([(message, {}), (message, {})])

    assert enqueued == [
        Enqueued(queue="in", filebase=name) for name in (first, second, third)
    ]


def test_files_and_folders_are_the_group_s_whatever_the_umask(
    tmp_path: Path, message: Message
) -> None:
    umask = os.umask(0o077)
    try:
        spool = Spool("in", tmp_path / "spool" / "in")
        names = [spool.enqueue(message), *spool.enqueue_many([(message, {})])]
    finally:
        os.umask(umask)

    folder = tmp_path / "spool" / "in"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2770
    for name in names:
        assert stat.S_IMODE((folder / f"{name}.pck").stat().st_mode) == 0o660


def test_a_folder_is_made_by_the_first_enqueue_and_not_before(
    tmp_path: Path, message: Message
) -> None:
    spool = Spool("in", tmp_path / "spool" / "in", recover=True)
    assert spool.files == []
    assert spool.holder() is None
    assert spool.scan([spool.slice]).depth == 0
    assert list(tmp_path.iterdir()) == []

    spool.enqueue_many([(message, {})])
    assert len(spool.files) == 1


def test_a_folder_is_not_made_where_that_is_not_ours_to_do(
    tmp_path: Path, message: Message
) -> None:
    spool = Spool("test", tmp_path / "test", create=False)
    with pytest.raises(NoSuchQueue, match="test: there is no folder"):
        spool.enqueue(message)
    with pytest.raises(NoSuchQueue):
        spool.enqueue_many([(message, {})])

    assert list(tmp_path.iterdir()) == []


def test_messages_are_rebuilt_in_the_class_of_the_switchboard(
    tmp_path: Path, message: Message
) -> None:
    class SiteMessage(Message):
        """A site's own."""

    class SiteSpool(Spool):
        message_class = SiteMessage

    spool = SiteSpool("in", tmp_path / "in")
    msg, _ = spool.dequeue(spool.enqueue(message))

    assert isinstance(msg, SiteMessage)
    assert isinstance(spool.for_slice(slices.equal(2)[0]), SiteSpool)


# --- Who takes what


def test_of_many_who_want_one_entry_one_gets_it(spool: Spool, message: Message) -> None:
    for _ in range(5):
        name = spool.enqueue(message)
        start = threading.Barrier(6)
        got: list[object] = []
        lost: list[object] = []

        def take(
            name: str = name,
            start: threading.Barrier = start,
            got: list[object] = got,
            lost: list[object] = lost,
        ) -> None:
            start.wait(60)
            try:
                got.append(spool.dequeue(name))
            except NoSuchEntry as error:
                lost.append(error)

        threads = [threading.Thread(target=take) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert (len(got), len(lost)) == (1, 5)
        spool.finish(name)


GREEDY = """
import sys
from qtool.errors import NoSuchEntry
from qtool.queues.spool import Spool
spool = Spool("in", sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for name in spool.files:
    try:
        spool.dequeue(name)
    except NoSuchEntry:
        continue
    spool.finish(name)
    print(name)
"""


def test_two_processes_on_one_queue_take_each_entry_once(
    spool: Spool, bad: Spool, message: Message
) -> None:
    names = spool.enqueue_many([(message, {})] * 150)
    command = [sys.executable, "-c", GREEDY, str(spool.queue_directory)]
    children = [
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    taken = [name for child in children for name in child.communicate()[0].split()]

    assert [child.returncode for child in children] == [0, 0]
    assert sorted(taken) == names
    assert _names(spool) == []
    assert not bad.queue_directory.exists()


def test_what_is_gone_says_so(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    for act in (spool.finish, spool.release):
        with pytest.raises(NoSuchEntry):
            act(name)  # it waits, and is not in flight
    with pytest.raises(NoSuchEntry):
        spool.finish(name, preserve=True)
    spool.dequeue(name)
    with pytest.raises(NoSuchEntry):
        spool.dequeue(name)
    spool.finish(name)
    acts: tuple[Callable[[str], object], ...]
    acts = spool.dequeue, spool.finish, spool.release, spool.peek
    for any_act in acts:
        with pytest.raises(NoSuchEntry, match="not there any more"):
            any_act(name)


@pytest.mark.parametrize("name", ["../bad/x", "", "x", f"{filebase_of(1)}.pck", "/etc"])
def test_nothing_but_a_filebase_becomes_a_path(
    tmp_path: Path, spool: Spool, bad: Spool, name: str
) -> None:
    touch(tmp_path / "in", [])
    for act in (
        spool.dequeue, spool.finish, spool.release, spool.peek,
        spool.preserved_because, lambda name: spool.move(name, bad),
        lambda name: spool.finish(name, preserve=True),
    ):  # fmt: skip
        with pytest.raises(NoSuchEntry, match="is no filebase"):
            act(name)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_release_gives_an_entry_back_unchanged(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    before = (spool.queue_directory / f"{name}.pck").read_bytes()
    spool.dequeue(name)
    spool.release(name)

    assert spool.files == [name]
    assert (spool.queue_directory / f"{name}.pck").read_bytes() == before


def test_release_replaces_nothing(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    waiting = spool.queue_directory / f"{name}.pck"
    waiting.write_bytes(b"another")

    with pytest.raises(EntryExists):
        spool.release(name)
    assert waiting.read_bytes() == b"another"


def test_an_entry_in_flight_is_not_replaced_by_one_of_its_name(
    spool: Spool, message: Message
) -> None:
    """The one that waits gets a name of its own, so a runner comes to it later."""
    name = spool.enqueue(message)
    spool.dequeue(name)
    taken = spool.queue_directory / f"{name}.bak"
    before = taken.read_bytes()
    (spool.queue_directory / f"{name}.pck").write_bytes(before + b"#")

    with pytest.raises(NoSuchEntry, match="in flight already"):
        spool.dequeue(name)

    assert taken.read_bytes() == before
    (other,) = spool.files
    assert other != name
    assert filebase.when_of(other) == filebase.when_of(name)
    assert (spool.queue_directory / f"{other}.pck").read_bytes() == before + b"#"


def test_two_names_of_one_file_are_one_entry(spool: Spool, message: Message) -> None:
    """As a dequeue in two steps shows them for a moment: nothing is renamed."""
    name = spool.enqueue(message)
    waiting = spool.queue_directory / f"{name}.pck"
    os.link(waiting, waiting.with_suffix(".bak"))

    with pytest.raises(NoSuchEntry):
        spool.dequeue(name)
    assert _names(spool) == [f"{name}.bak", f"{name}.pck"]


# --- What cannot be read


def test_an_unreadable_entry_is_in_flight_and_can_be_preserved(
    spool: Spool, bad: Spool
) -> None:
    name = filebase_of(1)
    touch(spool.queue_directory, [])
    (spool.queue_directory / f"{name}.pck").write_bytes(b"garbage")

    with pytest.raises(QFileError) as raised:
        spool.dequeue(name)
    assert raised.value.path == spool.queue_directory / f"{name}.bak"
    spool.finish(name, preserve=True, reason="it is garbage")

    assert _names(spool) == []
    assert bad.get_files(".psv") == [name]
    assert (bad.queue_directory / f"{name}.psv").read_bytes() == b"garbage"
    assert bad.preserved_because(name) == "it is garbage"
    assert bad.scan([bad.slice]).preserved == 1


@pytest.mark.parametrize("kind", ["directory", "pipe", "link"])
def test_what_is_no_file_is_refused_and_never_blocks(
    spool: Spool, bad: Spool, kind: str
) -> None:
    name = filebase_of(1)
    touch(spool.queue_directory, [])
    path = spool.queue_directory / f"{name}.pck"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/etc/passwd")

    assert spool.files == []
    with pytest.raises(ForeignQFile):
        spool.peek(name)
    with pytest.raises(ForeignQFile):
        spool.dequeue(name)
    spool.finish(name, preserve=True, reason=kind)
    assert _names(bad) == [f"{name}.psv"]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_machine_out_of_descriptors_is_not_the_message_s_fault(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    name = spool.enqueue(message)

    def fail(path: Path) -> None:
        cause = OSError(number, os.strerror(number))
        raise UnreadableQFile("cannot be opened", path=path) from cause

    with monkeypatch.context() as patch:
        patch.setattr(reading, "read_bytes", fail)
        with pytest.raises(OSError, match=os.strerror(number)):
            spool.dequeue(name)
    assert spool.files == [name]


def test_a_machine_out_of_memory_is_not_the_message_s_fault(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(codec, "usual_message", fail)
        with pytest.raises(MemoryError):
            spool.dequeue(name)
    assert spool.files == [name]


# --- Preserving


def test_nothing_preserved_is_replaced(
    spool: Spool, bad: Spool, message: Message
) -> None:
    """The second of one name is kept under another, which its reason tells."""
    name = spool.enqueue(message)
    touch(bad.queue_directory, [])
    (bad.queue_directory / f"{name}.psv").write_bytes(b"first")
    spool.dequeue(name)
    spool.finish(name, preserve=True, reason="why not")

    assert (bad.queue_directory / f"{name}.psv").read_bytes() == b"first"
    (other,) = set(bad.get_files(".psv")) - {name}
    assert bad.preserved_because(other) == f"why not (was {name})"
    assert bad.peek(other).message["subject"] == "First"


def test_a_reason_is_bounded_and_may_hold_anything(
    spool: Spool, bad: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    spool.finish(name, preserve=True, reason="\udcff\x1b[31m" + "x" * 10_000)

    kept = bad.preserved_because(name)
    assert kept.startswith("\\udcff\x1b[31mxxx")
    assert len(kept) == 4096


def test_a_reason_that_cannot_be_noted_does_not_lose_the_message(
    spool: Spool, bad: Spool, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    (spool.queue_directory.parent / ".qtool").write_bytes(b"in the way")
    spool.finish(name, preserve=True, reason="why")

    assert bad.get_files(".psv") == [name]
    assert bad.preserved_because(name) == ""
    assert "cannot note why" in caplog.text


def test_bad_may_be_on_another_file_system(
    spool: Spool, bad: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)
    spool.dequeue(name)
    before = (spool.queue_directory / f"{name}.bak").read_bytes()
    _part_file_systems(monkeypatch, spool, bad)
    spool.finish(name, preserve=True)

    assert _names(spool) == []
    assert _names(bad) == [f"{name}.psv"]
    assert (bad.queue_directory / f"{name}.psv").read_bytes() == before


def _part_file_systems(patch: pytest.MonkeyPatch, left: Spool, right: Spool) -> None:
    """Let no rename cross from one queue to the other."""
    rename = durable.rename_new

    def refuse(source: str, target: str) -> None:
        inside = str(left.queue_directory)
        if source.startswith(inside) != target.startswith(inside):
            raise OSError(errno.EXDEV, "other device", source, None, target)
        rename(source, target)

    touch(right.queue_directory, [])
    patch.setattr(durable, "rename_new", refuse)


# --- Moving


def test_a_move_keeps_name_and_bytes(spool: Spool, message: Message) -> None:
    other = Spool("out", spool.queue_directory.parent / "out")
    name = spool.enqueue(message)
    before = (spool.queue_directory / f"{name}.pck").read_bytes()
    spool.move(name, other)

    assert (spool.files, other.files) == ([], [name])
    assert (other.queue_directory / f"{name}.pck").read_bytes() == before
    with pytest.raises(NoSuchEntry):
        spool.move(name, other)


def test_a_move_replaces_nothing(spool: Spool, message: Message) -> None:
    other = Spool("out", spool.queue_directory.parent / "out")
    name = spool.enqueue(message)
    touch(other.queue_directory, [f"{name}.pck"])

    with pytest.raises(EntryExists):
        spool.move(name, other)
    assert spool.files == [name]


def test_a_move_to_another_file_system_keeps_name_and_bytes(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Spool("out", spool.queue_directory.parent / "out")
    name, second = spool.enqueue(message), spool.enqueue(message)
    before = (spool.queue_directory / f"{name}.pck").read_bytes()
    _part_file_systems(monkeypatch, spool, other)
    spool.move(name, other)
    touch(other.queue_directory, [f"{second}.pck"])
    with pytest.raises(EntryExists):
        spool.move(second, other)

    assert spool.files == [second]
    assert _names(other) == sorted([f"{name}.pck", f"{second}.pck"])
    assert (other.queue_directory / f"{name}.pck").read_bytes() == before


# --- Looking


def test_peek_shows_an_entry_in_any_state_and_takes_nothing(
    spool: Spool, bad: Spool, message: Message
) -> None:
    name = spool.enqueue(message)
    assert spool.peek(name).message["subject"] == "First"
    assert spool.files == [name]
    spool.dequeue(name)
    assert spool.peek(name).message["subject"] == "First"
    spool.finish(name, preserve=True)
    assert bad.peek(name).message["subject"] == "First"
    with pytest.raises(NoSuchEntry):
        spool.peek(name)


def test_peek_shows_what_processing_refuses(spool: Spool) -> None:
    touch(spool.queue_directory, [f"{filebase_of(1)}.pck"])
    with pytest.raises(CorruptQFile, match="empty"):
        spool.peek(filebase_of(1))


def test_looking_writes_nothing(spool: Spool, message: Message) -> None:
    name = spool.enqueue(message)
    root = spool.queue_directory.parent

    def listing() -> list[tuple[str, int, int]]:
        return sorted(
            (str(path), path.stat().st_mtime_ns, path.stat().st_ctime_ns)
            for path in [root, *root.rglob("*")]
        )

    before = listing()
    again = Spool("in", spool.queue_directory)
    assert again.files == again.oldest(5) == [name]
    assert again.names() == [f"{name}.pck"]
    assert again.get_files(".bak") == []
    again.peek(name)
    assert again.scan(slices.equal(16)).depth == 1
    assert again.holder() is None
    assert again.preserved_because(name) == ""
    assert listing() == before


def test_siblings_see_their_slice_and_share_one_reading(
    spool: Spool, message: Message
) -> None:
    names = spool.enqueue_many([(message, {})] * 40)
    os.utime(spool.queue_directory, (1, 1))
    siblings = [spool.for_slice(part) for part in slices.equal(5)]
    found = [name for sibling in siblings for name in sibling.files]

    assert sorted(found) == sorted(names)
    assert spool._index.readings == 1
    for number, sibling in enumerate(siblings):
        alone = Spool("in", spool.queue_directory, number, 5)
        assert alone.files == sibling.files
        assert alone.slice == sibling.slice
    assert (
        Spool("in", spool.queue_directory, 0, weights=[1, 4]).slice
        == (slices.weighted([1, 4])[0])
    )


def test_a_switchboard_without_a_watcher_makes_its_own(
    spool: Spool, message: Message
) -> None:
    threads = threading.active_count()
    came = threading.Event()
    stop = spool.watch(lambda _: came.set(), urgent=True)
    spool.enqueue(message)  # which makes the folder
    for _ in range(40):
        if came.wait(0.25):
            break
        spool.enqueue(message)
    stop()

    assert came.is_set()
    assert threading.active_count() == threads
