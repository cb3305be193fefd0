"""Names of entries, and folders full of them, for tests that open none."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BEGIN = 1_700_000_000.5


def filebase_of(number: int, when: float | None = None) -> str:
    """Return the filebase of the ``number``-th entry of a made-up queue."""
    digest = hashlib.sha1(str(number).encode()).hexdigest()
    return f"{BEGIN + number if when is None else when!r}+{digest}"


def touch(folder: Path, names: Iterable[str]) -> None:
    """Make names of one empty file: a name costs a tenth of what a file costs."""
    folder.mkdir(exist_ok=True)
    first = None
    for name in names:
        if first is None:
            first = folder / name
            os.mknod(first, 0o660)
        else:
            os.link(first, folder / name)
