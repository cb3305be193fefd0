"""Acts over many entries at a terminal: how far they are, and Ctrl-C."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from qtool.control import open_site
from qtool.control.models import ActionResult, Missed, UnderWay
from qtool.render.acts import missed_lines, under_way_line
from tests.commands.program import QTOOL, configuration, program, running
from tests.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

MANY = 40_000


@pytest.mark.parametrize(
    ("number", "done", "total", "line"),
    [
        (0, 0, 0, "discard..."),
        (0, 12_000, 100_000, "discard: looked at [####-----] 12,000 of 100,000 (12%)"),
        (5, 3, 0, "discard 3"),
        (5, 50_000, 100_000, "discard [###------] 50,000 of 100,000 (50%)"),
        (5, 9, 3, "discard [#########] 9 of 3 (100%)"),
    ],
)
def test_a_line_says_how_far_an_act_is(
    number: int, done: int, total: int, line: str
) -> None:
    seen = UnderWay(
        id=1, verb="discard", queue="in", to="", uid=0, pid=1, since=0.0,
        number=number, done=done, total=total,
    )  # fmt: skip
    shown = under_way_line(seen)
    bar = shown.partition("[")[2].partition("]")[0]
    assert len(shown) < 80
    assert bar.count("#") == (round(30 * min(done / total, 1)) if total else 0)
    expected = line.partition("[")[0], line.rpartition("]")[2]
    assert (shown.partition("[")[0], shown.rpartition("]")[2]) == expected


def test_what_was_not_tried_is_told_in_a_line() -> None:
    tried = [Missed(filebase=f"1.{n}+aa", reason="is not there") for n in range(30)]
    rest = [
        Missed(filebase=f"2.{n}+aa", reason="not tried after: it was interrupted")
        for n in range(5000)
    ]
    result = ActionResult(verb="hold", queue="in", skipped=(*tried, *rest))
    lines = list(missed_lines(result))
    assert lines[24:] == [
        "left: 1.24+aa: is not there",
        "left: 5 more",
        "left: 5,000 not tried after: it was interrupted; the first is 2.0+aa",
    ]


def _filled(config: Path) -> list[str]:
    """Put many entries into ``shunt``, where nobody takes them."""
    control = open_site(config_file=config)
    place = control.configuration.shunt.queue_directory
    place.mkdir(parents=True)
    control.close()
    for n in range(MANY):
        digest = hashlib.sha1(b"%d" % n, usedforsecurity=False).hexdigest()
        (place / f"{1.7e9 + n:.1f}+{digest}.pck").write_bytes(b"")
    return sorted(path.name for path in place.iterdir())


@pytest.mark.long
@pytest.mark.parametrize("has_daemon", [False, True])
def test_ctrl_c_stops_an_act_between_two_entries_and_tells_what_it_did(
    tmp_path: Path, has_daemon: bool
) -> None:
    config = configuration(tmp_path)
    before = _filled(config)
    place = tmp_path / "spool" / "shunt"
    with ExitStack() as ends:
        if has_daemon:
            ends.enter_context(running(config)).read_to("started in")
        site = ("--config", str(config))
        shown = program(*site, "move", "shunt", "out", "all", "--dry-run")
        token = shown.err.split()[-1]
        command = [str(QTOOL), *site, "move", "shunt", "out", "--yes", token]
        terminal = ends.enter_context(Terminal(command))
        terminal.wait_for(lambda: "move [###" in terminal.plain)
        terminal.press("\x03")
        assert terminal.wait_for_end() == 130
        assert "moved" in terminal.text
        assert "not tried after: it was interrupted" in terminal.text
        assert "move [" not in terminal.text
        assert 0 < len(list(place.iterdir())) < MANY
        undone = program(*site, "undo")
        assert undone.status == 0
        assert undone.err == ""  # no terminal, no bar
    assert sorted(path.name for path in place.iterdir()) == before
