"""When ``qtool run --until-empty`` leaves."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from qtool.commands.emptying import LINGER_SECONDS, Emptying, started
from qtool.control.models import Board, QueueRow, Site
from qtool.installation import load_settings
from qtool.settings import parse
from tests.commands.program import MESSAGE, QTOOL, configuration, entries

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call

SITE = Site(spool="/spool", source="x.cfg", kind="own", read_only="", watching="")


class Looking:
    """Boards, one after the other, at times of the test's choice."""

    def __init__(self) -> None:
        self.now = 100.0
        self.left = 0
        self._emptying = Emptying(frozenset({"in"}), self._leave, lambda: self.now)

    def _leave(self) -> None:
        self.left += 1

    def see(self, depth: int | None, in_flight: int = 0, *, after: float = 0.0) -> int:
        """Show a board some seconds later; return how often it has left."""
        self.now += after
        row = QueueRow(
            name="in", has_queue=True, runner="in", runner_slices=1, depth=depth,
            in_flight=in_flight,
        )  # fmt: skip
        waits = QueueRow(
            name="out", has_queue=True, runner=None, runner_slices=0, depth=7
        )
        self._emptying.see(Board(at=0.0, rows=(row, waits), site=SITE))
        return self.left


def test_it_leaves_once_when_empty_for_a_while() -> None:
    looking = Looking()
    assert looking.see(0) == 0
    assert looking.see(0, after=LINGER_SECONDS - 0.1) == 0
    assert looking.see(0, after=0.1) == 1
    assert looking.see(0, after=LINGER_SECONDS) == 1
    assert looking.see(0, after=LINGER_SECONDS) == 1


@pytest.mark.parametrize(("depth", "in_flight"), [(1, 0), (0, 1), (None, 0)])
def test_what_waits_or_is_in_flight_or_unknown_keeps_it(
    depth: int | None, in_flight: int
) -> None:
    looking = Looking()
    looking.see(0)
    assert looking.see(depth, in_flight, after=LINGER_SECONDS) == 0
    assert looking.see(0, after=LINGER_SECONDS) == 0
    assert looking.see(0, after=LINGER_SECONDS) == 1


def test_only_runners_that_run_starts_have_queues_to_be_emptied(tmp_path: Path) -> None:
    config = configuration(
        tmp_path,
        "[runner.in]\nclass: x.Y\n[runner.off]\nclass: x.Y\ninstances: 0\n"
        "[runner.by_hand]\nclass: x.Y\nstart: no\n[runner.waits]\n"
        "[runner.lmtp]\nclass: x.Y\npath:\n",
    )
    assert [runner.name for runner in started(load_settings(config))] == ["in"]


def test_what_mailman_runs_keeps_nobody_here(tmp_path: Path) -> None:
    text = "[runner.in]\nclass: qtool.runners.forward.ForwardRunner\n"
    settings = parse(text, source=str(tmp_path / "mailman.cfg"), base=tmp_path)
    assert [runner.name for runner in started(settings)] == ["in"]


def test_run_until_empty_processes_and_leaves(
    call: Call, site: Path, tmp_path: Path
) -> None:
    assert call("--config", site, "inject", "in", stdin=MESSAGE).status == 0
    # What a process cannot be told by an option, it is told by its code.
    patched = (
        "import sys; from qtool.commands import emptying as those;"
        "from qtool.control import observer;"
        "those.LINGER_SECONDS = observer.TICK_SECONDS = 0.1;"
        "from qtool.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [QTOOL.with_name("python"), "-c", patched, "--config", site, "run",
         "--until-empty"],
        stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        0, "qtool: nothing waits any more",
    )  # fmt: skip
    assert entries(tmp_path / "spool" / "in") == []
    assert len(entries(tmp_path / "spool" / "out")) == 1
