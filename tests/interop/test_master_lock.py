"""A runner of ours in one of Mailman's queues, and Mailman: never both at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.interop.site import Site, wait_until
from tests.interop.test_mailman import PLAIN, SLEEPING, inject, post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.interop.sink import Sink

pytestmark = pytest.mark.interop

ANSWER = "GNU Mailman is already running"
RUNNERS = '''
import pathlib, threading
from qtool import Runner


class Busy(Runner):
    """Takes a message, and never comes to its end unless it is allowed to."""

    def _dispose(self, mlist, msg, msgdata):
        assert mlist.list_id == "ant.example.com"
        while not pathlib.Path(__file__).with_name("free").exists():
            threading.Event().wait(0.02)
        return False
'''


@pytest.fixture
def site(make_site: Callable[[str], Site]) -> Site:
    """A site, and beside its mailman.cfg one in which ``in`` has a runner of ours."""
    made = make_site(SLEEPING)
    (made.directory / "mine.py").write_text(RUNNERS)
    text = made.configuration.read_text()
    assert text.endswith("[runner.in]\nsleep_time: 1h\n")
    ours(made).write_text(f"{text}class: mine.Busy\n[paths]\npython: .\n")
    return made


def ours(site: Site) -> Path:
    return site.directory / "ours.cfg"


def command(site: Site, *words: str) -> list[str]:
    return [sys.executable, "-m", "qtool", words[0], "--config", str(ours(site)),
            "--mailman-bin", str(site.programs), *words[1:]]  # fmt: skip


def lines(site: Site, *words: str) -> tuple[int, list[str]]:
    """Run a qtool to its end; return its status and what it says."""
    done = subprocess.run(
        command(site, *words), stdin=subprocess.DEVNULL, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).decode().splitlines()


@contextlib.contextmanager
def running(site: Site, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A ``qtool run`` that has a message in hand."""
    inject(site, post("<one@example.com>", PLAIN, "us-ascii"))
    log = (site.directory / "log").open("wb")
    with log, subprocess.Popen(command(site, "run", *options), stderr=log) as process:
        try:
            wait_until(lambda: list(site.queue("in").glob("*.bak")), 30)
            yield process
        finally:
            process.kill()


def locks(site: Site) -> list[str]:
    return sorted(p.name for p in (site.var / "locks").glob("master.lck*"))


@pytest.mark.parametrize("words", [("start",), ("start", "--force")])
def test_mailman_does_not_start_while_ours_runs(site: Site, words: list[str]) -> None:
    with running(site) as process:
        assert ANSWER in site.refusal(*words)
        (site.directory / "free").touch()
        wait_until(lambda: not list(site.queue("in").iterdir()), 30)
        assert ANSWER in site.refusal(*words)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert locks(site) == []
    site.start()
    assert site.master_pid() is not None


def test_mailman_starts_at_once_when_ours_was_killed(site: Site, sink: Sink) -> None:
    with running(site) as process:
        process.kill()
        process.wait()
        site.mailman("start")  # not --force
    (delivered,) = sink.wait_for("<one@example.com>", 60)
    assert delivered.body == PLAIN
    site.stop()
    assert sink.received("<one@example.com>") == [delivered]


def test_mailman_starts_when_the_holder_was_killed_too_and_the_site_was_looked_at(
    site: Site,
) -> None:
    with running(site) as process:
        (claim,) = [name for name in locks(site) if "|" in name]
        process.kill()
        os.kill(int(claim.split("|")[2]), signal.SIGKILL)
        process.wait()
    assert claim in locks(site)
    status, said = lines(site, "status")  # as a unit's ExecStopPost= does
    assert status == 0
    assert any("master lock is given back" in line for line in said)
    assert locks(site) == []
    site.start()


def test_what_a_child_of_a_killed_qtool_has_in_hand_is_waited_for(site: Site) -> None:
    with running(site, "--processes") as process:
        process.kill()
        process.wait()
        assert ANSWER in site.refusal("start")
        (site.directory / "free").touch()
        wait_until(lambda: locks(site) == [], 10)
        site.start()
    assert list(site.queue("in").iterdir()) == []


def test_ours_does_not_start_while_mailman_runs(site: Site) -> None:
    site.start()
    pid = site.master_pid()
    host = socket.getfqdn()
    before = locks(site)
    inject(site, post("<one@example.com>", PLAIN, "us-ascii"))
    for words in (("run",), ("run", "-r", "in")):
        status, said = lines(site, *words)
        assert status == 1
        held = f"Mailman's master lock is held by pid {pid} on {host} ("
        assert len([line for line in said if held in line]) == 1, said
        assert said[-1].endswith(": stop Mailman first")
    assert (locks(site), site.master_pid()) == (before, pid)
    assert len(site.waiting("in")) == 1
    assert not list(site.queue("in").glob("*.bak"))


def test_what_a_killed_mailman_left_is_for_mailman_to_clear_away(site: Site) -> None:
    site.mailman("info")
    with subprocess.Popen(["true"]) as dead:
        pass
    lock = site.var / "locks" / "master.lck"
    lock.write_text(f"{lock}|{socket.getfqdn()}|{dead.pid}|4711")
    assert "did not exit cleanly (stale_lock)" in site.refusal("start")
    status, said = lines(site, "run")
    assert status == 1
    assert f"did not exit cleanly: pid {dead.pid} on" in said[-1]
    assert "`mailman start --force`" in said[-1]
    assert locks(site) == ["master.lck"]


def test_two_qtools_work_under_one_lock(site: Site) -> None:
    with ours(site).open("a") as more:
        more.write("[runner.digest]\nclass: mine.Busy\nstart: no\n")
    with running(site):
        before = locks(site)
        (base,) = site.queue("in").glob("*.bak")
        shutil.copy(base, site.queue("digest") / base.with_suffix(".pck").name)
        (site.directory / "free").touch()
        status, said = lines(site, "run", "--once", "-r", "digest")
        assert (status, said[0]) == (
            0,
            "done 1, kept 0, shunted 0, preserved 0, left 0",
        )
        assert locks(site) == before
        assert ANSWER in site.refusal("start")
