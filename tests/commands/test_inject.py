"""``qtool inject``: a message goes into a queue, and it is said where and to whom."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool import look, read
from tests.commands.program import (
    FORWARD,
    MESSAGE,
    QTOOL,
    configuration,
    entries,
    program,
)

if TYPE_CHECKING:
    from tests.commands.conftest import Call


DEEP = "[" * 50_000


def path_in(out: str) -> Path:
    found = re.search(r"^path +: (.+)$", out, re.MULTILINE)
    assert found is not None
    return Path(found[1])


def test_it_prints_filebase_queue_and_path(call: Call, site: Path) -> None:
    ended = call("--config", site, "inject", "in", stdin=MESSAGE)
    path = path_in(ended.out)
    assert ended.status == 0
    assert ended.out == f"filebase: {path.stem}\nqueue   : in\npath    : {path}\n"
    assert read(path).message.as_bytes() == MESSAGE


def test_where_it_went_as_json(call: Call, site: Path) -> None:
    ended = call("--config", site, "inject", "in", "--json", stdin=MESSAGE)
    (name,) = entries(site.parent / "spool" / "in")
    path = site.parent / "spool" / "in" / name
    assert json.loads(ended.out) == {
        "queue": "in", "filebase": path.stem, "path": str(path), "served": False
    }  # fmt: skip


def test_metadata_is_json_scalars_or_else_strings(call: Call, site: Path) -> None:
    words = ["a=true", "b=3", "c=null", 'd="x"', "e=plain", "f=[1]", "g=", "h=1=2",
             "i=NaN", "j=-1.5", f"k={DEEP}"]  # fmt: skip
    options = [part for word in words for part in ("-m", word)]
    ended = call("--config", site, "inject", "in", *options, "--listid",
                 "test.example.com", stdin=MESSAGE)  # fmt: skip
    msgdata = read(path_in(ended.out)).msgdata
    assert {key: msgdata[key] for key in "abcdefghijk"} == {
        "a": True, "b": 3, "c": None, "d": "x", "e": "plain", "f": "[1]", "g": "",
        "h": "1=2", "i": "NaN", "j": -1.5, "k": DEEP,
    }  # fmt: skip
    assert msgdata["listid"] == "test.example.com"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2030-06-01T18:30", datetime(2030, 6, 1, 18, 30)),  # noqa: DTZ001 - Mailman's
        ("2030-06-01 18:30:05", datetime(2030, 6, 1, 18, 30, 5)),  # noqa: DTZ001
        ("2030-06-01", datetime(2030, 6, 1)),  # noqa: DTZ001
        ("2030-06-01T18:30Z", datetime(2030, 6, 1, 18, 30, tzinfo=UTC)),
        (
            "2030-06-01T18:30+05:00",
            datetime(2030, 6, 1, 18, 30, tzinfo=timezone(timedelta(hours=5))),
        ),
        ("1906569000.5", 1906569000.5),
    ],
)
def test_a_time_to_deliver_after_may_be_a_date(
    call: Call, tmp_path: Path, text: str, kept: datetime | float
) -> None:
    config = configuration(tmp_path, "[runner.in]\nhonours_due: yes\n")
    ended = call("--config", config, "inject", "in", "-m", f"deliver_after={text}",
                 stdin=MESSAGE)  # fmt: skip
    path = path_in(ended.out)
    found = read(path).msgdata["deliver_after"]
    seconds = kept if isinstance(kept, float) else kept.timestamp()
    assert float(path.name.partition("+")[0]) == seconds
    # Mailman compares it with its own clock, which has no zone.
    assert found == kept or (found.timestamp(), found.tzinfo) == (seconds, None)


@pytest.mark.parametrize("text", ["tomorrow", "", "true", "2030-13-01", "18:30"])
def test_what_is_no_time_to_deliver_after_is_a_usage_error(
    call: Call, site: Path, text: str
) -> None:
    pair = f"deliver_after={text}"
    ended = call("--config", site, "inject", "in", "-m", pair, stdin=MESSAGE)
    assert (ended.status, ended.out) == (2, "")
    assert ended.told == [
        f"qtool: -m {pair}: expected a date (2026-12-31T18:30, with or without"
        " +01:00) or seconds since 1970"
    ]


@pytest.mark.parametrize("pair", ["novalue", "=x"])
def test_metadata_without_a_key_or_value_is_a_usage_error(
    call: Call, site: Path, pair: str
) -> None:
    ended = call("--config", site, "inject", "in", "-m", pair, stdin=MESSAGE)
    assert (ended.status, ended.out) == (2, "")
    assert ended.told == [f"qtool: -m {pair}: expected KEY=VALUE"]


def test_eight_bit_bytes_stay_as_they_are(call: Call, site: Path) -> None:
    data = b"Subject: hi\nContent-Type: text/plain; charset=latin-1\n\ngr\xfc\xdfe\n"
    ended = call("--config", site, "inject", "in", stdin=data)
    assert b"gr\xfc\xdfe" in read(path_in(ended.out)).message.as_bytes()


def test_a_file_is_read(call: Call, site: Path, tmp_path: Path) -> None:
    (tmp_path / "message.eml").write_bytes(MESSAGE)
    ended = call("--config", site, "inject", "in", tmp_path / "message.eml")
    assert look(path_in(ended.out)).message["subject"] == "hi"


def test_when_nobody_runs_the_queue_it_says_how_to_start(
    call: Call, site: Path
) -> None:
    ended = call("--config", site, "inject", "in", stdin=MESSAGE)
    assert ended.told == [
        "qtool: no runner is running for `in`: the message waits."
        f" Start one: qtool --config {site} run"
    ]


def test_a_queue_without_a_runner_is_told_apart(call: Call, tmp_path: Path) -> None:
    (tmp_path / "root" / "in").mkdir(parents=True)
    ended = call("--root", tmp_path / "root", "inject", "in", stdin=MESSAGE)
    assert ended.status == 0
    assert ended.told == [
        "qtool: no runner is running for `in`: the message waits. in has no runner"
        " here: --root names none, a configuration does (--config FILE)"
    ]


def test_a_list_that_is_not_there_is_told(call: Call, tmp_path: Path) -> None:
    site = configuration(tmp_path, f"[list.bee@example.com]\n{FORWARD}")
    words = ("--config", site, "inject", "--listid")
    known = call(*words, "bee.example.com", "in", stdin=MESSAGE)
    unknown = call(*words, "ant.example.com", "in", stdin=MESSAGE)
    waits = call(*words, "ant.example.com", "shunt", stdin=MESSAGE)
    assert (known.status, unknown.status, waits.status) == (0, 0, 0)
    assert "no list" not in known.err + waits.err
    assert "there is no list ant.example.com here" in unknown.told[0]


def test_a_disk_without_room_is_one_line(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", QTOOL,
         "--config", site, "inject", "in"],
        input=MESSAGE + b"x" * 10_000, capture_output=True, check=False, timeout=60,
        # Half of a compiled module would be kept, for everybody.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"qtool: not put into in: File too large\n"
    assert entries(tmp_path / "spool" / "in") == []


@pytest.mark.parametrize("stdin", [b"", b" \n\n"])
def test_no_message_is_refused(call: Call, site: Path, stdin: bytes) -> None:
    ended = call("--config", site, "inject", "in", stdin=stdin)
    assert (ended.status, ended.out) == (1, "")
    assert ended.told == ["qtool: there is no message: the input is empty"]


def test_a_queue_that_is_not_there_is_refused(call: Call, site: Path) -> None:
    ended = call("--config", site, "inject", "../etc", stdin=MESSAGE)
    assert (ended.status, ended.out) == (1, "")
    assert ended.told == ["qtool: there is no queue '../etc'"]


def test_a_missing_file_is_told(call: Call, site: Path, tmp_path: Path) -> None:
    ended = call("--config", site, "inject", "in", tmp_path / "missing")
    assert ended.status == 1
    assert ended.told == [f"qtool: {tmp_path / 'missing'}: No such file or directory"]


def test_read_only_refuses(call: Call, site: Path, tmp_path: Path) -> None:
    ended = call("--read-only", "--config", site, "inject", "in", stdin=MESSAGE)
    assert ended.status == 1
    assert ended.told == ["qtool: read-only was asked for"]
    assert entries(tmp_path / "spool" / "in") == []


def test_a_mailman_2_site_refuses_in_a_line(call: Call, tmp_path: Path) -> None:
    (tmp_path / "qfiles" / "in").mkdir(parents=True)
    ended = call("--root", tmp_path / "qfiles", "inject", "in", stdin=MESSAGE)
    assert ended.status == 1
    assert len(ended.told) == 1
    assert "Mailman 2" in ended.told[0]
    assert entries(tmp_path / "qfiles" / "in") == []


def test_data_and_talk_go_separate_ways(site: Path, tmp_path: Path) -> None:
    configuration(tmp_path)
    ended = program("inject", "in", "--config", site, stdin=MESSAGE)
    assert ended.status == 0
    assert len(ended.out.splitlines()) == 3
    assert len(ended.told) == 1


def test_on_a_mailman_site_it_is_written_for_mailman(
    call: Call, tmp_path: Path
) -> None:
    config = tmp_path / "mailman.cfg"
    config.write_text(f"[mailman]\nlayout: x\n[paths.x]\nvar_dir: {tmp_path}/var\n")
    (tmp_path / "var" / "queue" / "in").mkdir(parents=True)
    ended = call("--config", config, "inject", "in", stdin=MESSAGE)
    assert ended.status == 0
    assert look(path_in(ended.out)).msgdata["_parsemsg"] is True
    assert "no list is named" in ended.told[0]
    assert "mailman start" in ended.told[1]
    words = ("inject", "in", "--listid", "ant.example.com")
    assert len(call("--config", config, *words, stdin=MESSAGE).told) == 1
