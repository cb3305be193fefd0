"""``qtool top``: snapshots in a pipe, and a board in place on a terminal."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.commands import top
from qtool.commands.top import lines_of, screen_of
from qtool.control.models import (
    Board,
    QueueRow,
    Severity,
    Site,
    State,
    Verdict,
    VerdictKind,
)
from qtool.render.tables import plain, width_of
from tests.commands.program import MESSAGE, QTOOL, configuration, running
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


LENGTHY = replace(
    STALLED, evidence="9 wait, and nobody knows why they do, nor for how long"
)


def board(*rows: QueueRow) -> Board:
    return Board(at=AT, rows=rows, site=SITE)


def test_a_row_has_rates_waits_and_the_verdict_with_its_evidence_below() -> None:
    assert plain(lines_of(board(ROW)))[4:] == [
        "QUEUE  DEPTH  FLIGHT  OLDEST    IN  OUT  P95  VERDICT",
        "in         9       1      2h  12/s    …   1h  stalled for 5m",
        "    9 wait\\x1b[31m",
        "    foreign files: 2 names",
    ]


def test_on_a_screen_the_evidence_goes_on_in_the_next_line() -> None:
    row = replace(ROW, verdicts=(LENGTHY, FOREIGN))
    assert plain(screen_of(board(row), 36, 24))[4:] == [
        "QUEUE  DEPTH  FLIGHT  OLDEST    IN …",
        "in         9       1      2h  12/s …",
        "    stalled for 5m: 9 wait, and",
        "      nobody knows why they do, nor",
        "      for how long",
        "    foreign files: 2 names",
    ]


def test_of_what_has_no_room_rows_come_first_then_what_is_grave() -> None:
    odd = replace(ROW, name="odd", verdicts=(replace(FOREIGN, evidence="世" * 60),))
    lengthy = replace(ROW, verdicts=(LENGTHY,))
    seen = plain(screen_of(board(odd, lengthy), 60, 10))
    begun = [line.split()[0] for line in seen[5:]]
    assert begun == ["odd", "世" * 27 + "…", "in", "9", "and"]
    assert seen[-2:] == ["    9 wait, and nobody knows why they do, nor for how long",
                         "and 2 more lines"]  # fmt: skip
    seen = plain(screen_of(board(odd, lengthy), 40, 9))
    assert [line.split()[0] for line in seen[5:]] == ["odd", "in", "stalled", "and"]
    assert seen[-2].endswith("…")


@settings(max_examples=60)
@given(
    st.lists(st.text(max_size=200), max_size=4),
    st.integers(20, 90), st.integers(2, 30),
)  # fmt: skip
def test_no_screen_is_too_small_and_none_loses_what_it_has_room_for(
    texts: list[str], columns: int, rows: int
) -> None:
    found = tuple(replace(FOREIGN, evidence=text) for text in texts)
    whole = plain(screen_of(board(replace(ROW, verdicts=found)), columns, 1000))
    seen = plain(screen_of(board(replace(ROW, verdicts=found)), columns, rows))
    assert all(width_of(line) <= columns for line in whole + seen)
    assert len(seen) == min(rows, len(whole))
    if len(whole) > rows:
        assert seen.pop().startswith(f"and {len(whole) - rows + 1} more line")
        assert sum(line in whole for line in seen) >= len(seen) - len(texts)


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


@pytest.mark.long
def test_on_a_terminal_nothing_is_lost_at_its_edge(call: Call, tmp_path: Path) -> None:
    name = "x" * 21
    gone = "gone_" * 30
    site = configuration(tmp_path, f"[runner.{name}]\nclass: {gone}.Gone\n")
    call("--config", site, "inject", name, stdin=MESSAGE)
    command = [str(QTOOL), "--config", str(site), "top"]
    with Terminal(command, rows=24, columns=80) as terminal:
        terminal.wait_for_text("cannot be imported")
        joined = "".join(line.strip() for line in terminal.lines)
        assert gone in joined
        assert "x" * 19 + "…" in joined  # of the queue's name
        terminal.resize(10, 80)
        terminal.wait_for_text("more lines")
        (told,) = (line for line in terminal.lines if "class: gone_" in line)
        assert len(told) == 80
        assert told.endswith("…")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
