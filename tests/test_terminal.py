"""The program itself, in a real terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

QTOOL = Path(sys.executable).with_name("qtool")
QUEUES = ("in", "out", "shunt", "bad")
MESSAGE = b"From: anne@example.com\nTo: ant@example.com\nSubject: hello\n\nA test.\n"


def run(
    *arguments: str | Path, given: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end, without a terminal."""
    return subprocess.run(
        [QTOOL, *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The configuration of a site whose queue ``in`` forwards to ``out``."""
    configuration = tmp_path / "qtool.cfg"
    configuration.write_text(
        "[qtool]\nroot: queues\n"
        "[runner.in]\nclass: qtool.runners.forward.ForwardRunner\nto: out\n"
        "[runner.out]\n"
    )
    for queue in ("in", "out"):
        (tmp_path / "queues" / queue).mkdir(parents=True)
    return configuration


def inject(site: Path, queue: str = "in", *more: str) -> Path:
    """Put a message into a queue; return its file."""
    done = run("--config", site, "inject", queue, *more, given=MESSAGE)
    path = re.search(r"path +: (.+)", done.stdout.decode())
    assert path is not None, done.stderr
    return Path(path[1])


@contextmanager
def console(*arguments: str | Path) -> Iterator[Terminal]:
    """The full-screen app, on whose screen a board stands."""
    command = [str(QTOOL), *map(str, arguments)]
    with Terminal(command, rows=30, columns=120) as terminal:
        terminal.wait_for(lambda: "slices" in terminal.text and depths(terminal))
        yield terminal


def depths(terminal: Terminal) -> dict[str, int]:
    """The board's depths by queue, as they stand on the screen."""
    rows = (re.match(r"[▌ ](\S+) +(\d+) ", line) for line in terminal.lines)
    return {row[1]: int(row[2]) for row in rows if row}


def listing(directory: Path) -> list[tuple[str, int, int, int]]:
    """Every file and folder below, with its size and times of change."""
    found = [(path, path.lstat()) for path in (directory, *directory.rglob("*"))]
    return sorted(
        (str(path), s.st_size, s.st_mtime_ns, s.st_ctime_ns) for path, s in found
    )


@pytest.mark.long
def test_the_demo_counts_and_leaves_nothing_behind() -> None:
    with console("demo") as terminal:
        first = depths(terminal)
        terminal.wait_for(lambda: depths(terminal) != first)
        terminal.press("?")
        terminal.wait_for_text("Step it through the next file")
        terminal.press("\x1b")
        terminal.wait_for(lambda: "Step it through the next" not in terminal.text)
        terminal.press("qq")
        assert terminal.wait_for_end() == 0
        assert not terminal.on_alternate_screen
        assert terminal.is_as_before
        spool = re.search(r"spool (/.+?) was removed", terminal.plain)
        assert spool is not None
        assert not Path(spool[1]).exists()


def test_the_board_follows_another_process_and_the_size_of_the_terminal(
    site: Path, tmp_path: Path
) -> None:
    with console("--config", site) as terminal:
        ready = inject(site, "out")
        terminal.wait_for(lambda: depths(terminal).get("out") == 1)
        arriving = tmp_path / "queues" / "in" / ready.name
        ready.rename(arriving)
        moved = {"in": 1, "out": 0}
        terminal.wait_for(lambda: moved.items() <= depths(terminal).items())
        terminal.resize(24, 80)
        terminal.wait_for(lambda: depths(terminal).keys() == set(QUEUES))
        terminal.wait_for(lambda: "q Quit" in terminal.lines[23])


@pytest.mark.long
def test_nothing_is_processed_before_a_key_starts_it(site: Path) -> None:
    inject(site)
    with console("--config", site) as terminal:
        terminal.wait_for_text("■ stopped s")
        assert depths(terminal)["in"] == 1
        terminal.press("s")
        terminal.wait_for(lambda: depths(terminal).get("out") == 1)
        assert depths(terminal)["in"] == 0
        terminal.wait_for_text("running")
        terminal.press("p")
        terminal.wait_for_text("paused")
        terminal.press("q")
        assert terminal.wait_for_end() == 0


@pytest.mark.long
def test_a_step_shows_what_it_did(site: Path) -> None:
    inject(site, "in", "-m", "foo=yes")
    with console("--config", site) as terminal:
        terminal.press("t")
        terminal.wait_for_text("enqueued")
        terminal.wait_for_text("foo")
        terminal.press("\x1b")
        terminal.wait_for(lambda: depths(terminal).get("out") == 1)


def test_dump_in_latin_1_does_not_crash(site: Path) -> None:
    path = inject(site, "in", "-m", "subject=Grüße — 日本")
    done = run("dump", path, env={"PYTHONIOENCODING": "latin-1", "LC_ALL": "C"})
    assert done.returncode == 0
    assert "Grüße".encode("latin-1") in done.stdout
    assert b"\\u65e5" in done.stdout


def test_dump_into_a_closed_pipe_is_silent(site: Path) -> None:
    path = inject(site)
    done = subprocess.run(
        f"'{QTOOL}' dump '{path}' '{path}' | true",
        shell=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""


@pytest.mark.long
def test_looking_for_two_minutes_writes_nothing(site: Path) -> None:
    path = inject(site)
    before = listing(site.parent)
    with console("--config", site) as terminal:
        assert run("--config", site, "status").returncode == 0
        assert run("--config", site, "status", "--json").returncode == 0
        assert run("dump", "-m", path).returncode == 0
        terminal.press("\r")
        terminal.wait_for_text(path.name[:17])
        terminal.press("\x1b")
        terminal.wait_for_text("slices")
        for keys in ("j", "\r", "\x1b", "l", "l", "?") * 4:
            terminal.press(keys)
            end = time.monotonic() + 5
            while time.monotonic() < end:
                terminal.take(0.5)
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert listing(site.parent) == before
