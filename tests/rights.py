"""Doing something without the rights of root, also where root runs the tests."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRANGER = 65534


@contextmanager
def powerless() -> Iterator[None]:
    """Be a user without rights meanwhile; whoever is one already stays the same."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(_STRANGER, _STRANGER, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a scratch folder that every user may enter, unlike ``tmp_path``."""
    with tempfile.TemporaryDirectory(prefix="qtool-open-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
