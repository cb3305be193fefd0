"""``qtool leave`` shows what would go, asks, and removes that."""

from __future__ import annotations

import json
import re
import shlex
from shlex import quote
from typing import TYPE_CHECKING

import pytest

from tests.commands.program import MESSAGE, configuration
from tests.queues.names import filebase_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call


@pytest.fixture
def state(call: Call, site: Path) -> Path:
    """The folder beside the queues, with a note of an act in it."""
    folder = site.parent / "spool" / ".qtool"
    assert call("-C", site, "pause", "in").status == 0
    return folder


def test_nothing_is_left_where_nothing_was_done(call: Call, site: Path) -> None:
    done = call("-C", site, "leave")
    assert (done.status, done.err) == (0, "")
    assert done.out == f"nothing of qtool's is at {site.parent}/spool/.qtool\n"


def test_it_goes_by_the_token_of_what_was_shown(
    call: Call, site: Path, state: Path
) -> None:
    call("-C", site, "inject", "in", stdin=MESSAGE)
    shown = call("-C", site, "leave", "--dry-run")
    assert shown.status == 0
    assert "pauses" in shown.out
    match = re.search(r"--yes (\w+)", shown.err)
    assert match is not None
    done = call("-C", site, "leave", "--yes", match[1])
    assert (done.status, done.err) == (0, "")
    assert not state.exists()
    assert len(list((state.parent / "in").glob("*.pck"))) == 1


def test_what_programs_read_is_never_a_sentence(
    call: Call, site: Path, state: Path
) -> None:
    shown = call("-C", site, "leave", "--dry-run", "--json")
    seen = json.loads(shown.out)
    done = call("-C", site, "leave", "--json", "--yes", seen["token"])
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out) == {
        "folder": str(state),
        "done": [each["words"] for each in seen["remaining"]],
        "files": seen["files"],
    }
    assert not state.exists()


def test_what_is_to_be_typed_holds_for_a_shell(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "an odd; qtool spool"
    folder.mkdir()
    site = configuration(folder)
    for words in (["inject", "in"], ["hold", "in", "all", "--dry-run"]):
        assert call("-C", site, *words, stdin=MESSAGE).status == 0
    state = folder / "spool" / ".qtool"
    state.chmod(0o777)
    left = call("-C", site, "leave").out
    assert f"to keep it: cp {quote(f'{state}/audit.jsonl')} ELSEWHERE\n" in left
    (found,) = (
        json.loads(line)["fix"]
        for line in call("-C", site, "doctor", "--json").out.splitlines()
        if str(state) in json.loads(line)["names"]
    )
    assert shlex.split(found) == ["chmod", "0775", str(state)]


def test_a_program_is_told_how_to_go_on(call: Call, site: Path, state: Path) -> None:
    done = call("-C", site, "leave")
    assert done.status == 1
    assert f"qtool --config {site} leave --yes " in done.err
    assert state.exists()


def test_what_is_in_the_way_is_named_with_what_mends_it(
    call: Call, site: Path, state: Path
) -> None:
    (state / "held" / "in").mkdir(parents=True)
    (state / "held" / "in" / f"{filebase_of(1)}.pck").touch()
    done = call("-C", site, "leave")
    assert done.status == 1
    assert (
        f"  in the way: held of in: 1 entry\n      qtool --config {site} release in all"
        in done.out
    )
    (told,) = map(json.loads, call("-C", site, "leave", "--json").out.splitlines())
    assert told["token"] == ""
    assert [each["hinders"] for each in told["remaining"]].count(True) == 1
    assert call("-C", site, "leave", "--yes", "0" * 16).status == 1
    assert state.exists()
