"""What every test needs: a home folder that is nobody's."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_REAL_PLACES = [
    Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "qtool",
    Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "qtool",
]


def pytest_collection_finish() -> None:
    """Have the garbage collector look at less, and at what lives to the end never."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20)


@pytest.fixture(scope="session", autouse=True)
def scratch_home() -> Iterator[Path]:
    """Move HOME and the state folder away, and fail if the real ones are touched."""
    before = [(place, place.exists()) for place in _REAL_PLACES]
    with tempfile.TemporaryDirectory(prefix="qtool-home-") as name:
        home = Path(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(home))
            patch.setenv("XDG_STATE_HOME", str(home / "state"))
            patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
            patch.delenv("RUNTIME_DIRECTORY", raising=False)
            patch.setenv("XDG_RUNTIME_DIR", str(home))
            patch.delenv("QTOOL_CONFIG", raising=False)
            yield home
    assert [(place, place.exists()) for place in _REAL_PLACES] == before
