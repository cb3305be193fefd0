"""Folders that hold entries, and that no section names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from qtool.queues.strays import strays

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = "1700000000.5+" + "0" * 40


def put(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()


def test_folders_where_entries_wait_are_named_and_no_others(tmp_path: Path) -> None:
    for name in ("in", "old", "older", ".qtool"):
        put(tmp_path / name, f"{ENTRY}.pck")
    put(tmp_path / "archive", "message.pck")
    put(tmp_path / "bak", f"{ENTRY}.bak")
    put(tmp_path, f"{ENTRY}.pck")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("in")
    assert strays(tmp_path, [tmp_path / "in"]) == ("old", "older")
    assert strays(tmp_path, [tmp_path / "link"]) == ("old", "older")
    assert strays(tmp_path / "gone", []) == ()


def test_where_there_are_no_other_folders_only_the_root_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "in", f"{ENTRY}.pck")
    listed: list[object] = []
    scandir = os.scandir

    def noting(path: str | Path) -> object:
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noting)
    assert strays(tmp_path, [tmp_path / "in"]) == ()
    assert listed == [tmp_path]
