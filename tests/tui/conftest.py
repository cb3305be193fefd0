"""A terminal that is the same everywhere."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tui.settling import settle

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


@pytest.fixture(autouse=True)
def pilot_waits_no_longer_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are waited for by what is left to do, not by the clock."""
    monkeypatch.setattr("textual.app.wait_for_idle", settle)
    monkeypatch.setattr("textual.pilot.wait_for_idle", settle)
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", 1 / 1000)


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder whose path is short enough for the header of a small screen."""
    # A page that was asked for last may come into the cache while all is removed.
    with tempfile.TemporaryDirectory(prefix="q-", ignore_cleanup_errors=True) as name:
        yield Path(name)
