"""Ending this process, whatever threads a site's class has left behind."""

from __future__ import annotations

import os
import threading


def leave_within(seconds: float) -> None:
    """Let this process end by itself, and end it when that takes too long.

    The interpreter waits for every thread that is no daemon, and a site's class may
    have one that never ends. Nothing of a queue's is in hand any more.
    """
    timer = threading.Timer(seconds, os._exit, args=[0])
    timer.daemon = True
    timer.start()
