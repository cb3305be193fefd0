"""``qtool doctor`` says what is wrong, what helps, and does exactly what it showed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from qtool.control.doctor import contents
from tests.queues.names import filebase_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call


@pytest.fixture
def queue(site: Path) -> Path:
    folder = site.parent / "spool" / "in"
    folder.mkdir(parents=True)
    return folder


def test_a_healthy_site_is_said_to_be_so_in_one_line(call: Call, site: Path) -> None:
    done = call("-C", site, "doctor")
    assert (done.status, done.out, done.err) == (0, "nothing is wrong\n", "")
    done = call("-C", site, "doctor", "--json")
    assert (done.status, done.out) == (0, "")
    assert not (site.parent / "spool").exists()


def test_each_finding_says_what_helps_and_the_command_that_does_it(
    call: Call, site: Path, queue: Path
) -> None:
    (queue / f"{filebase_of(1)}.edit").touch()
    (queue / "odd\x1b[2J.pck").touch()
    done = call("-C", site, "doctor")
    assert (done.status, done.err) == (3, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("critical  in: 1 entry in the hand of an act")
    assert lines[1] == (
        f"          let it wait again: qtool --config {site} doctor in --fix edit"
    )
    assert lines[2].startswith("warning   in: 1 name that is no entry's")
    assert lines[4] == "          odd\\x1b[2J.pck"


def test_findings_are_objects_for_programs(call: Call, site: Path, queue: Path) -> None:
    (queue / f"{filebase_of(1)}.pck").write_bytes(b"no pickle")
    done = call("-C", site, "doctor", "in", "--json")
    found = {each["kind"]: each for each in map(json.loads, done.out.splitlines())}
    assert set(found) == {"unserved", "damaged"}
    assert found["damaged"]["names"] == [filebase_of(1)]
    assert found["damaged"]["fixable"] is True
    quick = call("-C", site, "doctor", "in", "--quick", "--json")
    assert [json.loads(line)["kind"] for line in quick.out.splitlines()] == ["unserved"]


def test_what_many_pages_show_is_told_as_one(
    call: Call, site: Path, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_MOST_READ", 2)
    for number in range(5):
        (queue / f"{filebase_of(number)}.pck").write_bytes(b"no pickle")
    done = call("-C", site, "doctor", "in")
    assert "critical  in: 5 entries that cannot be read" in done.out
    assert " more" not in done.out
    found = [
        each
        for line in call("-C", site, "doctor", "in", "--json").out.splitlines()
        if (each := json.loads(line))["kind"] == "damaged"
    ]
    assert [each["count"] for each in found] == [5]
    assert found[0]["names"] == [filebase_of(number) for number in range(5)]
    looked = call("--read-only", "-C", site, "doctor", "in")
    assert "--fix" not in looked.out


def test_notes_alone_are_nothing_wrong(call: Call, site: Path) -> None:
    bad = site.parent / "spool" / "bad"
    bad.mkdir(parents=True)
    (bad / f"{filebase_of(1)}.psv").touch()
    done = call("-C", site, "doctor")
    assert done.status == 0
    assert done.out.startswith("note      bad: 1 entry set aside more than 30 days")


def test_a_token_fixes_what_it_was_given_for(
    call: Call, site: Path, queue: Path
) -> None:
    words = ("-C", site, "doctor", "in", "--fix", "tmp")
    for number in (1, 2):
        (queue / f"{filebase_of(number)}.pck.tmp").touch()
    shown = call(*words, "--dry-run")
    assert shown.status == 0
    assert len(shown.out.splitlines()) == 2
    match = re.search(r"--yes (\w+)", shown.err)
    assert match is not None
    (queue / f"{filebase_of(1)}.pck.tmp").unlink()
    (queue / f"{filebase_of(3)}.pck.tmp").touch()
    done = call(*words, "--yes", match[1])
    assert (done.status, done.out) == (3, "tmp: 1 put right\n")
    assert filebase_of(1) in done.err
    assert [path.name for path in queue.iterdir()] == [f"{filebase_of(3)}.pck.tmp"]
    again = call(*words, "--yes", match[1])
    assert (again.status, again.out) == (1, "")


def test_who_may_change_nothing_sees_what_a_fix_would_change(
    call: Call, site: Path, queue: Path
) -> None:
    (queue / f"{filebase_of(1)}.pck.tmp").touch()
    words = ("-C", site, "--read-only", "doctor", "in", "--fix", "tmp")
    shown = call(*words, "--dry-run")
    assert (shown.status, shown.out) == (0, f"{filebase_of(1)}.pck.tmp\n")
    assert shown.err == (
        "qtool: 1 would be removed; this cannot be confirmed: read-only was asked for\n"
    )
    assert call(*words, "--yes").status == 1
    assert not (site.parent / "spool" / ".qtool").exists()


def test_many_are_not_fixed_by_yes_alone(call: Call, site: Path, queue: Path) -> None:
    words = ("-C", site, "doctor", "in", "--fix", "tmp", "--yes")
    for number in (1, 2):
        (queue / f"{filebase_of(number)}.pck.tmp").touch()
    done = call(*words)
    assert (done.status, len(list(queue.iterdir()))) == (1, 2)
    (queue / f"{filebase_of(1)}.pck.tmp").unlink()
    assert call(*words).status == 0
    assert list(queue.iterdir()) == []
    done = call(*words)
    assert (done.status, done.err) == (0, "qtool: in: there is nothing of that kind"
                                          " to fix\n")  # fmt: skip


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--yes",), "--fix KIND"),
        (("--dry-run",), "--fix KIND"),
        (("in", "out", "--fix", "tmp"), "one queue at a time"),
        (("in", "--fix", "all"), "there is no fix 'all'"),
        (("--fix", "tmp"), "tmp needs the queue"),
        (("nowhere",), "there is no queue 'nowhere'"),
    ],
)
def test_wrong_words_are_named(
    call: Call, site: Path, queue: Path, words: tuple[str, ...], reason: str
) -> None:
    done = call("-C", site, "doctor", *words)
    assert (done.status, done.out) == (1, "")
    assert reason in done.err
    assert len(done.err.splitlines()) == 1
