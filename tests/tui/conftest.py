"""A terminal that is the same everywhere."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A UTF-8 terminal of 16 million colours, in UTC."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr("qtool.tui.filters.speaks_unicode", lambda: True)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder whose path is short enough for the header of a small screen."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        yield Path(name)
