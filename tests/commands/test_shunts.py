"""``qtool shunts``: why messages were put aside, as lines, as JSON, and one in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.control.site import HERE, MAIL, configuration, open_site, put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call

TEXT = configuration(
    **{"in": f"class: {HERE}.Taking", "shunt": "", "bad": ""}  # shunts a `boom`
)
BOOM = MAIL.replace(b"hello", b"boom")
WHY = "ValueError: boom in the subject"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with two shunted messages of one kind, and one that nothing explains."""
    file = tmp_path / "qtool.cfg"
    file.write_text(TEXT)
    control = open_site(tmp_path, TEXT)
    for _ in range(2):
        put(control, "in", BOOM, listname="")
        control.step("in")
    put(control, "shunt", MAIL)
    control.close()
    return file


def test_each_message_is_a_line(call: Call, site: Path) -> None:
    done = call("--config", site, "shunts")
    heading, *lines = done.out.splitlines()
    assert heading.split() == ["AGE", "NAME", "ORIGIN", "LIST", "WHY"]
    assert [line.endswith(WHY) for line in lines] == [True, True, False]
    assert lines[0].split()[2:4] == ["in", "-"]
    assert "nothing tells why some are there: no whichq" in done.err
    assert done.status == 0


def test_a_filter_leaves_some_out(call: Call, site: Path) -> None:
    assert WHY in call("--config", site, "shunts", "why:boom", "age<1h").out
    assert "is like that" in call("--config", site, "shunts", "why:other").err
    assert call("--config", site, "shunts", "--by-failure", "why:other").out == ""
    wrong = call("--config", site, "shunts", "why:(")
    assert wrong.status == 1
    assert wrong.out == ""


def test_failures_of_a_kind_are_together(call: Call, site: Path) -> None:
    _, first, place, select, *_ = call(
        "--config", site, "shunts", "--by-failure"
    ).out.splitlines()
    assert first.split()[0] == "2"
    assert first.endswith(WHY)
    assert place.split()[0] == "in"
    assert "site.py:" in place
    filter_text = select.split(maxsplit=1)[1]
    assert len(call("--config", site, "shunts", filter_text).out.splitlines()) == 3


def test_programs_get_an_object_a_line(call: Call, site: Path) -> None:
    found = call("--config", site, "shunts", "--json").out.splitlines()
    assert [json.loads(line)["source"] for line in found] == [
        "msgdata", "msgdata", "not found",
    ]  # fmt: skip
    groups = call("--config", site, "shunts", "--by-failure", "--json").out.splitlines()
    assert [json.loads(line)["count"] for line in groups] == [2, 1]


def test_of_one_message_all_is_shown(call: Call, site: Path) -> None:
    found = call("--config", site, "shunts", "--json").out.splitlines()
    first, _, last = (json.loads(line)["filebase"] for line in found)
    shown = call("--config", site, "shunts", first[:22])
    assert f"why       : {WHY}" in shown.out
    assert shown.out.rstrip().endswith(f"\n{WHY}")
    assert shown.status == 0
    unknown = call("--config", site, "shunts", f"{last}.pck")
    assert "note      : no whichq says which queue it was in" in unknown.out
    assert unknown.status == 1
    gone = call("--config", site, "shunts", "1.5+0000")
    assert gone.err == "qtool: shunt: no entry's name begins with 1.5+0000\n"


def test_a_log_that_is_not_there_is_named(call: Call, site: Path) -> None:
    folder = call("--config", site, "shunts", "--log", site.parent)
    assert folder.err == f"qtool: {site.parent} is no file that can be searched\n"
    done = call("--config", site, "shunts", "--log", site.with_name("no.log"))
    assert done.err == f"qtool: {site.with_name('no.log')}: No such file or directory\n"
    assert (done.status, done.out) == (1, "")
