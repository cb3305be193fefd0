"""System calls that replace nothing and keep their promises."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from qtool.queues import copying, durable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """A umask that would take every right from group and others."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def without_renameat2(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C library that cannot rename without replacing."""
    monkeypatch.setattr(durable, "_renameat2", lambda: None)


def _fail(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "the disk is on fire")


def test_a_new_file_has_the_group_s_rights_whatever_the_umask(
    tmp_path: Path, strict_umask: None
) -> None:
    path = tmp_path / "new"
    durable.write_new(str(path), b"content")

    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_bytes(b"old")

    with pytest.raises(FileExistsError):
        durable.write_new(str(path), b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("call", ["write", "fsync", "fchmod"])
def test_a_file_that_could_not_be_written_is_named_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(os, call, _fail)

    with pytest.raises(OSError, match="on fire") as failure:
        durable.write_new(str(tmp_path / "new"), b"content")
    assert failure.value.filename == str(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_fsync_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def fail_once(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 1:
            _fail()

    monkeypatch.setattr(os, "fsync", fail_once)

    with pytest.raises(OSError, match="on fire"):
        durable.write_new(str(tmp_path / "new"), b"content")
    assert len(synced) == 1


def test_short_writes_are_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:3])))

    durable.write_new(str(tmp_path / "new"), b"0123456789")
    assert (tmp_path / "new").read_bytes() == b"0123456789"


def _rename_keeps_what_exists(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"mine")
    target.write_bytes(b"yours")

    with pytest.raises(FileExistsError):
        durable.rename_new(str(source), str(target))
    assert (source.read_bytes(), target.read_bytes()) == (b"mine", b"yours")

    target.unlink()
    durable.rename_new(str(source), str(target))
    assert target.read_bytes() == b"mine"
    assert not source.exists()

    with pytest.raises(FileNotFoundError):
        durable.rename_new(str(source), str(tmp_path / "third"))


def test_a_rename_replaces_nothing(tmp_path: Path) -> None:
    _rename_keeps_what_exists(tmp_path)


def test_a_rename_replaces_nothing_where_the_system_cannot_do_it_alone(
    tmp_path: Path, without_renameat2: None
) -> None:
    _rename_keeps_what_exists(tmp_path)


def _of_many_renames_one_succeeds(tmp_path: Path) -> None:
    """Threads that all want one file."""
    source = tmp_path / "source"
    source.touch()
    won = []
    start = threading.Barrier(8)

    def grab(number: int) -> None:
        start.wait(60)
        try:
            durable.rename_new(str(source), str(tmp_path / "target"))
        except (FileNotFoundError, FileExistsError):
            return
        won.append(number)

    threads = [threading.Thread(target=grab, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_of_many_who_rename_one_file_one_succeeds(tmp_path: Path) -> None:
    _of_many_renames_one_succeeds(tmp_path)


def test_of_many_who_link_and_unlink_one_file_one_succeeds(
    tmp_path: Path, without_renameat2: None
) -> None:
    _of_many_renames_one_succeeds(tmp_path)


@pytest.fixture
def source_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is called ``source`` is on another file system than its target."""
    rename = durable.rename_new

    def refuse_source(source: str, target: str) -> None:
        if source.endswith("source"):
            raise OSError(errno.EXDEV, "other device", source, None, target)
        rename(source, target)

    monkeypatch.setattr(durable, "rename_new", refuse_source)


def test_a_move_to_another_file_system_copies_durably(
    tmp_path: Path, source_elsewhere: None
) -> None:
    source, target = tmp_path / "source", tmp_path / "other" / "target"
    target.parent.mkdir()
    source.write_bytes(b"mail")

    copying.move_new(str(source), str(target))
    assert not source.exists()
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert target.read_bytes() == b"mail"

    source.write_bytes(b"other mail")
    with pytest.raises(FileExistsError):
        copying.move_new(str(source), str(target))
    assert (source.read_bytes(), target.read_bytes()) == (b"other mail", b"mail")
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_a_copy_that_may_not_last_is_removed_and_its_source_kept(
    tmp_path: Path, source_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str) -> None:
        raise OSError(errno.EIO, "input/output error", path)

    monkeypatch.setattr(durable, "sync_folder", fail)
    source = tmp_path / "source"
    source.write_bytes(b"mail")

    with pytest.raises(OSError, match="input/output"):
        copying.move_new(str(source), str(tmp_path / "target"))
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_only_a_regular_file_is_copied_to_another_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EXDEV, "other device", source, None, target)

    monkeypatch.setattr(durable, "rename_new", refuse)
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(OSError, match="only a regular file"):
        copying.move_new(str(tmp_path / "fifo"), str(tmp_path / "target"))
    assert (tmp_path / "fifo").exists()


def test_a_folder_is_made_with_its_parents_for_the_group(
    tmp_path: Path, strict_umask: None
) -> None:
    folder = tmp_path / "spool" / "in"
    durable.make_folder(str(folder))
    durable.make_folder(str(folder))

    assert stat.S_IMODE(folder.stat().st_mode) == 0o2770


def test_a_folder_may_be_named_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    durable.make_folder("in")
    durable.make_folder("spool/out")

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "out", "spool"]


def test_a_file_system_without_modes_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no modes here")

    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "fchmod", refuse)
    durable.make_folder(str(tmp_path / "in"))
    durable.write_new(str(tmp_path / "in" / "new"), b"content")

    assert (tmp_path / "in" / "new").read_bytes() == b"content"


def test_the_rights_of_a_folder_that_exists_stay(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir(0o700)
    durable.make_folder(str(folder))

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_file_system_is_synced_through_an_open_folder(tmp_path: Path) -> None:
    assert durable.can_sync_file_system()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    durable.sync_file_system(descriptor)
    os.close(descriptor)

    with pytest.raises(OSError, match="Bad file descriptor"):
        durable.sync_file_system(descriptor)


@pytest.mark.parametrize(
    ("release", "able"),
    [("5.7.19", False), ("5.8.0-63-generic", True), ("6.18", True), ("odd", False)],
)
def test_syncfs_is_trusted_from_the_kernel_that_reports_failed_writes(
    monkeypatch: pytest.MonkeyPatch, release: str, able: bool
) -> None:
    uname = os.uname_result(("Linux", "host", release, "", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: uname)
    durable.can_sync_file_system.cache_clear()
    try:
        assert durable.can_sync_file_system() is able
    finally:
        durable.can_sync_file_system.cache_clear()
