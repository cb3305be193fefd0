"""The folder of what is remembered: its rights, its group, its layout."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.queues import durable
from qtool.queues.state import LAYOUT, layout_refusal, make_state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_it_is_the_group_s_whatever_the_umask(
    tmp_path: Path, strict_umask: None
) -> None:
    state = tmp_path / ".qtool"
    make_state_folder(str(state))
    assert stat.S_IMODE(state.stat().st_mode) == 0o2770
    assert stat.S_IMODE((state / "layout").stat().st_mode) == 0o660
    assert state.stat().st_gid == tmp_path.stat().st_gid
    assert state.stat().st_dev == tmp_path.stat().st_dev


def test_its_layout_is_noted_once(tmp_path: Path) -> None:
    make_state_folder(str(tmp_path))
    before = (tmp_path / "layout").stat()
    make_state_folder(str(tmp_path))
    assert (tmp_path / "layout").read_text() == f"{LAYOUT}\n"
    assert (tmp_path / "layout").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("text", [None, "", "1\n"])
def test_a_layout_that_is_known_or_was_not_noted_is_used(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "layout").write_text(text)
    assert layout_refusal(str(tmp_path)) == ""


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "layout").write_text("2\n")
    assert layout_refusal(str(tmp_path)) == (
        f"{tmp_path} has layout 2, and this qtool knows 1: update qtool"
    )


def test_a_full_disk_does_not_hold_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "write_new", full)
    make_state_folder(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
