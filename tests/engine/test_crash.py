"""A runner that is killed at any point loses nothing and repeats one at most."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Site

RUN = """
import os, sys, threading, time
from pathlib import Path
from qtool.engine.master import Master
from qtool.installation import Configuration, load_settings

def die_after(seconds):
    time.sleep(seconds)
    os.kill(os.getpid(), 9)

master = Master(Configuration(load_settings(Path(sys.argv[1]))))
if sys.argv[2] != "never":
    threading.Thread(target=die_after, args=[float(sys.argv[2])], daemon=True).start()
    master.start("in")
    threading.Event().wait()
master.drain()
"""

MESSAGES = 60


def configuration(site: Site, tmp_path: Path) -> Path:
    config = tmp_path / "qtool.cfg"
    config.write_text(
        f"[qtool]\nroot: {site.root}\n"
        "[runner.in]\nclass: qtool.runners.forward.ForwardRunner\nto: out\n"
        "instances: 2\n"
        "[runner.out]\n"
    )
    return config


def run(config: Path, seconds: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", RUN, str(config), seconds], timeout=60, check=False
    ).returncode


def crash_and_drain(site: Site, tmp_path: Path, kills: int) -> None:
    config = configuration(site, tmp_path)
    site.runner("in")
    site.runner("out")
    for number in range(MESSAGES):
        site.put("in", str(number))
    moments = random.Random(kills)
    for _ in range(kills):
        assert run(config, f"{moments.uniform(0.0, 0.15):.4f}") == -9
    assert run(config, "never") == 0
    assert site.queue("in").get_files(".pck") == []
    assert site.queue("in").get_files(".bak") == []
    found = site.subjects("out")
    lost = {str(number) for number in range(MESSAGES)} - set(found)
    # What was killed three times over is in bad by then, and so not lost either.
    assert lost <= set(site.subjects("bad", ".psv"))
    # Two slices: two in flight at each kill.
    assert len(found) - len(set(found)) <= 2 * kills


@pytest.mark.long
def test_many_kills_lose_nothing(site: Site, tmp_path: Path) -> None:
    crash_and_drain(site, tmp_path, 25)
