"""One look at the real GNU Mailman: is a queue stalled, and who is it that stalls?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.interop.site import Site, wait_until
from tests.interop.test_mailman import PLAIN, inject, post, qtool

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.interop


def check(site: Site, *words: str) -> tuple[int, str]:
    """The exit status of ``qtool check``, and its first line without the figures."""
    done = subprocess.run(
        qtool(site, "check", "out", *words), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.partition(" | ")[0]


def test_one_look_finds_out_that_a_runner_is_held_and_that_it_works(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    site.start()
    pid = site.runner_pid("out")
    assert pid is not None
    try:
        os.kill(pid, signal.SIGSTOP)
        inject(site, post("<held@example.com>", PLAIN, "us-ascii"))
        wait_until(lambda: site.waiting("out"), 60)
        (base,) = site.waiting("out")
        long_ago = f"{time.time() - 3600:.6f}1+{base.partition('+')[2]}"
        folder = site.queue("out")
        (folder / f"{base}.pck").rename(folder / f"{long_ago}.pck")
        status, line = check(site)
        assert status == 2
        assert line.startswith("QTOOL CRITICAL - out: stalled: 1 message waits for")
        assert line.endswith(f"; its runner (pid {pid}) is stopped by a signal")
        age = "--warn=oldest=30m", "--crit=oldest=2h"
        assert check(site, *age)[0] == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not site.waiting("out"), 60)
    assert check(site)[0] == 0
