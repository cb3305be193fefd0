"""Acts on many entries: a bulk move and its undo, and unshunting."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from qtool.control.acts.carrying import _SYNC_SECONDS
from tests.bench import files
from tests.bench.report import Figure, medians, milliseconds
from tests.bench.serving import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.ground import Ground


def mending(ground: Ground) -> Iterator[Figure]:
    """Move all entries of a queue after a preview, and take that back."""
    count = ground.number(10_000)
    undos: list[float] = []
    side = Side(Path(sys.executable), "tests.bench.mending_side")
    with ground.queue("mending") as root, closing(side):
        files.fill(root / "in", ground.qfile.read_bytes(), count)
        (root / "out").mkdir()

        def ours() -> float:
            moved, undone = side.ask("move_and_undo", root=str(root), count=count)
            undos.append(undone)
            return float(moved)

        def raw() -> float:
            took = side.ask("raw_move", root=str(root), sync_seconds=_SYNC_SECONDS)
            return float(took)

        took = medians(ground.rounds(7), {"move": ours, "raw": raw})
    took["undo"] = median(undos)
    yield _beside(took, f"move {count:,}, preview and confirm", "move", "raw", "")
    yield _beside(took, f"undo of it, {count:,} back", "undo", "raw", "")


def unshunt(ground: Ground) -> Iterator[Figure]:
    """Unshunt by both programs what Mailman has written."""
    count = ground.number(1000)
    queues = ground.mailman.configuration.parent / "var" / "queue"
    shunt, back = queues / "shunt", queues / "in"
    sample = _shunted(ground)

    def run(words: list[str]) -> str:
        return subprocess.run(
            words, check=True, timeout=300, capture_output=True, text=True
        ).stdout

    program = [str(ground.programs / "qtool"), "unshunt"]
    at = ["--config", str(ground.mailman.configuration)]

    def ours() -> None:
        shown = run([*program, "all", "--dry-run", "--json", *at])
        run([*program, "--yes", json.loads(shown)["token"], *at])

    def theirs() -> None:
        run(ground.mailman.command("unshunt"))

    def filled(act: Callable[[], None]) -> float:
        files.fill(shunt, sample, count)
        start = time.perf_counter()
        act()
        seconds = time.perf_counter() - start
        assert len(list(back.iterdir())) == count
        assert not list(shunt.iterdir())
        files.empty(back)
        return seconds

    def idle(words: list[str]) -> float:
        start = time.perf_counter()
        run(words)
        return time.perf_counter() - start

    back.mkdir(parents=True, exist_ok=True)
    took = medians(
        ground.rounds(5),
        {
            "ours": lambda: filled(ours),
            "theirs": lambda: filled(theirs),
            "our start": lambda: idle([*program[:1], "undo", "--list", *at]),
            "their start": lambda: idle(ground.mailman.command("unshunt")),
        },
    )
    took["ours alone"] = took["ours"] - 2 * took["our start"]
    took["theirs alone"] = took["theirs"] - took["their start"]
    what = f"unshunt {count:,}"
    yield _beside(took, f"{what}, shown, then by token", "ours", "theirs", "mailman")
    yield _beside(
        took, f"{what}, without starts", "ours alone", "theirs alone", "mailman"
    )


def _shunted(ground: Ground) -> bytes:
    """A qfile as Mailman shunts it."""
    folder = ground.directory / "shunted"
    folder.mkdir(exist_ok=True)
    message = str(ground.message)
    ground.theirs.ask(
        "enqueue", directory=str(folder), message=message, count=1, whichq="in"
    )
    return next(folder.iterdir()).read_bytes()


def _beside(
    took: dict[str, float], what: str, ours: str, theirs: str, whose: str
) -> Figure:
    """How many times as fast as ``theirs`` is ``ours``."""
    beside = f"{whose} unshunt" if whose else "renameat2, folder fsyncs"
    return Figure(
        what=what,
        ours=milliseconds(took[ours]),
        beside=f"{beside} {milliseconds(took[theirs])}",
        measured=took[theirs] / took[ours],
    )
