"""Queue entries of the Mailman before 2.1.5: pairs of files, named and left alone."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from pathlib import Path


def older_pair(path: Path | str) -> str:
    """Return why a file is half of such a pair; empty when it is none."""
    name = os.fspath(path)
    stem, dot, suffix = name.rpartition(".")
    if not dot or suffix not in ("db", "msg", "pck"):
        return ""
    others = ("db",) if suffix != "db" else ("msg", "pck")
    other = next((one for one in others if os.path.lexists(f"{stem}.{one}")), None)
    if other is None and suffix != "db":
        return ""
    pair = f".{suffix} beside .{other}" if other else ".db"
    return (
        f"it is an entry of a Mailman before 2.1.5 ({pair}), which qtool leaves alone"
    )
