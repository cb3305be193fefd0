"""Acts on entries from the command line: seen first, confirmed, told, taken back."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.control import open_site
from qtool.qfile import message_from_bytes, read
from tests.commands.program import FORWARD, QTOOL, Ended, configuration, running
from tests.queues.names import filebase_of
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.control import Control
    from tests.commands.conftest import Call


QFILES = Path(__file__).parents[1] / "fixtures" / "qfiles"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configuration(tmp_path, FORWARD)


@pytest.fixture
def control(config: Path) -> Iterator[Control]:
    control = open_site(config_file=config)
    yield control
    control.close()


def put(control: Control, queue: str, count: int = 1, **msgdata: object) -> list[str]:
    data = b"From: anne@example.com\nSubject: hi\n\nx\n"
    switchboard = control.configuration.switchboards[queue]
    return [
        switchboard.enqueue(message_from_bytes(data), msgdata) for _ in range(count)
    ]


def waiting(control: Control, queue: str) -> list[str]:
    return control.configuration.switchboards[queue].files


def test_one_entry_is_acted_on_by_the_beginning_of_its_name(
    call: Call, config: Path, control: Control
) -> None:
    [name] = put(control, "in")
    ended = call("--config", config, "discard", "in", name[:18], "--yes")
    assert ended.status == 0
    assert ended.out == f"discarded {name} of in: act 1 (back with: qtool undo 1)\n"
    assert waiting(control, "in") == []
    assert call("--config", config, "undo").status == 0
    assert waiting(control, "in") == [name]


def test_many_need_the_token_of_what_was_shown(
    call: Call, config: Path, control: Control
) -> None:
    names = put(control, "in", 30)
    site = ("--config", config)
    assert call(*site, "discard", "in", "all", "--yes").status == 1
    shown = call(*site, "discard", "in", "all", "--dry-run")
    assert shown.status == 0
    assert "and 5 more" in shown.err
    assert waiting(control, "in") == names
    token = shown.err.split()[-1]
    late = put(control, "in")
    done = call(*site, "discard", "in", "--yes", token, "--why", "spam")
    assert done.status == 0
    assert "discarded 30 of in" in done.out
    assert waiting(control, "in") == late
    assert call(*site, "discard", "in", "--yes", token).status == 1


@pytest.mark.parametrize("is_served", [False, True])
def test_who_may_change_nothing_sees_what_would_be_done(
    call: Call, config: Path, control: Control, is_served: bool
) -> None:
    put(control, "out", 30)
    words = ("--config", config, "--read-only", "discard", "out", "all")
    with running(config) if is_served else nullcontext() as daemon:
        if daemon is not None:
            daemon.read_to("started")
        shown = call(*words, "--dry-run", "--json")
        told = call(*words, "--dry-run")
        assert call(*words).status == call(*words, "--yes", "a" * 10).status == 1
    preview = json.loads(shown.out)
    assert (shown.status, preview["count"], len(preview["first"])) == (0, 30, 25)
    assert (preview["token"], preview["refusal"]) == ("", "read-only was asked for")
    assert told.status == 0
    assert told.told[-2:] == [
        "qtool: and 5 more",
        "qtool: 30 would be meant; this cannot be confirmed: read-only was asked for",
    ]
    assert not (config.parent / "spool" / ".qtool" / "tokens").exists()


def test_what_only_shows_does_not_do_it(
    call: Call, config: Path, control: Control
) -> None:
    names = put(control, "in")
    site = ("--config", config)
    token = call(*site, "hold", "in", "all", "--dry-run").err.split()[-1]
    for words in (
        ["hold", "in", "--yes", token], ["hold", "in", names[0], "--yes"],
        ["cull", "in", "--yes", token], ["leave", "--yes", token],
        ["doctor", "in", "--fix", "tmp", "--yes", token],
    ):  # fmt: skip
        ended = call(*site, *words, "--dry-run")
        assert (ended.status, ended.out) == (2, "")
        assert "not allowed with argument" in ended.err
    assert waiting(control, "in") == names


def test_all_of_the_trash_is_removed_by_number_where_nobody_is_asked(
    call: Call, config: Path, control: Control
) -> None:
    numbers = [
        str(control.discard("in", name).number) for name in put(control, "in", 2)
    ]
    site = ("--config", config)
    shown = call(*site, "trash", "--empty", "all", "--dry-run")
    assert [line.split()[0] for line in shown.out.splitlines()[1:]] == numbers
    assert shown.err.endswith(f" trash --empty {' '.join(numbers)} --yes\n")
    refused = call(*site, "trash", "--empty", "all", "--yes")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.endswith(f" trash --empty {' '.join(numbers)} --yes\n")
    assert len(control.trash()) == 2
    assert call(*site, "trash", "--empty", *numbers, "--yes").status == 0
    assert control.trash() == []


def test_the_audit_tells_what_was_confirmed(
    call: Call, config: Path, control: Control
) -> None:
    [name] = put(control, "in")
    site = ("--config", config)
    assert call(*site, "discard", "in", name, "--yes").status == 0
    assert call(*site, "trash", "--empty", "1", "--yes").status == 0
    records = call(*site, "audit", "--act", "confirm", "--json").out.splitlines()
    told = [json.loads(record)["arguments"] for record in records]
    assert {(each["verb"], each["queue"]) for each in told} == {
        ("discard", "in"), ("empty", "trash:1"),
    }  # fmt: skip
    [discarded] = call(*site, "audit", "--act", "discard", "--json").out.splitlines()
    assert json.loads(discarded)["files"] == [name]


def test_a_token_of_one_act_is_good_for_no_other(
    call: Call, config: Path, control: Control
) -> None:
    names = put(control, "in", 2)
    site = ("--config", config)
    token = call(*site, "discard", "in", "all", "--dry-run").err.split()[-1]
    for words in (
        ["hold", "in"],
        ["discard", "out"],
        ["unshunt"],
        ["move", "in", "out"],
    ):
        ended = call(*site, *words, "--yes", token)
        assert ended.status == 1
        assert "is for another act: discard in" in ended.err
    assert waiting(control, "in") == names


def test_a_name_may_stand_behind_yes(
    call: Call, config: Path, control: Control
) -> None:
    one, two = put(control, "in", 2)
    assert call("--config", config, "hold", "in", "--yes", one).status == 0
    assert waiting(control, "in") == [two]


def test_of_many_that_are_left_the_first_are_named(
    call: Call, config: Path, control: Control
) -> None:
    names = put(control, "in", 40)
    site = ("--config", config)
    token = call(*site, "discard", "in", "all", "--dry-run").err.split()[-1]
    queue = control.configuration.switchboards["in"]
    for name in names[1:]:
        queue.erase(name)
    ended = call(*site, "discard", "in", "--yes", token)
    assert ended.status == 3
    assert len(ended.err.splitlines()) == 26
    assert "left: 14 more" in ended.err


def test_without_a_terminal_nothing_is_done_and_the_way_is_shown(
    call: Call, config: Path, control: Control
) -> None:
    names = put(control, "in", 2)
    ended = call("--config", config, "hold", "in", "from:anne")
    assert ended.status == 1
    assert f"to do it: qtool --config {config} hold in --yes" in ended.err
    assert waiting(control, "in") == names


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["discard", "in"], "say which"),
        (["discard", "in", "no such"], "no entry is like that"),
        (["discard", "in", "1234.5678"], "no entry's name begins with 1234.5678"),
        (["discard", "in", "1234.56"], "1234.56 is too short"),
        (["discard", "in", "age>"], "at character"),
        (["move", "in", "nowhere", "all"], "there is no queue"),
        (["discard", "in", " "], "say which"),
        (["edit", "in", "17", "--set", "=1"], "17 is too short"),
        (["trash", "--empty", "7"], "nothing in the trash is like that"),
        (["undo", "7"], "there is no act 7"),
        (
            ["edit", "in", "1234.5678", "--set", "x=1"],
            "no entry's name begins with 1234.5678",
        ),
    ],
)
def test_bad_input_is_one_line(
    call: Call, config: Path, control: Control, words: list[str], reason: str
) -> None:
    put(control, "in")
    ended = call("--config", config, *words)
    assert ended.status == 1
    assert reason in ended.err
    assert len(ended.err.splitlines()) == 1


def test_acts_are_listed_in_a_number_that_makes_sense(call: Call, config: Path) -> None:
    assert call("--config", config, "undo", "--list", "-n", "-5").status == 2
    listed = call("--config", config, "undo", "--list")
    assert (listed.status, listed.out) == (0, "")
    assert listed.err == "qtool: nothing was done yet\n"


def test_what_could_not_be_done_is_named_and_the_status_says_so(
    call: Call, config: Path, control: Control
) -> None:
    back, stuck = put(control, "shunt", whichq="out") + put(control, "shunt")
    site = ("--config", config)
    token = call(*site, "unshunt", "all", "--dry-run").err.split()[-1]
    ended = call(*site, "unshunt", "--yes", token)
    assert ended.status == 3
    assert f"unshunted {back} of shunt" in ended.out
    assert f"failed: {stuck}" in ended.err
    assert waiting(control, "out") == [back]


def test_where_it_goes_is_asked_at_a_terminal_where_nothing_says_so(
    config: Path, control: Control
) -> None:
    [name] = put(control, "shunt", whichq="gone")
    command = [str(QTOOL), "--config", str(config), "unshunt", name]
    with Terminal(command) as terminal:
        terminal.wait_for_text("To which queue?")
        terminal.press("out\n")
        terminal.wait_for_text("Type unshunt to do it:")
        terminal.press("unshunt\n")
        assert terminal.wait_for_end() == 0
        assert "whichq names no queue of this site: 'gone'" in terminal.text
    assert waiting(control, "out") == [name]


def test_a_name_beside_a_filter_is_told_from_it(
    call: Call, config: Path, control: Control
) -> None:
    [name] = put(control, "in")
    ended = call("--config", config, "hold", "in", name, "from:anne", "--dry-run")
    assert (ended.status, ended.out) == (1, "")
    assert f"{name} is a name: a filter beside it has it as name:{name}" in ended.err
    words = ("hold", "in", f"name:{name}", "from:anne", "--dry-run")
    assert name in call("--config", config, *words).out


def test_of_very_many_reasons_the_first_are_told(
    call: Call, config: Path, control: Control
) -> None:
    for number in range(40):
        put(control, "shunt", whichq=f"gone{number}")
    ended = call("--config", config, "unshunt", "all", "--dry-run")
    assert ended.err.count("1 will be left: whichq names no queue") == 25
    assert "and 16 more such reasons" in ended.err


def test_json_is_the_model(call: Call, config: Path, control: Control) -> None:
    [name] = put(control, "in")
    site = ("--config", config)
    shown = json.loads(call(*site, "hold", "in", name, "--dry-run", "--json").out)
    assert (shown["verb"], shown["count"]) == ("hold", 1)
    done = json.loads(call(*site, "hold", "in", "--yes", shown["token"], "--json").out)
    assert done["done"] == [name]
    [act] = map(json.loads, call(*site, "undo", "--list", "--json").out.splitlines())
    assert (act["number"], act["verb"], act["done"]) == (1, "hold", 1)


def test_metadata_and_headers_are_edited(
    call: Call, config: Path, control: Control
) -> None:
    [name] = put(control, "in", tries=3, colour="red")
    ended = call(
        "--config", config, "edit", "in", name, "--set", "tries=4", "--unset", "colour",
        "--header", "Subject: hello", "--yes",
    )  # fmt: skip
    assert ended.status == 0
    assert '-  "tries": 3' in ended.out
    assert '+  "tries": 4' in ended.out
    data = call("--config", config, "edit", "in", name, "--set", "a=1", "-y", "--json")
    assert '+  "a": 1' in data.err
    assert json.loads(data.out)["done"] == [name]
    queue = control.configuration.switchboards["in"]
    held = read(queue.queue_directory / f"{name}.pck")
    assert held.msgdata["tries"] == 4
    assert "colour" not in held.msgdata
    assert held.message["subject"] == "hello"


def test_an_editor_edits_the_whole(
    call: Call, config: Path, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    [name] = put(control, "in", tries=3)
    editor = config.with_name("editor")
    monkeypatch.setenv("VISUAL", str(editor))
    editor.write_text("#!/bin/sh\nsed -i 's/: hi/: ho/; s/3/4/' \"$1\"\n")
    editor.chmod(0o755)
    words = ("--config", config, "edit", "in", name, "--yes")
    assert call(*words).status == 0
    queue = control.configuration.switchboards["in"]
    held = read(queue.queue_directory / f"{name}.pck")
    assert (held.message["subject"], held.msgdata["tries"]) == ("ho", 4)
    editor.write_text("#!/bin/sh\n")
    assert "nothing was changed" in call(*words).err
    editor.write_text("#!/bin/sh\necho '{' >> \"$1\"\n")
    assert "no JSON" in call(*words).err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--unset", "colour"], "--unset colour: there is no such metadata"),
        (["--drop-header", "X-No"], "--drop-header X-No: there is no such header"),
        (["--set", "_bak_count=3"], "--set _bak_count: a key that is not kept"),
        (["--set", "tries"], "--set tries: expected KEY=JSON"),
    ],
)
def test_what_an_edit_cannot_do_is_said_and_nothing_is_done(
    call: Call, config: Path, control: Control, words: list[str], reason: str
) -> None:
    [name] = put(control, "in", tries=3)
    ended = call("-C", config, "edit", "in", name, "--set", "tries=4", *words, "--yes")
    assert ended == Ended(1, "", f"qtool: {reason}\n")
    assert control.entry("in", name).msgdata["tries"] == 3


def _has_asked(terminal: Terminal, times: int) -> bool:
    return terminal.plain.count("do it: ") == times


def test_what_was_typed_is_edited_on_where_it_is_refused(
    config: Path, control: Control
) -> None:
    [name] = put(control, "in", tries=3)
    editor = config.with_name("editor")
    editor.write_text(
        "#!/bin/sh\n"
        'if grep -q \'tries": "3"\' "$1"\n'
        'then sed -i \'s/tries": "3"/tries": 4/\' "$1"\n'
        "elif grep -q '^{{' \"$1\"\n"
        'then sed -i \'s/^{{/{/; s/: hi/: ho/; s/tries": 3/tries": "3"/\' "$1"\n'
        "else sed -i 's/^{/{{/' \"$1\"\n"
        "fi\n"
    )
    editor.chmod(0o755)
    words = [str(QTOOL), "--config", str(config), "edit", "in", name]
    with Terminal(words, env={"VISUAL": str(editor)}) as terminal:
        for number in range(1, 5):  # broken, another type, and what is right
            terminal.wait_for(partial(_has_asked, terminal, number))
            terminal.press("edit\r")
        assert terminal.wait_for_end() == 0
    queue = control.configuration.switchboards["in"]
    held = read(queue.queue_directory / f"{name}.pck")
    assert (held.message["subject"], held.msgdata["tries"]) == ("ho", 4)


def test_what_cannot_be_edited_is_refused_before_there_is_an_editor(
    call: Call, config: Path, control: Control, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("VISUAL", "false")
    root, name = tmp_path / "qfiles", f"{filebase_of(1)}.pck"
    (root / "in").mkdir(parents=True)
    shutil.copy(QFILES / "mailman2-text.pck", root / "in" / name)
    one, two = put(control, "in", 2)
    folder = config.parent / "spool" / "in"
    (folder / f"{two}.pck").rename(folder / f"{two}.psv")
    for site, what, reason in (
        (("--root", root), name, "Mailman 2 could not read what qtool writes"),
        (("-C", config), two, f"{two} was preserved: restore it first"),
        (("-C", config, "--read-only"), one, "read-only was asked for"),
    ):
        for words in ([], ["--set", "x=1", "--yes"]):
            ended = call(*site, "edit", "in", what, *words)
            assert ended == Ended(1, "", f"qtool: {reason}\n")


def test_what_is_old_is_culled_into_the_trash_which_is_emptied_on_purpose(
    call: Call, config: Path, control: Control
) -> None:
    [young] = put(control, "bad")
    old = control.configuration.switchboards["bad"].queue_directory
    name = f"1600000000.5+{'a' * 40}"
    (old / f"{name}.psv").write_bytes(b"old")
    site = ("--config", config)
    assert call(*site, "cull", "--older", "30d", "bad", "--unattended").status == 0
    assert sorted(path.name for path in old.iterdir()) == [f"{young}.pck"]
    listed = call(*site, "trash")
    assert "discard bad" in listed.out
    assert call(*site, "trash", "--empty", "expired", "--yes").status == 0
    assert "discard bad" in call(*site, "trash").out
    assert call(*site, "trash", "--empty", "1", "--yes").status == 0
    assert "the trash is empty" in call(*site, "trash").err


def test_an_undo_is_shown_first_and_done_by_its_number(
    call: Call, config: Path, control: Control
) -> None:
    names = put(control, "in", 2)
    control.confirm(control.preview("discard", "in", "all").token)
    seen = call("--config", config, "undo", "--dry-run")
    assert seen.status == 0
    assert [line.split()[0] for line in seen.out.splitlines()] == ["NAME", *names]
    assert seen.err.splitlines() == [
        "qtool: 2 would go to in",
        f"qtool: 2 would be meant; to do it: qtool --config {config} undo 1",
    ]
    assert waiting(control, "in") == []
    assert call("--config", config, "undo", "1").status == 0
    assert waiting(control, "in") == names
    again = call("--config", config, "undo", "1", "--dry-run")
    assert (again.status, again.err) == (1, "qtool: act 1 was undone by act 2\n")
