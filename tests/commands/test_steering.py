"""The commands that act on runners, and ``qtool log``."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from qtool.commands.moments import duration, moment, past
from tests.commands.program import MESSAGE, QTOOL, Ended, configuration, running
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.commands.conftest import Call
    from tests.commands.program import Running

FORWARD = """\
[runner.in]
class: qtool.runners.forward.ForwardRunner
to: out
instances: 2
[runner.late]
class: qtool.runners.forward.ForwardRunner
to: out
[runner.out]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return configuration(tmp_path, FORWARD)


@pytest.fixture
def daemon(site: Path) -> Iterator[Running]:
    with running(site) as process:
        process.read_to("started in, late")
        yield process


def test_the_daemon_starts_stops_restarts_and_retimes_its_runners(
    call: Call, site: Path, daemon: Running
) -> None:
    for words, told in (
        (["stop", "in:1:2"], "in, slice 1:2, stopped\n"),
        (["restart", "in"], "in: 1 of 2 slices restarted\n"),
        (["start", "InRunner:1:2"], "in, slice 1:2, started\n"),
        (["restart", "All"], "in: all 2 slices restarted\nlate restarted\n"),
        (["snooze", "in", "1m30s"], "in snoozes 90 s, before: 1 s\n"),
        (["pause", "late", "--for", "1h"], "late paused\n"),
        (["resume", "late"], "late resumed\n"),
    ):
        assert call("--config", site, *words) == Ended(0, told, "")
    ended = call("--config", site, "stop", "All", "--json")
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"runner": "in", "slice": None, "told": "in: all 2 slices stopped"},
        {"runner": "late", "slice": None, "told": "late stopped"},
    ]
    ended = call("--config", site, "log", "--json", "-n", "1", "STOP late")
    assert json.loads(ended.out)["text"].endswith("stop late")
    assert call("--config", site, "log", "--level", "error") == Ended(0, "", "")
    assert call("--config", site, "log", "-n", "0") == Ended(0, "", "")
    ended = call("--config", site, "snooze", "in:0:2", "3")
    assert ended.told == ["qtool: all slices of in have one sleep time: name no slice"]
    assert ended.status == 1


def test_what_is_done_in_part_is_said(call: Call, site: Path, daemon: Running) -> None:
    assert call("--config", site, "stop", "late").status == 0
    ended = call("--config", site, "restart", "All")
    assert (ended.status, ended.out) == (3, "in: all 2 slices restarted\n")
    assert ended.told == ["qtool: late is not running"]
    assert call("--config", site, "restart", "late") == Ended(
        1, "", "qtool: late is not running\n"
    )  # fmt: skip


