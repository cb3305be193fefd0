"""``qtool status``: the board once, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.commands.status import lines_of
from qtool.control.models import (
    Board,
    Cell,
    QueueRow,
    Severity,
    Site,
    State,
    Verdict,
    VerdictKind,
)
from tests.commands.program import (
    FORWARD,
    MESSAGE,
    QTOOL,
    configuration,
    program,
    running,
)
from tests.engine.mailman_double import MailmanDouble
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.commands.conftest import Call

AT = 1_700_000_000.0
SITE = Site(spool="/spool", source="x.cfg", kind="own", read_only="", watching="")


def cell(depth: int, owner: int) -> Cell:
    return Cell(depth=depth, in_flight=0, oldest=None, owner=owner, state=State.STOPPED)


def shown(*rows: QueueRow, site: Site = SITE) -> list[str]:
    lines = lines_of(Board(at=AT, rows=rows, site=site))
    return ["".join(text for _, text in line).rstrip() for line in lines]


def test_what_is_told_below_a_row_goes_on_in_lines_of_whole_words() -> None:
    note = "2 slices of 4 wait for 3d: 14 messages wait; nobody has taken one since"
    row = QueueRow(
        name="in", has_queue=True, runner="in", runner_slices=4,
        state=State.RUNNING, verdicts=(
            Verdict(kind=VerdictKind.STALLED, severity=Severity.CRITICAL,
                    words="stalled", evidence=note),
        ),
    )  # fmt: skip
    board = Board(at=AT, rows=(row,), site=SITE)
    whole, broken = (
        ["".join(text for _, text in line) for line in lines_of(board, wrap=wrap)][4:]
        for wrap in (None, 40)
    )
    assert whole[1:] == [f"    stalled: {note}"]
    assert broken[1].startswith("    stalled: ")
    assert all(line.startswith("      ") for line in broken[2:])
    assert max(map(len, broken[1:])) <= 40
    assert " ".join(" ".join(broken[1:]).split()) == whole[1].strip()


def test_slices_go_on_below_each_other_where_there_is_no_room() -> None:
    row = QueueRow(
        name="in", has_queue=True, runner="in", runner_slices=1, depth=32_000,
        in_flight=0, oldest=AT, state=State.RUNNING,
        cells=tuple(cell(1000 + n, 0) for n in range(32)),
    )  # fmt: skip
    board = Board(at=AT, rows=(row,), site=SITE)
    texts = ["".join(text for _, text in line) for line in lines_of(board, wrap=80)]
    heading, *lines = texts[texts.index("") + 1 :]
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line != line.rstrip()]
    start = heading.index("SLICES")
    told = " ".join(line[start:] for line in lines)
    assert told == " ".join(str(1000 + n) for n in range(32))


def test_a_row_has_depth_flight_age_state_and_slices() -> None:
    row = QueueRow(
        name="in", has_queue=True, runner="in", runner_slices=2, depth=1234,
        in_flight=1, oldest=AT - 7200, state=State.RUNNING,
        cells=(cell(1000, 0), cell(0, 0), cell(234, 1)),
    )  # fmt: skip
    lmtp = QueueRow(
        name="lmtp", has_queue=False, runner="lmtp", runner_slices=0,
        state=State.FAILED, note="ValueError: \x1b[31m", foreign=2,
        verdicts=(
            Verdict(kind=VerdictKind.FAILED, severity=Severity.CRITICAL,
                    words="failed", evidence="ValueError: \x1b[31m"),
            Verdict(kind=VerdictKind.FOREIGN, words="foreign files",
                    evidence="2 names are no entry's: they are left alone"),
        ),
    )  # fmt: skip
    assert shown(row, lmtp)[3:] == [
        "QUEUE  DEPTH  FLIGHT  OLDEST  STATE      SLICES",
        "in      1234       1      2h  ► running  1000 0 | 234",
        "lmtp       -       -       -  ✗ failed   -",
        "    failed: ValueError: \\x1b[31m",
        "    foreign files: 2 names are no entry's: they are left alone",
    ]


def test_a_queue_that_honours_due_times_says_when_the_next_is_due() -> None:
    facts = {"has_queue": True, "runner": "retry", "runner_slices": 1, "depth": 1}
    row = QueueRow(name="retry", oldest=AT + 300, honours_due=True, **facts)  # type: ignore[arg-type]  # facts of a row
    assert "due in 5m" in shown(row)[4]


def test_where_only_ascii_is_carried_columns_stay_columns(site: Path) -> None:
    plain = program("--config", site, "status", env={"PYTHONIOENCODING": "latin-1"})
    assert plain.out.isascii()
    assert "# stopped" in plain.out
    rich = program("--config", site, "status").out
    assert list(map(len, plain.out.splitlines())) == list(map(len, rich.splitlines()))


def test_what_stands_in_the_header_is_not_repeated_in_every_row() -> None:
    site = replace(SITE, kind="mailman3", mailman="Mailman (pid 7)")
    row = QueueRow(
        name="in", has_queue=True, runner="in", runner_slices=1, depth=0, in_flight=0,
        state=State.MAILMAN, note="pid 7",
    )  # fmt: skip
    told = shown(row, site=site)
    assert [line for line in told if "pid 7" in line] == ["mailman Mailman (pid 7)"]
    assert told[-1].startswith("in ")


def test_the_header_says_which_spool_and_why_it_is_read_only() -> None:
    site = Site(
        spool="/spool", source="x.cfg", kind="mailman3", read_only="not yours",
        watching="", mailman="Mailman (pid 7)",
    )  # fmt: skip
    assert shown(site=site)[:4] == [
        "spool   /spool",
        "config  x.cfg",
        "mailman Mailman (pid 7)",
        "read-only: not yours",
    ]


def test_only_what_is_not_as_it_should_be_is_told_below_a_row() -> None:
    quiet = (
        Verdict(kind=VerdictKind.HEALTHY, words="flowing"),
        Verdict(kind=VerdictKind.WAITING, words="waits for a person", evidence="x"),
    )
    facts = {"has_queue": True, "runner": "in", "runner_slices": 1, "depth": 1}
    for verdict in quiet:
        row = QueueRow(name="in", verdicts=(verdict,), **facts)  # type: ignore[arg-type]  # facts of a row
        assert len(shown(row)) == 5
    full = Verdict(kind=VerdictKind.NEARLY_FULL, severity=Severity.CRITICAL,
                   words="disk nearly full", evidence="1 MB of 1 GB free")  # fmt: skip
    lines = shown(site=replace(SITE, verdict=full))
    assert lines[2] == "disk nearly full: 1 MB of 1 GB free"


def test_the_header_says_where_there_are_no_events() -> None:
    said = "polling in, out: there are no events, arrivals may wait for 2 s"
    site = replace(SITE, watching="polling in, out")
    assert shown(site=site)[2:4] == [said, ""]
    assert shown(site=replace(SITE, watching="events"))[2] == ""


def test_a_site_is_shown_without_a_runner_being_started(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    ended = call("status", "--config", site)
    assert ended.status == 0
    assert any(line.split()[:3] == ["in", "1", "0"] for line in ended.out.splitlines())
    assert "stopped" in ended.out


def test_what_waits_without_a_runner_at_work_is_named_with_what_helps(
    call: Call, tmp_path: Path
) -> None:
    sections = "[runner.work]\n[runner.odd]\nclass: x.Y\ninstances: 0\n"
    config = configuration(tmp_path, FORWARD + sections)
    for queue in ("in", "in", "work", "odd", "shunt"):
        call("--config", config, "inject", queue, stdin=MESSAGE)
    ended = call("--config", config, "status")
    assert "    no runner: 2 messages wait and no runner is at work" in ended.out
    assert ended.told == [
        "qtool: in: 2 messages wait and no runner is at work there:"
        f" qtool --config {config} run -r in",
        "qtool: work: 1 message waits and no runner is at work there:"
        " the runner work has no class: set class in [runner.work]",
        "qtool: odd: 1 message waits and no runner is at work there:"
        f" qtool --config {config} run --once -r odd",
    ]
    assert call("--config", config, "status", "--json").told == ended.told


def test_mail_in_a_folder_that_no_section_names_is_told(
    call: Call, tmp_path: Path
) -> None:
    config = configuration(tmp_path, "[runner.gone]\n")
    call("--config", config, "inject", "gone", stdin=MESSAGE)
    configuration(tmp_path, FORWARD)
    line = (
        f"qtool: gone: mail waits there, and no section of {config} names that folder"
    )
    assert call("--config", config, "status").told == [line]
    assert call("--config", config, "status", "--json").told == [line]


def test_the_slices_are_named_that_nobody_works(call: Call, tmp_path: Path) -> None:
    config = configuration(tmp_path, FORWARD.replace("to:", "weights: 1 1 2\nto:"))
    spool = tmp_path / "spool" / "in"
    while len({digit(path) // 4 for path in spool.glob("*.pck")}) < 4:
        call("--config", config, "inject", "in", stdin=MESSAGE)
    depth = sum(digit(path) < 8 for path in spool.glob("*.pck"))
    with running(config, "-r", "in:2:3") as run:
        run.read_to("started")
        told = call("--config", config, "status").told
    # The others may be in `out` by now, where nobody works either.
    assert [line for line in told if " out: " not in line] == [
        f"qtool: in: {depth} messages wait in slices 0:3, 1:3 and no runner is at work"
        f" there: qtool --config {config} run -r in:0:3 -r in:1:3"
    ]


def digit(path: Path) -> int:
    """The first digit of the digest in a name."""
    return int(path.name.partition("+")[2][0], 16)


def test_a_mailman_that_is_stopped_is_named_where_mail_waits(
    call: Call, tmp_path: Path
) -> None:
    config = MailmanDouble(tmp_path / "site").directory / "mailman.cfg"
    call("--config", config, "inject", "in", stdin=MESSAGE)
    (line,) = call("--config", config, "status").told
    assert line.endswith(f"qtool --config {config} run --once -r in")


def test_json_holds_the_whole_board(call: Call, site: Path, tmp_path: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    board = json.loads(call("--config", site, "status", "--json").out)
    row = board["rows"][0]
    assert (row["name"], row["depth"], row["state"]) == ("in", 1, "stopped")
    assert sum(part["depth"] for part in row["cells"]) == 1
    assert board["site"]["spool"] == str(tmp_path / "spool")
    assert board["site"]["source"] == str(site)


def test_an_import_error_shows_in_its_row(call: Call, tmp_path: Path) -> None:
    path = configuration(tmp_path, "[runner.in]\nclass: nothing.There\n")
    out = call("--config", path, "status").out
    assert "import error" in out
    assert "No module named 'nothing'" in out


def test_the_built_in_default_needs_nothing(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    ended = program("status", env=env, cwd=tmp_path)
    assert ended.status == 0
    names = [line.split()[0] for line in ended.out.splitlines()[4:]]
    assert names == ["in", "out", "shunt", "bad"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("no_color", [False, True])
def test_colour_is_for_terminals_that_want_it(site: Path, no_color: bool) -> None:
    env = {"NO_COLOR": "1"} if no_color else {}
    command = [str(QTOOL), "--config", str(site), "status"]
    with Terminal(command, env=env) as terminal:
        assert terminal.wait_for_end() == 0
        assert "stopped" in terminal.text
        assert (b"\x1b[" in terminal.raw) != no_color
    assert "\x1b" not in program("--config", site, "status").out
