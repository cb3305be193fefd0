"""``qtool top``: snapshots in a pipe, and a board in place on a terminal."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from qtool.commands import top
from qtool.commands.top import lines_of
from qtool.control.models import (
    Board,
    QueueRow,
    Severity,
    Site,
    State,
    Verdict,
    VerdictKind,
)
from tests.commands.program import MESSAGE, QTOOL, running
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.commands.conftest import Call

AT = 1_700_000_000.0
SITE = Site(spool="/spool", source="x.cfg", kind="own", read_only="", watching="")
STALLED = Verdict(
    kind=VerdictKind.STALLED, severity=Severity.CRITICAL, words="stalled for 5m",
    evidence="9 wait\x1b[31m",
)  # fmt: skip
FOREIGN = Verdict(
    kind=VerdictKind.FOREIGN, severity=Severity.WARNING, words="foreign files",
    evidence="2 names",
)  # fmt: skip
ROW = QueueRow(
    name="in", has_queue=True, runner="in", runner_slices=1, depth=9, in_flight=1,
    oldest=AT - 7200, when_p95=AT - 3600, rate_in=12.0, rate_out=None,
    state=State.RUNNING, verdicts=(STALLED, FOREIGN),
)  # fmt: skip


def shown(row: QueueRow, width: int | None = None) -> list[str]:
    lines = lines_of(Board(at=AT, rows=(row,), site=SITE), width=width)
    return ["".join(text for _, text in line).rstrip() for line in lines][4:]


def test_a_row_has_rates_waits_and_the_verdict_with_its_evidence_below() -> None:
    assert shown(ROW) == [
        "QUEUE  DEPTH  FLIGHT  OLDEST    IN  OUT  P95  VERDICT",
        "in         9       1      2h  12/s    …   1h  stalled for 5m",
        "    9 wait\\x1b[31m",
        "    foreign files: 2 names",
    ]


def test_on_a_narrow_terminal_each_line_is_cut_with_a_sign() -> None:
    lines = shown(ROW, 24)
    assert max(map(len, lines)) == 24
    assert lines[-1] == "    foreign files: 2 na…"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots without a wait."""
    monkeypatch.setattr(top, "APART_SECONDS", 0.05)
    monkeypatch.setattr(top, "FIRST_SECONDS", 0.05)


@pytest.mark.usefixtures("quick")
def test_in_a_pipe_there_are_snapshots(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    once = call("--config", site, "top", "--once")
    assert once.status == 0
    assert once.out.count("QUEUE") == 1
    assert any(line.split()[:2] == ["in", "1"] for line in once.out.splitlines())
    assert "\x1b" not in once.out
    assert call("--config", site, "top", "-n", "3").out.count("QUEUE") == 3


@pytest.mark.usefixtures("quick")
def test_json_is_a_board_a_line(call: Call, site: Path) -> None:
    out = call("--config", site, "top", "--json", "-n", "2").out
    boards = [json.loads(line) for line in out.splitlines()]
    assert len(boards) == 2
    row = boards[1]["rows"][0]
    assert (row["name"], row["verdicts"][0]["kind"]) == ("in", "healthy")


@pytest.mark.long
def test_it_says_what_it_waits_for(
    call: Call, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(top, "LONGEST_SECONDS", 0.1)
    with running(site) as run:
        run.read_to("started")
        run.process.send_signal(signal.SIGSTOP)
        with Terminal([str(QTOOL), "--config", str(site), "top"]) as terminal:
            terminal.wait_for_text(f"{top.WAITING}   q ends")
            terminal.press("q")
            assert terminal.wait_for_end() == 0
        once = call("--config", site, "top", "--once")
    assert (once.status, once.out) == (1, "")
    assert once.told == [
        f"qtool: {top.WAITING}", "qtool: the daemon, or the disk, does not answer"
    ]  # fmt: skip


@pytest.mark.long
def test_it_says_that_the_daemon_is_gone(call: Call, site: Path) -> None:
    with running(site) as run:
        run.read_to("started")
        with Terminal([str(QTOOL), "--config", str(site), "top"]) as terminal:
            terminal.wait_for_text("attached to pid")
            call("--config", site, "stop")
            terminal.wait_for_text("the daemon is gone: this is what it saw at ")
            with running(site) as another:
                another.read_to("started")
                terminal.wait_for_text(f"attached to pid {another.process.pid}")
                terminal.press("q")
                assert terminal.wait_for_end() == 0


@pytest.mark.parametrize("words", [["-n", "0"], ["-n", "x"], ["-n", "1", "--once"]])
def test_an_odd_number_of_snapshots_is_refused(call: Call, words: list[str]) -> None:
    assert call("top", *words).status == 2


@pytest.mark.long
@pytest.mark.parametrize(
    "end",
    [
        lambda terminal: terminal.press("q"),
        lambda terminal: terminal.press("\x03"),
        lambda terminal: terminal.process.send_signal(signal.SIGTERM),
    ],
)
def test_on_a_terminal_it_keeps_up_in_place_until_it_is_ended(
    call: Call, site: Path, end: Callable[[Terminal], None]
) -> None:
    command = [str(QTOOL), "--config", str(site), "top"]
    with Terminal(command, rows=24, columns=80) as terminal:
        terminal.wait_for_text("VERDICT")
        assert terminal.on_alternate_screen
        call("--config", site, "inject", "in", stdin=MESSAGE)
        terminal.wait_for_text("no runner")
        terminal.resize(5, 40)
        terminal.wait_for(lambda: "more lines" in terminal.text)
        assert terminal.raw.count(b"\x1b[2J") == 0  # nothing flickers
        end(terminal)
        assert terminal.wait_for_end() == 0
        assert terminal.raw.endswith(b"\x1b[?1049l")
        assert terminal.is_as_before
