"""Looking at a thread from others: where it stands, and what it has cost.

A runner that has had one message in hand for too long is *hung*: nobody can end a
thread, but what it waits for can be told.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from qtool.engine.shunting import bounded

if TYPE_CHECKING:
    from types import FrameType

    from qtool.engine.status import InHand

_FRAMES = 50
_LINE = 120

_WAITING_FOR = {
    "threading": "another thread",
    "queue": "another thread",
    "concurrent": "another thread",
    "socket": "the network",
    "ssl": "the network",
    "select": "the network",
    "selectors": "the network",
    "http": "the network",
    "smtplib": "the network",
    "subprocess": "a child process",
    "multiprocessing": "a child process",
    "sqlite3": "a database",
}
"""What is waited for in these modules of the standard library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """A message, or something else, that a runner does not get done with."""

    held: InHand
    """Without a filebase where it is no message."""
    waits_for: str
    """In words, with the function."""
    where: str = ""
    """The line of source; empty where that is not known."""
    stack: str
    """The runner's Python stack, the latest call last."""

    @property
    def told(self) -> str:
        """All but the stack, in a line, of which the beginning matters most."""
        held, where = self.held, f": {self.where}" if self.where else ""
        hand = f"in hand {held.filebase}" if held.filebase else "nothing in hand"
        return f"{self.waits_for}; {hand}; hung for {held.seconds:.0f} s{where}"


class WorkingThread:
    """The thread that makes this, for others to look at."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.number = threading.get_native_id()
        """As the system counts threads."""
        self._ident = threading.get_ident()
        # Asked by the thread itself: of a thread that has ended it may not be.
        self._clock = time.pthread_getcpuclockid(self._ident)

    def cpu_seconds(self) -> float:
        """Return how long it has computed; 0 once it has ended."""
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            return 0.0

    def hang(self, held: InHand) -> Hang:
        """Return where it stands, with a message that it does not get done with."""
        frame = sys._current_frames().get(self._ident)
        if frame is None:
            return Hang(held=held, waits_for="its thread has ended", stack="")
        lines = traceback.format_stack(frame, limit=None)[-_FRAMES:]
        stack = bounded(f"Stack, the latest call last:\n{''.join(lines)}")
        waits_for, where = _waits_for(frame)
        return Hang(held=held, waits_for=waits_for, where=where, stack=stack)


def resident_bytes() -> int | None:
    """Return how much memory this process has; None where nobody tells."""
    try:
        with open("/proc/self/statm", "rb") as stream:  # noqa: PTH123 - once a second
            pages = int(stream.read().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _waits_for(frame: FrameType) -> tuple[str, str]:
    """Return what a frame waits for, as far as is known, and where it stands."""
    what, at = "", frame
    while (known := _WAITING_FOR.get(_module(at))) is not None:
        what = what or known
        if at.f_back is None:
            break
        at = at.f_back
    source = linecache.getline(at.f_code.co_filename, at.f_lineno).strip()
    if not what and "sleep(" in source:
        what = "time to pass"
    file = PurePath(at.f_code.co_filename).name
    waits_for = f"waits for {what}" if what else "stands"
    where = f"`{source[:_LINE]}` ({file}:{at.f_lineno})"
    return f"{waits_for} in {at.f_code.co_name}", where


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
