"""The binary in a real terminal: what it sends, how it leaves, how soon it shows."""

from __future__ import annotations

import os
import re
import signal
import statistics
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.tui.site import PLAIN, inject, line_of, make_site, until
from tests.tui.terminal import Terminal
from tests.tui.test_app import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SGR = re.compile(rb"\x1b\[([0-9;]*)m")
COLOURS = {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}
LEFT = b"\x1b[?1049l"
"""What leaves the alternate screen."""


@contextmanager
def terminal(
    root: Path, *arguments: str, size: tuple[int, int] = (100, 30), **variables: str
) -> Iterator[Terminal]:
    """The app over a small site, its board on the screen."""
    make_site(root).close()
    shown = Terminal(
        "--config", f"{root}/qtool.cfg", *arguments, size=size, **variables
    )
    try:
        shown.until(lambda: shown.line("in"))
        yield shown
    finally:
        shown.close()


def test_the_board_comes_and_q_leaves_the_terminal_as_it_was(root: Path) -> None:
    with terminal(root) as shown:
        assert "stopped" in shown.line("in")
        shown.press("q")
        assert shown.end() == 0
        assert LEFT in shown.sent


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]
)
def test_signals_leave_the_terminal_as_it_was(root: Path, number: int) -> None:
    with terminal(root) as shown:
        os.kill(shown.child.pid, number)
        assert shown.end() == 128 + number
        assert LEFT in shown.sent
        assert b"\x1b[?1000l" in shown.sent


@pytest.mark.long
def test_a_window_that_is_closed_leaves_no_process_behind(root: Path) -> None:
    make_site(root).close()
    for _ in range(3):
        shown = Terminal("--config", f"{root}/qtool.cfg", "--start")
        shown.until(partial(is_running, shown))
        assert shown.hang_up() == 128 + signal.SIGHUP


def test_without_colour_not_one_colour_is_sent(root: Path) -> None:
    with terminal(root, NO_COLOR="1") as shown:
        shown.press("q")
        shown.end()
        found = b";".join(SGR.findall(shown.sent)).split(b";")
        asked = {int(number) for number in found if number}
        assert asked & COLOURS == set()
        assert 7 in asked


@pytest.mark.long
def test_a_terminal_without_unicode_gets_ascii_alone(root: Path) -> None:
    with terminal(root, PYTHONIOENCODING="ascii", PYTHONUTF8="0") as shown:
        shown.press("l?")
        shown.until(lambda: "Keys" in shown.text)
        shown.press("q")
        shown.end()
        assert shown.sent.isascii()
        assert b"\\u" not in shown.sent


def test_a_dumb_terminal_gets_one_line(root: Path) -> None:
    make_site(root).close()
    shown = Terminal("--config", f"{root}/qtool.cfg", TERM="dumb")
    assert shown.end() == 1
    assert b"\x1b" not in shown.sent
    assert shown.sent.count(b"\n") == 1
    assert b"qtool status" in shown.sent


def test_hostile_names_never_reach_the_terminal(root: Path) -> None:
    for name in ("in", "\x1b]0;x\x07", "[red]x[red]", "a\u202eb"):
        (root / name).mkdir()
    shown = Terminal("--root", str(root))
    try:
        shown.until(lambda: shown.line("[red]x[red]"))
        assert b"\x1b]0;x" not in shown.sent
        assert "\u202e".encode() not in shown.sent
    finally:
        shown.close()


def arrive(folder: Path, number: int) -> None:
    """Rename a file into a queue, as another process would."""
    name = f"{1_700_000_000 + number}.5+{number:040x}.pck"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tmp").write_bytes(PLAIN)
    (folder / f"{name}.tmp").rename(folder / name)


def is_running(shown: Terminal) -> bool:
    """Whether the board says that ``in`` runs."""
    return "running" in shown.line("in")


def has_depth(shown: Terminal, depth: int) -> bool:
    """Whether the board says that ``out`` is so deep."""
    return shown.line("out").split()[1] == str(depth)


@pytest.mark.long
def test_an_arrival_is_on_the_terminal_within_a_quarter_of_a_second(
    root: Path,
) -> None:
    with terminal(root) as shown:
        shown.until(lambda: "events" in shown.text)
        took = []
        for number in range(50):
            arrive(root / "queues" / "out", number)
            took.append(shown.until(partial(has_depth, shown, number + 1)))
            threading.Event().wait(0.3 + 0.01 * (number % 7))
        p95 = statistics.quantiles(took, n=20)[-1]
        assert p95 <= 0.25, sorted(took)


@pytest.mark.long
async def test_an_arrival_is_seen_when_the_observer_was_killed(root: Path) -> None:
    control = make_site(root)
    inject(control, "in")
    async with opened(control) as (app, pilot):
        await until(pilot, lambda: app.board and app.board.site.watching == "events")
        for thread in threading.enumerate():
            if type(thread).__module__.startswith("watchdog"):
                thread.stop()  # type: ignore[attr-defined] # an observer or emitter
        begun = time.monotonic()
        arrive(root / "queues" / "out", 1)
        await until(pilot, lambda: line_of(app, "out").split()[1] == "1")
        assert time.monotonic() - begun <= 2.5
