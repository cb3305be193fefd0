"""Hostile files shown through the doors, each within limits of time and memory.

Doors are opened in a child process, which shows them file after file: memory is
limited anew for each, and what it took is measured. A child that dies or hangs
is replaced by a new one, and that file has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from tests.qfile.doors import RefusedHere, harmless, opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from tests.qfile.hostile import Exhibit

ROOM = 200 << 20
"""Bytes that one file of up to eight megabytes may take."""
SECONDS = 1.0
"""Processor time that it may take, while the processor runs as it should."""
YARDSTICK_SECONDS = 0.027
"""Processor time that ``_yardstick`` takes then."""
LOOKS = 4
"""How often a file is shown that took too long: was it the file, or the moment?"""
LARGE = 8 << 20
PATIENCE = 60.0
"""Wall-clock seconds after which a child hangs."""
SHOWN = 4 << 20
"""Characters that a door may show of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one file at one door."""

    id: str
    door: str
    outcome: str
    """``shown``, ``refused``, or what went wrong."""
    seconds: float = 0.0
    """Processor time."""
    room: int = 0
    """Bytes of memory beyond what the process had."""

    @property
    def wrong(self) -> bool:
        """Whether it is neither shown nor refused."""
        return self.outcome not in ("shown", "refused")


# --- In the child -----------------------------------------------------------


def _peak() -> int:
    return _kilobytes("VmHWM") << 10


def _kilobytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise AssertionError(f"the kernel tells no {field}")


def _allow(room: int) -> None:
    used = _kilobytes("VmSize") << 10
    resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))
    with contextlib.suppress(OSError):  # not every kernel forgets its peaks
        Path("/proc/self/clear_refs").write_text("5")


async def _serve(doors: Sequence[str]) -> None:
    markers = Path("marker")
    async with contextlib.AsyncExitStack() as stack:
        shows = {
            door: await stack.enter_async_context(opened(door, Path.cwd()))
            for door in doors
        }
        for line in sys.stdin:
            name, path, door = json.loads(line)
            for _ in range(LOOKS):
                verdict = await _shown(name, door, shows[door], Path(path))
                if verdict.seconds <= SECONDS:
                    break
            if any(markers.iterdir()):
                verdict = replace(verdict, outcome=f"ran: {list(markers.iterdir())}")
            print(json.dumps(asdict(verdict)), file=sys.__stdout__, flush=True)


def _yardstick() -> float:
    """Return the processor time of some work that is always the same.

    What others do on the machine, and its own frequency, make the time of the
    same work differ by more than half from one moment to the next.
    """
    started = time.process_time()
    kept = {}
    for number in range(100_000):
        kept[str(number)] = [number]
    return time.process_time() - started


async def _shown(
    name: str, door: str, show: Callable[[Path], Awaitable[str]], path: Path
) -> Verdict:
    size = min(path.lstat().st_size, 1 << 30)
    scale = max(1.0, size / LARGE)
    _allow(int(2 * ROOM * scale))
    before, started = _peak(), time.process_time()
    try:
        shown = harmless(await show(path))
        outcome = "shown"
        if len(shown) > max(SHOWN, 6 * size):
            outcome = f"shows {len(shown)} characters"
    except RefusedHere:
        outcome = "refused"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is reported
        outcome = f"{type(error).__name__}: {error!r:.300}"
    seconds = time.process_time() - started
    room = _peak() - before
    if seconds > SECONDS:
        seconds *= min(1.0, YARDSTICK_SECONDS / _yardstick())
    outcome = _judged(outcome, seconds / scale, room / scale)
    return Verdict(id=name, door=door, outcome=outcome, seconds=seconds, room=room)


def _judged(outcome: str, seconds: float, room: float) -> str:
    if seconds > SECONDS:
        return f"takes {seconds:.1f} s ({outcome})"
    if room > ROOM:
        return f"takes {room / (1 << 20):.0f} MiB ({outcome})"
    return outcome


# --- In the parent ----------------------------------------------------------


class _Child:
    """Doors in a process of their own."""

    def __init__(self, doors: Sequence[str], scratch: Path) -> None:
        (scratch / "marker").mkdir(parents=True, exist_ok=True)
        here = Path(__file__).resolve().parents[2]
        self._said = (scratch / "said").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.qfile.judging", *doors],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=scratch,
            env={**os.environ, "PYTHONPATH": str(here), "NO_COLOR": "1"},
            text=True,
        )

    def judge(self, exhibit: Exhibit, path: Path, door: str) -> Verdict:
        """Show a door one file."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            asked = json.dumps([exhibit.id, str(path), door])
            self._process.stdin.write(f"{asked}\n")
            self._process.stdin.flush()
            ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
            line = self._process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line, ready = "", [self._process.stdout]
        if line:
            return Verdict(**json.loads(line))
        outcome = "hangs"
        if ready:
            self._process.wait()
            self._said.seek(0)
            outcome = f"dies: {self._said.read()[-300:]}"
        return Verdict(id=exhibit.id, door=door, outcome=outcome)

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._said.close()


def judged(
    doors: Sequence[str], corpus: Path, exhibits: Iterable[Exhibit], scratch: Path
) -> Iterator[Verdict]:
    """Show each file of a corpus through some doors."""
    child = _Child(doors, scratch)
    try:
        for exhibit, door in product(exhibits, doors):
            verdict = child.judge(exhibit, corpus / exhibit.file, door)
            yield verdict
            if verdict.outcome == "hangs" or verdict.outcome.startswith("dies"):
                child.close()
                child = _Child(doors, scratch)
    finally:
        child.close()


def faults(exhibits: Sequence[Exhibit], verdicts: Iterable[Verdict]) -> list[str]:
    """Return a line for each file that was not treated as it must be."""
    expected = {exhibit.id: exhibit.expect for exhibit in exhibits}
    lines = []
    for verdict in verdicts:
        expect = expected[verdict.id]
        wrong = (
            verdict.wrong
            or (expect == "ok" and verdict.outcome != "shown")
            or (
                expect == "reject"
                and verdict.door == "strict read"
                and verdict.outcome != "refused"
            )
        )
        if wrong:
            lines.append(f"{verdict.door}: {verdict.id} ({expect}): {verdict.outcome}")
    return lines


def report(verdicts: Sequence[Verdict]) -> str:
    """Return a table of files by doors."""
    lines = [f"{'door':14}{'files':>8}{'shown':>8}{'refused':>9}{'worst':>22}"]
    for door in dict.fromkeys(verdict.door for verdict in verdicts):
        those = [verdict for verdict in verdicts if verdict.door == door]
        count = Counter(verdict.outcome for verdict in those)
        seconds = max(verdict.seconds for verdict in those)
        room = max(verdict.room for verdict in those) >> 20
        worst = f"{seconds:.2f} s, {room} MiB"
        lines.append(
            f"{door:14}{len(those):8}{count['shown']:8}{count['refused']:9}{worst:>22}"
        )
    files = max(Counter(verdict.door for verdict in verdicts).values())
    lines.append(f"{files} files, {len(verdicts)} showings")
    return "\n".join(lines)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1:]))
