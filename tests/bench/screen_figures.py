"""The full-screen app in a real pseudo-terminal."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import files
from tests.bench.minimal_app import SAYS
from tests.bench.report import Figure, medians, milliseconds, percentile
from tests.bench.serving import ROOT
from tests.terminal import Terminal, children_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.bench.ground import Ground

QUEUES = (
    "archive", "bounces", "command", "digest", "in", "nntp", "out", "pipeline",
    "retry", "shunted", "task", "virgin", "weekly", "yearly",
)  # fmt: skip
QUIT = "q"
MINIMAL_QUIT = "\x11"


@contextmanager
def _app(ground: Ground, *arguments: str) -> Iterator[Terminal]:
    """The app; whoever uses it sees it quit."""
    command = [str(ground.programs / "qtool"), *arguments]
    with Terminal(command) as terminal:
        yield terminal
        terminal.press(QUIT)
        terminal.wait_for_end()


def _depth(terminal: Terminal, queue: str) -> int | None:
    """The selected queue's depth, from its detail line; None while there is none."""
    detail = re.search(rf"\b{queue} +depth +(\d+)\b", terminal.text)
    return int(detail[1]) if detail else None


def site(directory: Path) -> Path:
    """A site of fourteen queues, each with an embedded runner."""
    runners = "".join(
        f"[runner.{name}]\nclass: qtool.runners.forward.ForwardRunner\n"
        for name in QUEUES
    )
    configuration = directory / "qtool.cfg"
    configuration.write_text(f"[qtool]\nroot: {directory / 'queues'}\n{runners}")
    for name in QUEUES:
        (directory / "queues" / name).mkdir(parents=True)
    return configuration


def first_board(ground: Ground) -> Iterator[Figure]:
    """From exec to the board, beside a minimal Textual app."""
    with ground.queue("first") as directory:
        configuration = site(directory)
        files.fill(directory / "queues" / QUEUES[-1], b"", 137)

        def ours() -> float:
            with _app(ground, "--config", str(configuration)) as terminal:
                shown = terminal.wait_for(
                    lambda: QUEUES[-1] in terminal.plain and "137" in terminal.plain
                )
                return shown - terminal.started

        def minimal() -> float:
            command = [sys.executable, "-m", "tests.bench.minimal_app"]
            with Terminal(command, cwd=ROOT) as terminal:
                shown = terminal.wait_for(lambda: SAYS in terminal.plain)
                terminal.press(MINIMAL_QUIT)
                terminal.wait_for_end()
                return shown - terminal.started

        took = medians(ground.rounds(9), {"ours": ours, "minimal": minimal})
    ours_took = milliseconds(took["ours"])
    yield Figure(
        what="exec to first board, 14 queues",
        ours=ours_took,
        measured=took["ours"],
        unit="s",
        at_most=0.8,
    )
    yield Figure(
        what="exec to first board, 14 queues",
        ours=ours_took,
        beside=f"minimal Textual app {milliseconds(took['minimal'])}",
        measured=took["ours"] / took["minimal"],
        at_most=1.5,
    )


def million(ground: Ground) -> Iterator[Figure]:
    """The board over one huge queue."""
    count = ground.number(1_000_000)
    with ground.queue("million") as directory:
        files.fill(directory / "in", b"", count)
        with _app(ground, "--root", str(directory)) as terminal:
            shown = terminal.wait_for(lambda: _depth(terminal, "in") == count, 120)
            seconds = shown - terminal.started
            peak = _memory(_family(terminal.process.pid), "VmHWM")
    yield Figure(
        what=f"exec to a board over {count:,} files",
        ours=milliseconds(seconds),
        measured=seconds,
        unit="s",
        at_most=3,
    )
    yield Figure(
        what=f"peak resident memory over {count:,} files",
        ours=f"{peak:.0f} MB",
        measured=peak,
        unit="MB",
        at_most=300,
    )


def arrival_on_screen(ground: Ground) -> Iterator[Figure]:
    """From another process's rename to the number on the terminal."""
    number, depth = ground.number(50), 500
    delays = []
    with ground.queue("live") as directory:
        files.fill(directory / "in", b"", depth)
        with _app(ground, "--root", str(directory)) as terminal:
            terminal.wait_for(lambda: _depth(terminal, "in") == depth)
            terminal.wait_for(_quiet(terminal, 2))
            for came in files.arrivals(directory / "in", number, pause=0.3):
                depth += 1
                shown = terminal.wait_for(_shows(terminal, "in", depth))
                delays.append(shown - came)
    p95 = percentile(delays, 95)
    yield Figure(
        what=f"arrival to the terminal, p95 of {number}",
        ours=milliseconds(p95),
        beside=f"p50 {milliseconds(percentile(delays, 50))}",
        measured=1000 * p95,
        unit="ms",
        at_most=250,
    )


def _shows(terminal: Terminal, queue: str, depth: int) -> Callable[[], bool]:
    return lambda: _depth(terminal, queue) == depth


def _quiet(terminal: Terminal, seconds: float) -> Callable[[], bool]:
    """True once ``seconds`` have passed, whatever is drawn meanwhile."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def idle(ground: Ground) -> Iterator[Figure]:
    """Fourteen idle runners in the app, and Mailman's own processes."""
    seconds = 5.0 if ground.quick else 30.0
    with (
        ground.queue("idle") as directory,
        _app(ground, "--config", str(site(directory)), "--start") as terminal,
    ):
        terminal.wait_for(lambda: terminal.text.count("running") >= len(QUEUES))
        terminal.wait_for(_quiet(terminal, 5))
        ours = at_rest(_family(terminal.process.pid), seconds, terminal)
    beside = ["", ""]
    if not ground.quick:
        with ground.mailman.running() as runners:
            time.sleep(5)
            memory, share = at_rest(runners, seconds)
            who = f"Mailman's {len(runners)} processes"
            beside = [f"{who} {memory:.0f} MB", f"{who} {share:.1f}%"]
    yield Figure(
        what="app with 14 idle runners: resident memory",
        ours=f"{ours[0]:.0f} MB",
        beside=beside[0],
        measured=ours[0],
        unit="MB",
        at_most=80,
    )
    yield Figure(
        what="app with 14 idle runners: share of one core",
        ours=f"{ours[1]:.1f}%",
        beside=beside[1],
        measured=ours[1],
        unit="%",
        at_most=3,
    )


def _family(pid: int) -> list[int]:
    """The app and its engine."""
    return [pid, *children_of(pid)]


def at_rest(
    pids: Sequence[int], seconds: float, terminal: Terminal | None = None
) -> tuple[float, float]:
    """Resident MB, and per cent of one core over ``seconds``."""
    before, start = _cpu(pids), time.monotonic()
    while (left := start + seconds - time.monotonic()) > 0:
        if terminal:  # a terminal that nobody reads would stop the app
            terminal.take(left)
        else:
            time.sleep(left)
    share = 100 * (_cpu(pids) - before) / (time.monotonic() - start)
    return _memory(pids, "VmRSS"), share


def _cpu(pids: Sequence[int]) -> float:
    """Seconds of processor time that they have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(pids: Sequence[int], field: str) -> float:
    """Their memory in MB, by a field of ``/proc/PID/status``."""
    kilobytes = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        kilobytes += int(re.search(rf"{field}:\s+(\d+)", status)[1])  # type: ignore[index] # always there
    return kilobytes / 1024
