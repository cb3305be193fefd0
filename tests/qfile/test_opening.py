"""Only regular files are opened, and none by way of a link."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from qtool.errors import ForeignQFile, QFileError, UnreadableQFile
from qtool.qfile import look, read
from qtool.qfile.opening import MAX_SIZE, read_bytes
from tests.qfile.hostile_names import make_names
from tests.qfile.hostile_shape import SOUND

if TYPE_CHECKING:
    from pathlib import Path


def test_a_regular_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"content", b"x" * 3_000_000):
        path.write_bytes(content)
        assert read_bytes(path) == content


def test_odd_files_are_refused_and_odd_names_are_not(tmp_path: Path) -> None:
    for exhibit in make_names(tmp_path):
        path = tmp_path / exhibit.file
        if exhibit.expect == "reject":
            with pytest.raises(ForeignQFile) as error:
                read(path)
            assert error.value.path == path
        elif os.access(path, os.R_OK):
            assert read(path).form == look(path).form


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    with pytest.raises(UnreadableQFile, match="no such file") as error:
        read(path)
    assert str(error.value) == f"{path}: no such file or directory"


def test_a_name_with_a_nul_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableQFile):
        read(tmp_path / "a\0b")


def test_a_name_that_is_too_long_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableQFile):
        look(tmp_path / ("a" * 300))


def test_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ForeignQFile, match="no regular file"):
        read(tmp_path / "pipe")


def test_a_file_larger_than_any_entry_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, MAX_SIZE + 1)
    with pytest.raises(ForeignQFile, match="larger"):
        read(path)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(SOUND["object"])
    (tmp_path / "folder").mkdir()
    before = os.open(tmp_path, os.O_RDONLY)
    os.close(before)
    for name in ("whole", "folder", "nothing"):
        with suppress(QFileError):
            read(tmp_path / name)
    after = os.open(tmp_path, os.O_RDONLY)
    os.close(after)
    assert before == after


def test_a_link_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(SOUND["object"])
    (tmp_path / "link").symlink_to("whole")
    with pytest.raises(ForeignQFile, match="symbolic link") as error:
        read(tmp_path / "link")
    assert isinstance(error.value.__cause__, OSError)
    assert error.value.__cause__.errno == errno.ELOOP
