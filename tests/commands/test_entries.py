"""``qtool ls``, ``find`` and ``show``: entries as lines, as JSON, and one in full."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from qtool import qfile
from qtool.commands import entries, ls
from qtool.commands.entries import Listing
from qtool.control.filters.keys import KEYS
from qtool.control.models import Entry
from qtool.qfile import message_from_bytes
from tests.control.site import configuration
from tests.queues.names import filebase_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call

MAIL = (
    b"From: Anne <anne@example.com>\nTo: ant@example.com\nSubject: %s\n\n"
    b"A \x1b[2J body.\n"
)


def _put(folder: Path, number: int, suffix: str = ".pck", **msgdata: object) -> str:
    base = filebase_of(number)
    message = message_from_bytes(MAIL % f"number {number}\x1b[31m".encode())
    folder.mkdir(parents=True, exist_ok=True)
    content = qfile.encode(message, msgdata, text_form=False)
    (folder / f"{base}{suffix}").write_bytes(content + b"." * (100 - number))
    return base


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "qtool.cfg"
    file.write_text(configuration(**{"in": "", "out": "", "shunt": ""}))
    for number in range(5):
        _put(tmp_path / "queues" / "in", number, listid=f"list{4 - number}")
    _put(tmp_path / "queues" / "shunt", 7, shunt_error="ValueError: x", whichq="in")
    return file


def _names(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()[1:]]


def test_without_a_queue_they_are_listed_with_their_depths(
    call: Call, config: Path
) -> None:
    _put(config.parent / "queues" / "bad", 3, suffix=".psv")
    call("-C", config, "hold", "in", filebase_of(4), "--yes")
    done = call("-C", config, "ls")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["QUEUE", "DEPTH", "FLIGHT", "OLDEST", "HELD", "PRESERVED"]
    assert [(*line[:3], *line[-2:]) for line in lines[1:]] == [
        ("in", "4", "0", "1", "-"), ("out", "0", "0", "-", "-"),
        ("shunt", "1", "0", "-", "-"), ("bad", "0", "0", "-", "1"),
    ]  # fmt: skip
    first = json.loads(call("-C", config, "ls", "--json").out.splitlines()[0])
    assert first == {
        "queue": "in", "depth": 4, "in_flight": 0, "held": 1, "preserved": 0,
        "oldest": 1_700_000_000.5,
    }  # fmt: skip


def test_entries_are_lines_oldest_first_and_the_rest_is_told(
    call: Call, config: Path
) -> None:
    done = call("-C", config, "ls", "in", "-n", "2")
    heading, first, _ = done.out.splitlines()
    assert heading.split() == ["NAME", "AGE", "SIZE", "LIST", "FROM", "SUBJECT"]
    assert first.split()[0] == filebase_of(0)
    assert first.split()[4:6] == ["list4", "anne@example.com"]
    assert first.endswith("number 0\\x1b[31m")
    assert done.err == "qtool: 3 more of 5; -n 0 shows all\n"
    assert _names(call("-C", config, "ls", "in").out) == [
        filebase_of(n) for n in range(5)
    ]


def test_of_what_is_shunted_the_reason_is_shown(call: Call, config: Path) -> None:
    done = call("-C", config, "ls", "shunt")
    assert done.out.splitlines()[0].split()[-2:] == ["WHY", "SUBJECT"]
    assert "ValueError: x" in done.out


@pytest.mark.parametrize(
    ("key", "order"), [("size", "01234"), ("list", "43210"), ("when", "01234")]
)
def test_they_can_be_sorted_and_filtered(
    call: Call, config: Path, key: str, order: str
) -> None:
    done = call("-C", config, "ls", "in", "--sort", key)
    assert _names(done.out) == [filebase_of(int(number)) for number in order]
    done = call(
        "-C", config, "ls", "in", "list:list1", "or", "list:list2", "--sort", key
    )
    assert len(_names(done.out)) == 2
    assert call("-C", config, "ls", "in", "list:nobody").err == (
        "qtool: in: no entry is like that\n"
    )


def test_more_than_can_be_sorted_are_refused_in_a_line(
    call: Call, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ls, "MOST_SORTED", 3)
    done = call("-C", config, "ls", "in", "--sort", "size", "-n", "0")
    assert done.status == 1
    assert done.err == "qtool: only the first 3 of 5 are shown: more are not sorted\n"


def test_as_json_an_entry_has_the_names_of_its_fields(call: Call, config: Path) -> None:
    done = call("-C", config, "ls", "shunt", "--json")
    entry = json.loads(done.out)
    assert (entry["queue"], entry["filebase"]) == ("shunt", filebase_of(7))
    assert (entry["why"], entry["origin"]) == ("ValueError: x", "in")
    assert "\x1b" not in done.out


def test_find_looks_into_all_queues(call: Call, config: Path) -> None:
    done = call("-C", config, "find", "from:anne", "age>1d")
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == ["in"] * 5 + [
        "shunt"
    ]
    assert (
        call("-C", config, "find", "from:anne", "-q", "shunt", "--json").out.count("\n")
        == 1
    )
    assert len(_names(call("-C", config, "find", "from:anne", "-n", "3").out)) == 3
    twice = call("-C", config, "find", "from:anne", "-q", "in", "-q", "in")
    assert len(_names(twice.out)) == 5
    nowhere = call("-C", config, "find", "from:anne", "-q", "in", "-q", "nope")
    assert (nowhere.out, nowhere.err) == ("", "qtool: there is no queue 'nope'\n")
    none = call("-C", config, "find", "from:zoe")
    assert (none.status, none.out, none.err) == (
        1,
        "",
        "qtool: no entry is like that\n",
    )


def test_a_filter_may_begin_with_what_it_turns_round(call: Call, config: Path) -> None:
    for words in (
        ("ls", "in", "-list:list3"),
        ("ls", "in", "-n", "0", "-LIST:list3"),
        ("find", "-list:list3", "-q", "in", "from:anne"),
        ("find", "-(list:list3 or age<1s)", "-q", "in"),
        ("discard", "in", "-list:list3", "-name:x", "--dry-run"),
    ):
        done = call("-C", config, *words)
        assert (done.status, done.out.count("list")) == (0, 4), words
    assert call("-C", config, "ls", "in", "-none:x").status == 2


def test_every_key_of_a_filter_may_be_turned_round(call: Call, config: Path) -> None:
    for key in KEYS:
        done = call("-C", config, "ls", "in", f"-{key}~(")
        assert done.err.startswith("qtool: filter, at character "), key


@pytest.mark.parametrize("words", [("ls", "in", "size<"), ("find", "size<")])
def test_a_wrong_filter_is_one_line_that_says_where(
    call: Call, config: Path, words: tuple[str, ...]
) -> None:
    done = call("-C", config, *words)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "at character 6" in done.err


def test_show_takes_the_beginning_of_a_name(call: Call, config: Path) -> None:
    done = call("-C", config, "show", "in", "1700000003")
    assert done.out.startswith(f"{filebase_of(3)}.pck: ")
    assert "\nSubject: number 3\\x1b[31m\n\nA \\x1b[2J body.\n" in done.out
    assert "\nlistid   : list1\n" in done.out
    several = call("-C", config, "show", "in", "17000000")
    assert (several.status, several.out) == (1, "")
    count = len(call("-C", config, "ls", "in", "-n", "0", "--json").out.splitlines())
    assert f"the names of {count} entries begin with 17000000: 1700000" in several.err
    none = call("-C", config, "show", "in", "18000000")
    assert none.err == "qtool: in: no entry's name begins with 18000000\n"
    short = call("-C", config, "show", "in", "1700000")
    assert short.err == (
        "qtool: 1700000 is too short: 8 characters of a name, or more\n"
    )


def test_show_has_forms_for_programs(call: Call, config: Path) -> None:
    name = f"{filebase_of(3)}.pck"
    view = json.loads(call("-C", config, "show", "in", name, "--json").out)
    assert view["msgdata"]["listid"] == "list1"
    raw = call("-C", config, "show", "in", name, "--format", "raw").out
    assert raw.encode() == MAIL % b"number 3\x1b[31m"
    both = call("-C", config, "show", "in", name, "--format", "raw", "--json")
    assert (both.status, both.out) == (1, "")
    shown = call("-C", config, "show", "in", name, "--format", "qfile").out
    assert shown.startswith(
        "[----- start pickle -----]\n<----- start object 1 ----->\n"
    )
    assert shown.endswith(" 'version': 3}\n[----- end pickle -----]\n")


def test_what_cannot_be_read_is_said_in_a_line(call: Call, config: Path) -> None:
    path = config.parent / "queues" / "in" / f"{filebase_of(2)}.pck"
    os.truncate(path, 50)
    assert "unreadable: " in call("-C", config, "ls", "in").out
    done = call("-C", config, "show", "in", filebase_of(2))
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"qtool: in: {filebase_of(2)}: ")


def test_looking_writes_nothing(call: Call, config: Path) -> None:
    before = sorted(config.parent.rglob("*"))
    call("-C", config, "ls", "in")
    call("-C", config, "find", "from:anne")
    assert sorted(config.parent.rglob("*")) == before


def test_on_a_terminal_names_are_as_short_as_they_can_be(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entries, "terminal_width", lambda: 80)
    one, two, three = (
        Entry(queue="in", filebase=base, when=0.5, suffix=".pck", slice=0, due=False)
        for base in (filebase_of(1), filebase_of(2, 5.5), filebase_of(3, 5.5))
    )
    Listing().put([one, two, three])
    assert _names(capsys.readouterr().out) == [
        "1700000001.5", filebase_of(2, 5.5)[:22], filebase_of(3, 5.5)[:22],
    ]  # fmt: skip