def test_the_log_is_followed(call: Call, site: Path, daemon: Running) -> None:
    call("--config", site, "stop", "late")
    with subprocess.Popen(
        [QTOOL, "--config", site, "log", "-f", "-n", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as log:  # fmt: skip
        assert log.stdout is not None
        assert log.stdout.readline().endswith("stop late\n")
        call("--config", site, "start", "late")
        assert log.stdout.readline().endswith("start late\n")
        log.send_signal(signal.SIGINT)
        assert log.communicate(timeout=60) == ("", "")
        assert log.returncode == 130


def test_without_a_daemon_it_is_said_how_to_start_one(call: Call, site: Path) -> None:
    for words in (["start", "in"], ["stop", "in"], ["restart", "in"], ["log"],
                  ["snooze", "in", "3"]):  # fmt: skip
        ended = call("--config", site, *words)
        assert (ended.status, ended.out, len(ended.told)) == (1, "", 1)
        assert ended.err.startswith("qtool: no daemon runs this site")
        assert f"qtool --config {site} run starts one" in ended.err
    with running(site, "-r", "late") as part:
        part.read_to("late started")
        ended = call("--config", site, "stop", "late")
        assert f"; claimed by pid {part.process.pid} on " in ended.err


def test_a_pause_is_on_record_without_a_daemon(call: Call, site: Path) -> None:
    words = ("pause", "in:0:2", "--why", "a \x1b[31mred relay", "--until", "2999-01-01")
    assert call("--config", site, *words).out == "in, slice 0:2, paused\n"
    shown = call("--config", site, "status").out
    assert "slice 0:2 paused: a \\x1b[31mred relay; by " in shown
    assert "until 2999-01-01" in shown
    assert call("--config", site, "--read-only", "resume", "in").status == 1
    assert call("--config", site, "resume", "in").out == "in: all 2 slices resumed\n"
    assert "paused" not in call("--config", site, "status").out
    ended = call("--config", site, "pause", "in", "--until", "2001-01-01")
    assert ended.told == ["qtool: a pause ends at a time that lies ahead"]


@pytest.mark.parametrize(
    "words",
    [
        ["pause", "in", "--for", "soon"],
        ["pause", "in", "--until", "24:00"],
        ["pause", "in", "--until", "never"],
        ["pause", "in", "--for", "1h", "--until", "18:30"],
        ["snooze", "in"],
        ["snooze", "in", "-1"],
        ["log", "--level", "loud"],
        ["stop", "in", "--all", "."],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    words: list[str], call: Call, site: Path
) -> None:
    ended = call("--config", site, *words)
    assert (ended.status, ended.out, len(ended.told)) == (2, "", 1)


def test_no_such_runner_is_named(call: Call, site: Path) -> None:
    for runner, reason in (
        ("on", "there is no runner 'on', only in, late, out"),
        ("in:3:4", "in:3:4: the queue is divided into 2"),
        ("shunt", "shunt has no runner: messages wait there for a person"),
        ("out", "the runner out has no class: set class in [runner.out]"),
    ):
        ended = call("--config", site, "pause", runner)
        assert ended == Ended(1, "", f"qtool: {reason}\n")


def test_times_are_read() -> None:
    now = datetime.fromisoformat("2026-11-21T20:00:00+01:00")
    assert moment("20:01", now) == now.timestamp() + 60
    assert moment("20:00", now) == now.timestamp() + 86400
    assert moment("2026-11-21T20:30+01:00") == now.timestamp() + 1800
    assert past("20:00", now) == now.timestamp()
    assert past("20:01", now) == now.timestamp() + 60 - 86400
    assert past("2d", now) == now.timestamp() - 2 * 86400
    assert duration("1h30m") == 5400


# --- Steps


def test_a_step_shows_what_it_did(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", "-m", "x=1", stdin=MESSAGE)
    ended = call("--config", site, "step", "in")
    assert ended.status == 0
    assert ended.out.startswith("done: ")
    assert "\n  out  " in ended.out
    assert "\n  x        : 1\n" in ended.out
    ended = call("--config", site, "step", "in")
    assert (ended.status, ended.err) == (3, "")
    assert ended.out.startswith("nothing: no file\n")


def test_a_step_of_a_chosen_file_as_json(call: Call, site: Path) -> None:
    paths = [
        call("--config", site, "inject", "late", stdin=MESSAGE).out.split()[-1]
        for _ in range(2)
    ]
    filebase = paths[1].rpartition("/")[2].removesuffix(".pck")
    ended = call("--config", site, "step", "late", paths[1], "--json")
    report = json.loads(ended.out)
    assert (report["filebase"], report["outcome"]) == (filebase, "done")
    assert [new["queue"] for new in report["enqueued"]] == ["out"]
    assert call("--config", site, "step", "late", filebase).status == 3
    for words, reason in (
        (["All"], "one runner is stepped at a time: name it"),
        (["late", "nix"], "nix is too short: 8 characters of a name, or more"),
        (["late", "/"], "/ is too short: 8 characters of a name, or more"),
        (["late", ""], " is too short: 8 characters of a name, or more"),
        (["late", "99999999"], "late: no entry's name begins with 99999999"),
    ):
        ended = call("--config", site, "step", *words)
        assert ended == Ended(1, "", f"qtool: {reason}\n")


def test_a_step_takes_the_beginning_of_a_name(call: Call, site: Path) -> None:
    [first, second] = [
        call("--config", site, "inject", "late", stdin=MESSAGE).out.split()[1]
        for _ in range(2)
    ]
    ended = call("--config", site, "step", "late", second[:-20])
    assert ended.out.startswith(f"done: {second}\n")
    ended = call("--config", site, "step", "late", f"{first[:25]}.pck")
    assert ended.out.startswith(f"done: {first}\n")


def test_a_step_that_shunts_is_a_failure(call: Call, tmp_path: Path) -> None:
    text = "[runner.in]\nclass: runners_of_the_test.Wait\n"  # it needs a gate
    site = configuration(tmp_path, text)
    call("--config", site, "inject", "in", stdin=MESSAGE)
    ended = call("--config", site, "step", "in")
    assert ended.status == 1
    assert ended.out.startswith("shunted: ")
    assert "KeyError: 'gate'" in ended.out


def test_mailman_s_own_runner_is_stepped_after_a_question(
    call: Call, tmp_path: Path
) -> None:
    double = MailmanDouble(tmp_path / "site")
    double.plan("deliver")
    config = ("--config", double.directory / "mailman.cfg", "--mailman-bin",
              double.directory / "bin")  # fmt: skip
    call(*config, "inject", "in", stdin=MESSAGE)
    ended = call(*config, "step", "in")
    assert (ended.status, ended.out, len(ended.told)) == (1, "", 1)
    assert "qtool: Step Mailman's own runner through one file" in ended.err
    assert ended.err.endswith("(standard input is no terminal: --yes)\n")
    ended = call(*config, "step", "in:0:4", "--yes")
    assert ended.told == ["qtool: in is Mailman's: name the file instead of a slice"]
    ended = call(*config, "step", "in", "--yes")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("done: ")
    for words in (["start", "in"], ["stop", "in"], ["pause", "in"]):
        ended = call(*config, *words)
        assert (ended.status, ended.out, len(ended.told)) == (1, "", 1)
        assert "Mailman runs these itself" in ended.err
