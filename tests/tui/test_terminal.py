"""The binary in a real terminal: what it sends, how it leaves, how soon it shows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.terminal import Terminal
from tests.tui.site import PLAIN, inject, line_of, make_site, until
from tests.tui.test_app import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

SGR = re.compile(rb"\x1b\[([0-9;]*)m")
COLOURS = {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}


def binary() -> str:
    """The program as it was installed beside this interpreter."""
    beside = Path(sys.executable).with_name("qtool")
    return str(beside) if beside.exists() else shutil.which("qtool") or "qtool"


def line(shown: Terminal, name: str) -> str:
    """The board's line of that queue."""
    return next((ln for ln in shown.lines if ln[1:].startswith(f"{name} ")), "")


def has_depth(shown: Terminal, name: str, depth: int) -> bool:
    """Whether the board says that a queue is so deep."""
    return line(shown, name).split()[1:2] == [str(depth)]


def is_running(shown: Terminal) -> bool:
    """Whether the board says that ``in`` runs."""
    return "running" in line(shown, "in")


@contextmanager
def terminal(root: Path, *arguments: str, **variables: str) -> Iterator[Terminal]:
    """The app over a small site, its board on the screen."""
    make_site(root).close()
    command = [binary(), "--config", f"{root}/qtool.cfg", *arguments]
    with Terminal(command, rows=30, columns=100, env=variables) as shown:
        shown.wait_for(lambda: line(shown, "in"))
        yield shown


def test_the_board_comes_and_q_leaves_the_terminal_as_it_was(root: Path) -> None:
    with terminal(root) as shown:
        assert "looking" not in shown.plain  # the first picture is the board
        assert "stopped" in line(shown, "in")
        assert shown.on_alternate_screen
        shown.press("q")
        assert shown.wait_for_end() == 0
        assert shown.is_as_before
        assert not shown.on_alternate_screen


@pytest.mark.long
def test_a_theme_of_the_user_s_is_taken(root: Path) -> None:
    with terminal(root, TEXTUAL_THEME="dracula", COLORTERM="truecolor") as shown:
        assert b"40;42;54" in shown.raw  # its background


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]
)
def test_signals_leave_the_terminal_as_it_was(root: Path, number: int) -> None:
    with terminal(root, "--start") as shown:
        shown.wait_for(partial(is_running, shown))
        shown.process.send_signal(number)
        assert shown.wait_for_end() == 128 + number
        assert shown.is_as_before
        assert not shown.on_alternate_screen
        assert b"\x1b[?1000l" in shown.raw
        assert "Stopped with this window: in, mark." in shown.plain


@pytest.mark.long
def test_a_window_that_is_closed_leaves_no_process_behind(root: Path) -> None:
    for _ in range(10):
        with terminal(root, "--start") as shown:
            shown.wait_for(partial(is_running, shown))
            os.close(shown.master)
            shown.master = os.open(os.devnull, os.O_RDWR)
            assert shown.process.wait(60) == 128 + signal.SIGHUP


@pytest.mark.long
def test_without_colour_not_one_colour_is_sent(root: Path) -> None:
    with terminal(root, NO_COLOR="1") as shown:
        shown.press("q")
        shown.wait_for_end()
        found = b";".join(SGR.findall(bytes(shown.raw))).split(b";")
        asked = {int(number) for number in found if number}
        assert asked & COLOURS == set()
        assert 7 in asked


@pytest.mark.long
def test_a_terminal_without_unicode_gets_ascii_alone(root: Path) -> None:
    with terminal(root, PYTHONIOENCODING="ascii", PYTHONUTF8="0") as shown:
        shown.press("l?")
        shown.wait_for_text("Keys")
        shown.press("q")
        shown.wait_for_end()
        assert shown.raw.isascii()
        assert b"\\u" not in shown.raw


def test_a_dumb_terminal_gets_one_line(root: Path) -> None:
    make_site(root).close()
    command = [binary(), "--config", f"{root}/qtool.cfg"]
    with Terminal(command, env={"TERM": "dumb"}) as shown:
        assert shown.wait_for_end() == 1
        assert b"\x1b" not in shown.raw
        assert shown.raw.count(b"\n") == 1
        assert b"qtool status" in shown.raw


@pytest.mark.long
def test_hostile_names_never_reach_the_terminal(root: Path) -> None:
    for name in ("in", "\x1b]0;x\x07", "[red]x[red]", "a\u202eb"):
        (root / name).mkdir()
    with Terminal([binary(), "--root", str(root)]) as shown:
        shown.wait_for(lambda: line(shown, "[red]x[red]"))
        assert b"\x1b]0;x" not in shown.raw
        assert "\u202e".encode() not in shown.raw


def arrive(folder: Path, number: int) -> None:
    """Rename a file into a queue, as another process would."""
    name = f"{1_700_000_000 + number}.5+{number:040x}.pck"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tmp").write_bytes(PLAIN)
    (folder / f"{name}.tmp").rename(folder / name)


@pytest.mark.long
def test_an_arrival_is_on_the_terminal_within_a_quarter_of_a_second(
    root: Path,
) -> None:
    with terminal(root) as shown:
        shown.wait_for_text("● events")
        took = []
        for number in range(50):
            begun = time.monotonic()
            arrive(root / "queues" / "out", number)
            seen = partial(has_depth, shown, "out", number + 1)
            took.append(shown.wait_for(seen) - begun)
            threading.Event().wait(0.3 + 0.01 * (number % 7))
        # Other programs share the machine: it is the usual arrival that counts.
        assert statistics.median(took) <= 0.25, sorted(took)


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
        assert time.monotonic() - begun <= 5  # a poll is 2 s
