"""The order in which an enqueue reaches the disk, as strace saw it."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING

import pytest

from qtool.queues import durable, filebase
from qtool.queues.spool import Spool
from tests.queues.tracing import Call, trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

ENQUEUE = """
import os, sys
from qtool.qfile import message_from_string
from qtool.queues.spool import Spool
if "without fsync" in sys.argv:
    os.fsync = lambda descriptor: None
many, group = "many" in sys.argv, "each" not in sys.argv
spool = Spool("in", sys.argv[1], group_commit=group)
message = message_from_string("Subject: x\\n\\nbody\\n")
if many:
    spool.enqueue_many([(message, {})] * 3)
else:
    spool.enqueue(message)
os.write(1, b"returned")
"""

pytestmark = pytest.mark.usefixtures("needs_strace")


class Disk:
    """What survives a loss of power, by the calls that were made."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.dirty: set[str] = set()
        """Files whose content is not on the disk."""
        self.renamed: dict[str, bool] = {}
        """Whether the name of each entry is on the disk."""
        self.broken: list[str] = []
        """What was done in the wrong order."""

    def see(self, call: Call) -> None:
        if call.name in {"create", "write"} and call.path.startswith(self.folder):
            self.dirty.add(call.path)
            if call.path.endswith(".pck"):
                self.broken.append(f"written in place: {call.path}")
        elif call.name == "fsync" and call.path == self.folder:
            self.renamed = dict.fromkeys(self.renamed, True)
        elif call.name == "fsync":
            self.dirty.discard(call.path)
        elif call.name == "syncfs":
            self.dirty.clear()
        elif call.name == "rename" and call.path.startswith(self.folder):
            if call.old in self.dirty:
                self.broken.append(f"visible before it is on the disk: {call.path}")
            self.renamed[call.path] = False

    def lost(self) -> list[str]:
        """What a loss of power now would take."""
        return [
            *self.broken,
            *(
                f"name not on the disk: {p}"
                for p, done in self.renamed.items()
                if not done
            ),
        ]


def _after_return(tmp_path: Path, *how: str) -> Disk:
    """Enqueue in a process of its own, up to where the enqueue returns."""
    folder = tmp_path / "in"
    folder.mkdir()
    disk = Disk(str(folder))
    for call in trace(ENQUEUE, folder, *how, log=tmp_path / "log"):
        if call.name == "write" and "pipe:" in call.path:
            break
        disk.see(call)
    return disk


@pytest.mark.parametrize(
    ("how", "entries"),
    [(["one"], 1), (["many"], 3), (["many", "each"], 3)],
    ids=["one", "many together", "many one by one"],
)
def test_an_enqueue_is_on_the_disk_when_it_returns(
    tmp_path: Path, how: list[str], entries: int
) -> None:
    """Write, fsync of the file, rename, fsync of the folder: in that order."""
    disk = _after_return(tmp_path, *how)

    assert disk.lost() == []
    assert len(disk.renamed) == entries
    assert all(path.endswith(".pck") for path in disk.renamed)


@pytest.mark.parametrize("how", [["one"], ["many"], ["many", "each"]])
def test_this_check_sees_an_fsync_that_does_nothing(
    tmp_path: Path, how: list[str]
) -> None:
    lost = _after_return(tmp_path, *how, "without fsync").lost()

    assert any("name not on the disk" in line for line in lost)
    if how != ["many"]:  # there syncfs is what the contents wait for
        assert any("visible before it is on the disk" in line for line in lost)


