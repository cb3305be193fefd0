"""What the engine costs that has nothing to do, without a screen."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.bench import files
from tests.bench.report import Figure
from tests.bench.screen_figures import QUEUES, at_rest, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.ground import Ground

_SETTLING_SECONDS = 5.0
_PER_MINUTE = 0.6
"""From per cent of one core to seconds per minute."""


@contextmanager
def _running(ground: Ground, configuration: Path) -> Iterator[int]:
    """``qtool run`` over a site, at rest; yields its process id."""
    with subprocess.Popen(
        [ground.programs / "qtool", "--config", configuration, "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "RUNTIME_DIRECTORY": str(configuration.parent)},
    ) as process:
        assert process.stdout is not None
        try:
            while b"started" not in (line := process.stdout.readline()):
                assert line, "qtool run has ended"
            time.sleep(_SETTLING_SECONDS)
            yield process.pid
        finally:
            process.terminate()


def engine(ground: Ground) -> Iterator[Figure]:
    """Fourteen idle runners, over empty queues and beside a full ``bad``."""
    seconds = 10.0 if ground.quick else 60.0
    count = ground.number(100_000)
    measured = {}
    with ground.queue("engine") as directory:
        configuration = site(directory)
        for what, number in ("empty queues", 0), (f"{count:,} files in bad", count):
            if number:
                files.fill(directory / "queues" / "bad", b"", number, ".psv")
            with _running(ground, configuration) as pid:
                measured[what] = at_rest([pid], seconds)
    beside = (0.0, 0.0)
    who = ""
    if not ground.quick:
        with ground.mailman.running() as runners:
            time.sleep(_SETTLING_SECONDS)
            beside = at_rest(runners, seconds)
            who = f"Mailman's {len(runners)} processes "
    for what, (_, share) in measured.items():
        yield Figure(
            what=f"{len(QUEUES)} idle runners over {what}: processor",
            ours=f"{share * _PER_MINUTE:.2f} s/min",
            beside=who and f"{who}{beside[1] * _PER_MINUTE:.2f} s/min",
            measured=share * _PER_MINUTE,
            unit="s/min",
        )
    memory = max(megabytes for megabytes, _ in measured.values())
    yield Figure(
        what=f"{len(QUEUES)} idle runners: resident memory of the whole engine",
        ours=f"{memory:.0f} MB",
        beside=who and f"{who}{beside[0]:.0f} MB",
        measured=memory,
        unit="MB",
        at_most=60,
    )
