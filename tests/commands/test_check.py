"""``qtool check``: what monitoring plugins promise."""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.commands import check
from qtool.commands.check import _label
from qtool.commands.limits import limit
from tests.commands.program import FORWARD, MESSAGE, QTOOL, configuration, running

if TYPE_CHECKING:
    from tests.commands.conftest import Call

PERFORMANCE = re.compile(
    r"(?:'(?:[^'=]|'')+'|[\w.-]+)=-?[0-9.]+(?:s|B|%|c)?(?:;[^; ]*){0,4}"
)


def first_line(out: str) -> tuple[str, str, dict[str, str]]:
    """The status, the text and the performance data, by their labels."""
    line = out.splitlines()[0]
    match = re.fullmatch(r"QTOOL (\w+) - ([^|]*) \| ?(.*)", line)
    assert match, line
    words = match[3].split(" ")
    assert all(PERFORMANCE.fullmatch(word) for word in words), words
    return match[1], match[2], dict(word.split("=", 1) for word in words)


def test_a_site_where_nothing_waits_is_ok(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    call("--config", site, "run", "--once")
    ended = call("--config", site, "check", "in")
    assert (ended.status, ended.out.count("\n")) == (0, 1)
    status, text, figures = first_line(ended.out)
    assert (status, text) == ("OK", "1 queue, 0 messages wait")
    assert figures == {"in_depth": "0;;;0", "in_oldest": "0s;;;0"}


@pytest.mark.parametrize("words", [[], ["--json"], ["nowhere"], ["--odd"]])
def test_what_nobody_could_read_is_unknown(site: Path, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [QTOOL, "--config", site, "check", *words], stdout=full,
            stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 3
    assert ended.stderr == b"qtool: standard output: No space left on device\n"


def test_without_thresholds_the_verdicts_decide(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    ended = call("check", "--config", site)
    assert ended.status == 1
    status, text, _ = first_line(ended.out)
    assert status == "WARNING"
    assert text.startswith("in: no runner: 1 message waits and no runner is at work")
    assert ended.out.splitlines()[1] == f"WARNING {text}"
    with running(site) as run:
        run.read_to("started")
        assert call("check", "--config", site, "in").status == 0


def test_what_has_waited_long_without_a_runner_is_critical(
    call: Call, site: Path, tmp_path: Path
) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    (entry,) = (tmp_path / "spool" / "in").glob("*.pck")
    entry.rename(entry.with_name(f"1700000000.5{entry.name[entry.name.index('+') :]}"))
    assert call("check", "--config", site).status == 2


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--warn", "depth=3"], 0, []),
        (["--warn", "2"], 1, ["WARNING in: depth is 3, beyond 2"]),
        (["-w", "1", "-c", "2"], 2, ["CRITICAL in: depth is 3, beyond 2"]),
        (["-c", "depth=@0:5"], 2, ["CRITICAL in: depth is 3, beyond @5"]),
        (["-c", "oldest=1h", "-w", "flight=1:"], 1,
         ["WARNING in: flight is 0, beyond 1:"]),
        (["-w", "1d"], 0, []),
    ],
)  # fmt: skip
def test_with_thresholds_these_decide(
    call: Call, site: Path, words: list[str], status: int, told: list[str]
) -> None:
    for _ in range(3):
        call("--config", site, "inject", "in", stdin=MESSAGE)
    ended = call("check", "in", *words, "--config", site)
    assert (ended.status, ended.out.splitlines()[1:]) == (status, told)
    first_line(ended.out)


def test_thresholds_stand_in_the_performance_data(call: Call, site: Path) -> None:
    limits = ("--warn", "10", "--warn", "oldest=15m", "--crit", "oldest=1h")
    _, _, figures = first_line(call("check", "in", *limits, "--config", site).out)
    assert figures == {"in_depth": "0;10;;0", "in_oldest": "0s;900;3600;0"}


@pytest.mark.parametrize(
    "words",
    [
        ["--bogus"],
        ["--warn", "depth=much"],
        ["--warn", "weight=3"],
        ["--warn"],
        ["nowhere"],
        ["--root", "a", "--config", "b"],
        ["--config", "no/such/file|1"],
    ],
)
def test_what_cannot_be_told_is_unknown(
    call: Call, site: Path, words: list[str]
) -> None:
    site_words = [] if "--config" in words else ["--config", site]
    ended = call("check", *site_words, *words)
    assert ended.status == 3
    assert ended.out.startswith("QTOOL UNKNOWN - ")
    assert (ended.out.count("\n"), ended.out.count("|"), ended.err) == (1, 0, "")


def test_a_queue_that_cannot_be_read_is_critical_or_unknown(
    call: Call, site: Path, tmp_path: Path
) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "in").write_text("no folder")
    assert call("check", "in", "--config", site).status == 2
    ended = call("check", "in", "-w", "3", "--config", site)
    assert ended.status == 3
    assert ended.out.startswith("QTOOL UNKNOWN - in: unreadable: ")


def test_json_has_a_line_for_each_queue(call: Call, tmp_path: Path) -> None:
    site = configuration(tmp_path, FORWARD)
    call("--config", site, "inject", "in", stdin=MESSAGE)
    ended = call("check", "--json", "--config", site, "-c", "depth=0")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == 2
    assert [line["queue"] for line in lines] == ["in", "out", "shunt", "bad"]
    assert (lines[0]["status"], lines[1]["status"]) == ("CRITICAL", "OK")
    assert lines[0]["problems"] == ["depth is 1, beyond 0"]
    assert (lines[0]["depth"], lines[1]["oldest_seconds"]) == (1, 0)


@pytest.mark.parametrize(
    ("text", "shown", "right", "wrong"),
    [
        ("10", "10", [0, 10], [11]),
        ("10:", "10:", [10, 1e9], [9]),
        ("~:10", "~:10", [0, 10], [11]),
        ("10:20", "10:20", [10, 20], [9, 21]),
        ("@10:20", "@10:20", [9, 21], [10, 20]),
        ("oldest=5m:1h", "300:3600", [300], [299, 3601]),
        ("15m", "900", [900], [901]),
        ("p95=90", "90", [90], [91]),
    ],
)
def test_a_range_is_read_as_plugins_do(
    text: str, shown: str, right: list[float], wrong: list[float]
) -> None:
    found = limit(text)
    assert str(found) == shown
    assert not any(map(found.is_broken_by, right))
    assert all(map(found.is_broken_by, wrong))


@pytest.mark.parametrize("text", ["", "=", "@", "20:10", "depth=1.5", "1:2:3", "x=1"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected a threshold"):
        limit(text)


def test_a_daemon_that_does_not_answer_is_not_waited_for_long(
    call: Call, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_LONGEST_SECONDS", 0.5)
    with running(site) as run:
        run.read_to("started")
        run.process.send_signal(signal.SIGSTOP)
        ended = call("--config", site, "check")
        run.process.send_signal(signal.SIGCONT)
    assert (ended.status, ended.out) == (3, "QTOOL UNKNOWN - no answer for 0.5 s\n")
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_an_odd_name_is_quoted_in_the_performance_data() -> None:
    assert _label("in_depth") == "in_depth"
    assert _label("my 'queue'=|") == "'my ''queue''-/'"
