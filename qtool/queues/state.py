"""The folder beside the queues in which qtool keeps what it remembers about them."""

from __future__ import annotations

import contextlib
import os

from qtool.queues import durable

STATE_FOLDER = ".qtool"
"""Its name."""
LAYOUT = 1
"""Which files are where in it, and what is in them."""
_LONGEST = 20


def make_state_folder(path: str) -> None:
    """Make it durably, and note its layout, where that has not been done."""
    durable.make_folder(path)
    note = f"{path}/layout"
    if os.path.exists(note):
        return
    try:
        with contextlib.suppress(FileExistsError):
            durable.write_new(note, b"%d\n" % LAYOUT, sync=False)
    except OSError as error:
        if error.errno not in durable.NO_ROOM:  # a full spool must be able to drain
            raise


def layout_refusal(path: str) -> str:
    """Return why nothing may be written there: a newer qtool has; else empty."""
    try:
        noted = durable.read_small(f"{path}/layout", _LONGEST)
    except OSError:
        return ""
    # It is empty where the first to make it was killed meanwhile.
    if noted.strip() in (b"", b"%d" % LAYOUT):
        return ""
    shown = noted.strip().decode("ascii", "backslashreplace")
    return f"{path} has layout {shown}, and this qtool knows {LAYOUT}: update qtool"
