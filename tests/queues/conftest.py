"""Switchboards over real folders, and messages to put into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qtool.qfile import message_from_string
from qtool.queues.spool import Spool
from tests.queues.tracing import STRACE

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path


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
def needs_strace() -> None:
    """The test asks strace what a program did."""
    if STRACE is None:
        pytest.skip("NOT RUN: strace is not installed")
