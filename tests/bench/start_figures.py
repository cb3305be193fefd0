"""Starting: imports, and one command's whole process."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.bench.report import Figure, medians, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.ground import Ground


def _process(command: Sequence[str]) -> float:
    """Seconds of one whole process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def imports(ground: Ground) -> Iterator[Figure]:
    """``import qtool`` over an interpreter that imports nothing."""
    python = sys.executable
    took = medians(
        ground.rounds(21),
        {
            "bare": lambda: _process([python, "-c", "pass"]),
            "import": lambda: _process([python, "-c", "import qtool"]),
        },
    )
    yield Figure(
        what="import qtool, over a bare interpreter",
        ours=milliseconds(took["import"]),
        beside=f"bare {milliseconds(took['bare'])}",
        measured=1000 * (took["import"] - took["bare"]),
        unit="ms",
        at_most=15,
    )


def dump(ground: Ground) -> Iterator[Figure]:
    """``qtool dump FILE`` beside ``mailman qfile FILE``, whole processes."""
    ours = [str(ground.programs / "qtool"), "dump", str(ground.qfile)]
    theirs = ground.mailman.command("qfile", str(ground.qfile))
    took = medians(
        ground.rounds(9),
        {"ours": lambda: _process(ours), "theirs": lambda: _process(theirs)},
    )
    yield Figure(
        what="qtool dump FILE, whole process",
        ours=milliseconds(took["ours"]),
        beside=f"mailman qfile {milliseconds(took['theirs'])}",
        measured=took["theirs"] / took["ours"],
        at_least=15,
    )
