"""Entries of a Mailman before 2.1.5 are named, and left alone."""

from __future__ import annotations

import marshal
import pickle
from typing import TYPE_CHECKING

import pytest

from qtool.errors import CorruptQFile, ForeignQFile
from qtool.qfile import look, read
from tests.qfile.hostile_shape import SOUND

if TYPE_CHECKING:
    from pathlib import Path

METADATA = marshal.dumps({"listname": "test", "version": 2})


@pytest.mark.parametrize(
    ("suffix", "content"),
    [("msg", b"From: a\n\nb\n"), ("pck", pickle.dumps("From: a\n\nb\n", 0))],
)
def test_both_halves_of_a_pair_are_named(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    first, second = tmp_path / f"1.5+ab.{suffix}", tmp_path / "1.5+ab.db"
    first.write_bytes(content)
    second.write_bytes(METADATA)
    for path in (first, second):
        for way in (read, look):
            with pytest.raises(ForeignQFile, match=r"before 2\.1\.5") as error:
                way(path)
            assert f".{suffix}" in error.value.reason
            assert ".db" in error.value.reason
    assert second.read_bytes() == METADATA


def test_metadata_alone_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "1.5+ab.db"
    path.write_bytes(METADATA)
    with pytest.raises(ForeignQFile, match=r"before 2\.1\.5"):
        look(path)


def test_an_entry_beside_a_stranger_is_read(tmp_path: Path) -> None:
    path = tmp_path / "1.5+ab.pck"
    path.write_bytes(SOUND["object"])
    (tmp_path / "1.5+cd.db").write_bytes(METADATA)
    assert read(path).form


def test_half_a_file_without_the_other_half_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "1.5+ab.pck"
    path.write_bytes(pickle.dumps("From: a\n\nb\n", 0))
    with pytest.raises(CorruptQFile, match="metadata, is missing"):
        look(path)
