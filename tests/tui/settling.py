"""When an app has done all that a key asked of it."""

from __future__ import annotations

import asyncio
from typing import Any

FRAME = 1 / 60
"""Seconds; what is due within them is still the answer to what came before."""


async def settle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until the loop has nothing to run, and nothing due within a frame.

    It stands in for what Textual's pilot does twice after each key: wait for 20 ms
    in which the process used no CPU time. What other threads do is nobody's to
    wait for here: a test that needs it says so with ``until``.
    """
    loop: Any = asyncio.get_running_loop()  # what it has to run, it tells nobody
    end = loop.time() + max_sleep
    idle = 0
    while idle < 3 and loop.time() < end:
        await asyncio.sleep(0)
        due = [handle.when() for handle in loop._scheduled if not handle.cancelled()]
        left = min(due, default=end) - loop.time()
        idle = 0 if loop._ready or left <= FRAME else idle + 1
        if not loop._ready and left <= FRAME:
            await asyncio.sleep(max(left, 0.0))
