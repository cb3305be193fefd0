"""Leaving a process in which a thread never ends."""

from __future__ import annotations

import subprocess
import sys

STUCK = """
import threading
from qtool.engine.leaving import leave_within
threading.Thread(target=threading.Event().wait).start()
leave_within(0.1)
"""


def test_a_thread_that_never_ends_keeps_no_process() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK], timeout=60, check=False)
    assert done.returncode == 0
