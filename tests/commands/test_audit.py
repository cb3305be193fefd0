"""``qtool audit``, and who is on record as having called the program."""

from __future__ import annotations

import json
import os
import pwd
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.models import AuditRecord
from qtool.render import tables
from qtool.render.audit import columns, row
from tests.commands.program import MESSAGE, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "anne")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")


def test_acts_are_listed_the_newest_first_with_who_did_them(
    call: Call, site: Path
) -> None:
    assert call("--config", site, "audit").err == (
        "qtool: nothing like that is on record\n"
    )
    call("--config", site, "inject", "in", stdin=MESSAGE)
    call("--config", site, "shell", "-c", "control.pause('in', reason='no DNS')")
    call("--config", site, "shell", "-c", "runners['out'].resume()")
    ended = call("--config", site, "audit")
    heading, *lines = ended.out.splitlines()
    assert (ended.status, ended.err) == (0, "")
    assert " ".join(heading.split()) == "WHEN WHO ACT ON RESULT FILE WHY FROM"
    assert [line.split()[5] for line in lines] == ["resume", "pause", "inject"]
    assert [f"anne as {ME}" in line for line in lines] == [True] * 3
    assert "failed: " in lines[0]
    assert "no DNS" in lines[1]
    assert f"shell pid {os.getpid()}" in lines[1]
    assert f"command pid {os.getpid()}" in lines[2]
    assert "192.0.2.7" in lines[2]
    (line,) = call("--config", site, "audit", "DNS").out.splitlines()[1:]
    assert line.split() == lines[1].split()


def test_they_are_chosen_by_time_user_act_file_and_number(
    call: Call, site: Path
) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    call("--config", site, "inject", "in", stdin=MESSAGE)

    def found(*words: object) -> list[dict[str, Any]]:
        ended = call("--config", site, "audit", "--json", *words)
        assert ended.status == 0
        return [json.loads(line) for line in ended.out.splitlines()]

    newest, oldest = found()
    assert newest["files"] != oldest["files"]
    assert found("-n", 1) == [newest]
    (file,) = oldest["files"]
    assert found("--file", file) == [oldest]
    assert found("--since", "1h", "--who", "anne") == [newest, oldest]
    assert found("--who", "bart") == found("--act", "move") == []
    assert found("--until", "1h") == found("--since", "2999-12-31") == []


def test_a_time_that_no_clock_shows_is_none(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    (path,) = site.parent.rglob("audit.jsonl")
    begin = json.loads(path.read_bytes().splitlines()[0])
    for at in (float("inf"), float("nan"), 1e20):
        with path.open("a") as file:
            file.write(json.dumps({**begin, "at": at}) + "\n")
    ended = call("--config", site, "audit")
    assert ended.status == 0
    assert ended.out.count(" inject ") == 3  # what is not a number is no time
    assert [line[0] for line in ended.out.splitlines()[1:3]] == ["…", "…"]


def test_lines_that_are_nobodys_are_counted(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    (path,) = site.parent.rglob("audit.jsonl")
    path.write_bytes(path.read_bytes()[:-5])
    ended = call("--config", site, "audit")
    assert "no end recorded" in ended.out
    assert ended.err == (
        "qtool: 1 line of the file was cut off or nobody's, and passed over\n"
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ["--since", "soon"],
            "expected a time (18:30, 2026-12-31, 2026-12-31T18:30) or how long ago it"
            " was (90, 15s, 1h30m, 2d), not 'soon'",
        ),
        (["-n", "0"], "expected a number from 1 on"),
    ],
)
def test_what_makes_no_sense_is_refused(
    call: Call, site: Path, words: list[str], reason: str
) -> None:
    ended = call("--config", site, "audit", *words)
    assert ended.status == 2
    assert reason in ended.err


def test_an_undo_tells_which_act_it_took_back(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    token = call("--config", site, "hold", "in", "all", "--dry-run").err.split()[-1]
    assert call("--config", site, "hold", "in", "--yes", token).status == 0
    assert call("--config", site, "undo").status == 0
    _, line = call("--config", site, "audit", "-n", "1").out.splitlines()
    assert line.split()[5:9] == ["undo", "act", "1", "done"]


def test_names_of_files_cannot_drive_the_terminal(call: Call, site: Path) -> None:
    call("--config", site, "shell", "-c", r"control.step('in', 'x\x1b]0;y\u202e')")
    ended = call("--config", site, "audit")
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out


def test_a_daemon_knows_who_asks_it(call: Call, site: Path) -> None:
    with running(site) as process:
        process.read_to("started in")
        call("--config", site, "pause", "in", "--why", "spring")
        ended = call("--config", site, "audit", "--act", "pause", "--json")
    record = json.loads(ended.out)
    assert (record["where"], record["pid"]) == ("socket", os.getpid())
    assert (record["user"], record["sudo"]) == (ME, "")


@pytest.mark.parametrize(("width", "last"), [(80, "WHY"), (120, "FROM")])
def test_every_column_has_room_on_a_terminal(width: int, last: str) -> None:
    base = f"1795306317.1234567+{'ab' * 20}"
    record = AuditRecord(
        id="1", at=1_795_306_317.0, ended=None, user="list", uid=38, login="", sudo="",
        where="command", pid=99999, terminal="pts/1", remote="", host="mail",
        act="confirm", is_read=False, files=(base,),
        arguments={"token": "472ta3urqa", "verb": "hold", "queue": "pipeline"},
        count=1, number=3, why="the provider has asked for it", result="done",
        error="", said="", counts={},
    )  # fmt: skip
    table = tables.Table(*columns(width), width=width)
    heading, line = tables.plain(table.lines([row(record, width)]))
    assert heading.endswith(last)
    assert "1795306317.123456" in line
    assert "the" in line
    assert "confirm  hold pipeline  " in line