def test_a_group_commit_syncs_once(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    calls = trace(ENQUEUE, folder, "many", log=tmp_path / "log")

    assert [call.name for call in calls].count("syncfs") == 1
    assert [call.path for call in calls if call.name == "fsync"] == [str(folder)]


def test_the_folder_s_own_name_is_on_the_disk_too(tmp_path: Path) -> None:
    """The first enqueue makes the folder, and its name must survive as well."""
    calls = trace(ENQUEUE, tmp_path / "spool" / "in", log=tmp_path / "log")
    synced = [call.path for call in calls if call.name == "fsync"]

    assert synced[:2] == [str(tmp_path), str(tmp_path / "spool")]


def _fail(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "the disk is on fire")


def _fail_at(patch: pytest.MonkeyPatch, where: str) -> None:
    if where in {"fsync", "link"}:
        patch.setattr(os, where, _fail)
    else:
        patch.setattr(durable, where, _fail)


@pytest.mark.parametrize("where", ["fsync", "link"])
def test_an_enqueue_that_fails_leaves_nothing(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    spool.enqueue(message)
    with monkeypatch.context() as patch:
        _fail_at(patch, where)
        with pytest.raises(OSError, match="on fire"):
            spool.enqueue(message)
        assert len(list(spool.queue_directory.iterdir())) == 1
    spool.enqueue(message)
    assert len(spool.files) == 2


@pytest.mark.parametrize("where", ["sync_file_system", "rename_new"])
def test_a_group_that_fails_leaves_nothing(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    spool.enqueue(message)
    with monkeypatch.context() as patch:
        _fail_at(patch, where)
        with pytest.raises(OSError, match="on fire"):
            spool.enqueue_many([(message, {})] * 5)
    assert len(list(spool.queue_directory.iterdir())) == 1


def test_a_group_that_fails_half_way_leaves_nothing(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename: Callable[[str, str], None] = durable.rename_new
    done: list[str] = []

    def fail_third(source: str, target: str) -> None:
        if len(done) == 2:
            _fail()
        rename(source, target)
        done.append(target)

    monkeypatch.setattr(durable, "rename_new", fail_third)
    with pytest.raises(OSError, match="on fire"):
        spool.enqueue_many([(message, {})] * 5)
    assert list(spool.queue_directory.iterdir()) == []


@pytest.mark.parametrize("call", ["open", "link"])
@pytest.mark.parametrize(
    "number",
    [errno.ENOENT, errno.EPERM, errno.EACCES, errno.EXDEV, errno.EOPNOTSUPP],
    ids=errno.errorcode.get,
)
def test_where_no_file_is_nameless_it_has_a_temporary_name(
    spool: Spool,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
) -> None:
    """And its writer is known to live meanwhile, so that nobody removes it."""
    other = Spool("in", spool.queue_directory)
    as_before = getattr(os, call)

    def refuse(*arguments: object, **kws: object) -> object:
        if call == "open" and arguments[1] != durable._NAMELESS:
            return as_before(*arguments, **kws)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    rename = durable.rename_new

    def sweep_and_rename(source: str, target: str) -> None:
        other.sweep()
        rename(source, target)

    monkeypatch.setattr(durable, "rename_new", sweep_and_rename)
    name = spool.enqueue(message)
    assert spool.files == [name]
    assert [path.suffix for path in spool.queue_directory.iterdir()] == [".pck"]


def test_no_file_is_nameless_where_it_might_not_last(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "_LAST", frozenset())
    monkeypatch.setattr(os, "link", _fail)
    name = spool.enqueue(message)
    assert spool.files == [name]


def test_kinds_of_file_systems_are_told_apart() -> None:
    with Path("/proc/self/stat").open() as process:
        assert durable.file_system(process.fileno()) == 0x9FA0
    with tempfile.TemporaryFile(dir="/dev/shm") as shared:
        assert durable.file_system(shared.fileno()) in durable._LAST
    assert durable.file_system(-1) == 0


def test_a_name_that_is_there_is_not_replaced(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = spool.enqueue(message)
    monkeypatch.setattr(filebase, "make", lambda *_: name)
    before = spool.peek(name).message_bytes
    with pytest.raises(FileExistsError):
        spool.enqueue(message, more="metadata")
    assert spool.peek(name).message_bytes == before
    assert "more" not in spool.peek(name).msgdata


def test_short_writes_of_a_nameless_file_are_continued(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:3])))
    assert spool.dequeue(spool.enqueue(message))[0].items() == message.items()


@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_an_enqueue_whose_name_cannot_be_made_durable_leaves_nothing(
    spool: Spool, message: Message, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    """Whoever is told so enqueues it again: it would be there twice."""
    spool.enqueue(message)
    fsync = os.fsync

    def fail_for_folders(descriptor: int) -> None:
        if S_ISDIR(os.fstat(descriptor).st_mode):
            _fail()
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_folders)
    messages: list[tuple[Message, dict[str, str]]] = [(message, {})] * 5
    with pytest.raises(OSError, match="on fire"):
        spool.enqueue_many(messages) if many else spool.enqueue(message)
    assert len(list(spool.queue_directory.iterdir())) == 1
