"""Switchboards over real folders, and messages to put into them."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.qfile import message_from_string
from qtool.queues import durable
from qtool.queues.spool import Spool
from tests.queues.tracing import STRACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message


@pytest.fixture
def message() -> Message:
    return message_from_string(
        "From: anne@example.com\nTo: ant@example.com\nSubject: First\n\nHello.\n"
    )


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool("in", tmp_path / "in")


@pytest.fixture
def bad(tmp_path: Path) -> Spool:
    return Spool("bad", tmp_path / "bad")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on another file system, or one that no rename and no link reaches."""
    memory = Path("/dev/shm")
    is_other = memory.is_dir() and memory.stat().st_dev != tmp_path.stat().st_dev
    if is_other and os.access(memory, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="qtool-queues-", dir=memory))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
        return
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for module, name in ((durable, "rename_new"), (durable, "exchange"), (os, "link")):
        monkeypatch.setattr(module, name, _bounded(getattr(module, name), folder))
    yield folder


def _bounded(call: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Return a call of two paths that does not cross the bounds of a folder."""

    def refuse(source: str, target: str, **kws: Any) -> Any:
        inside = [str(path).startswith(f"{folder}/") for path in (source, target)]
        if inside[0] != inside[1]:
            raise OSError(errno.EXDEV, "other device", source, None, target)
        return call(source, target, **kws)

    return refuse


@pytest.fixture
def needs_strace() -> None:
    """The test asks strace what a program did."""
    if STRACE is None:
        pytest.skip("NOT RUN: strace is not installed")
