"""What a doctor is told of a folder's files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from qtool.queues import checkup
from qtool.queues.spool import Spool
from qtool.queues.writers import Writing
from tests.queues.names import BEGIN, filebase_of, touch


def test_links_are_told_of_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "link.pck").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.pck")
    found = {name: stat.S_IFMT(info.st_mode) for name, info in checkup.files(tmp_path)}
    assert found == {"link.pck": stat.S_IFLNK, "pipe.pck": stat.S_IFIFO}


def test_what_is_left_over_ends_and_what_is_written_stays(tmp_path: Path) -> None:
    dead, alive = f"{filebase_of(1)}.pck.tmp", f"{filebase_of(2)}.pck.tmp"
    edited = f"{filebase_of(3)}.edit"
    touch(tmp_path, [dead, alive, edited])
    names, now = [dead, alive, edited], BEGIN
    with Writing(str(tmp_path), filebase_of(2)):
        left = checkup.left_over(tmp_path, names, now, own=True)
        assert left == sorted([dead, edited])
        done = [checkup.end_left_over(tmp_path, n, now, own=True) for n in names]
    assert done == [True, False, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [alive, f"{filebase_of(3)}.pck"]
    )
    assert not checkup.end_left_over(tmp_path, dead, now, own=True)
    assert not checkup.end_left_over(tmp_path, f"{filebase_of(3)}.pck", now, own=True)


def test_a_mode_is_changed_where_it_is_still_that_one(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch()
    file.chmod(0o000)
    link.symlink_to(file)
    assert not checkup.change_mode(link, 0o777, 0o660)
    assert not checkup.change_mode(file, 0o600, 0o660)
    assert checkup.change_mode(file, 0o000, 0o660)
    assert stat.S_IMODE(file.stat().st_mode) == 0o660
    assert not checkup.change_mode(tmp_path / "none", 0o000, 0o660)


def test_only_a_network_file_system_has_a_name(tmp_path: Path) -> None:
    assert checkup.network(tmp_path) == ""
    assert checkup.network(tmp_path / "none") == ""


def test_nobody_is_at_an_entry_that_no_act_has_in_hand(tmp_path: Path) -> None:
    spool = Spool("in", tmp_path / "in")
    names = [filebase_of(1), filebase_of(2)]
    touch(tmp_path / "in", [f"{name}.bak" for name in names])
    with Writing(str(tmp_path / "in"), names[0]):
        assert checkup.nobody_at(spool.queue_directory, names) == names[1:]
    taken = checkup.taken_at(spool.queue_directory, names[0])
    assert taken == (tmp_path / "in" / f"{names[0]}.bak").lstat().st_ctime
    assert checkup.taken_at(spool.queue_directory, filebase_of(3)) is None
