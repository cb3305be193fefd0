"""The program's edges: its grammar, its streams and its exit statuses."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from argparse import _SubParsersAction
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qtool.cli import main
from qtool.commands.arguments import commands, parse, whole
from tests.commands.program import (
    FORWARD,
    MESSAGE,
    QTOOL,
    Ended,
    configuration,
    program,
)


def called(capsys: pytest.CaptureFixture[str], *words: object) -> Ended:
    """Run the program as a function."""
    capsys.readouterr()
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return Ended(status, captured.out, captured.err)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["--frobnicate"],
        ["dump"],
        ["inject"],
        ["status", "--start"],
        ["--start", "status"],
        ["demo", "--start"],
        ["demo", "--config", "a"],
        ["--root", "a", "demo"],
        ["demo", "--read-only"],
        ["demo", "--mailman-bin", "a"],
        ["--config", "a", "--root", "b", "status"],
        ["--config", "a", "status", "--root", "b"],
    ],
)
def test_a_wrong_command_line_is_status_2_and_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert len(told(capsys)) == 1


def test_a_command_that_there_is_not_is_told_from_those_like_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for word, hint in (
        ("stat", "; did you mean status?"),
        ("jnject", "; did you mean inject?"),
        ("x\x1b", ""),
    ):
        assert main([word]) == 2
        told_of = f"qtool: there is no command {word!r}{hint} (see qtool --help)"
        assert told(capsys) == [told_of]


@pytest.mark.parametrize("words", [["--help"], ["dump", "--help"], ["--version"]])
def test_help_goes_to_standard_output(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out
    assert captured.err == ""


def test_each_command_is_in_the_help_and_has_examples(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    overview = called(capsys, "--help").out
    assert max(map(len, overview.splitlines())) <= 80
    for name in commands():
        assert f"\n  {name} " in overview
        ended = called(capsys, name, "--help")
        assert ended.status == 0
        examples = re.findall(rf"^  .*qtool\b.*\b{name}\b", ended.out, re.MULTILINE)
        assert len(examples) >= 2, name
        assert max(map(len, ended.out.splitlines())) <= 80, name


def test_examples_are_command_lines_of_a_shell() -> None:
    grammar = whole()
    (choice,) = (a for a in grammar._actions if isinstance(a, _SubParsersAction))
    for each in (grammar, *choice.choices.values()):
        for line in re.findall(r"^  (qtool.*)$", each.epilog or "", re.MULTILINE):
            typed = re.split(" {2,}", line)[0]
            split = shlex.shlex(typed, posix=True, punctuation_chars=True)
            split.whitespace_split = True
            words = list(split)
            signs = [w for w in words if w in {"|", ">", "<"}]
            assert all(f" {sign} " in typed for sign in signs), typed
            end = words.index(signs[0]) if signs else len(words)
            if "COMMAND" not in words:
                parse(words[1:end])


def test_options_stand_before_or_after_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configuration(tmp_path, FORWARD)
    before = called(capsys, "--config", config, "--read-only", "status")
    after = called(capsys, "status", "--read-only", "--config", config)
    short = called(capsys, "status", "-C", config, "--read-only")
    assert before == after == short
    assert "read-only: read-only was asked for" in before.out


def test_the_demo_names_the_option_that_it_refuses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--config", "a"]) == 2
    assert told(capsys)[0].startswith("qtool: --config means nothing to demo")


def test_options_stand_between_positional_arguments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configuration(tmp_path, FORWARD)
    message = tmp_path / "message.eml"
    message.write_bytes(MESSAGE)
    words = ("inject", "-m", "a=1", "in", "--listid", "ant.example.com", message)
    assert called(capsys, "--config", config, *words, "-m", "b=2").status == 0
    (path,) = (tmp_path / "spool" / "in").glob("*.pck")
    ended = called(capsys, "dump", path, "--json", tmp_path / "none")
    msgdata = json.loads(ended.out)["msgdata"]
    assert (msgdata["a"], msgdata["b"], msgdata["listid"]) == (1, 2, "ant.example.com")
    assert ended.told == [f"qtool: {tmp_path}/none: no such file or directory"]
    ended = called(capsys, "dump", "--", "-x")
    assert ended.told == ["qtool: -x: no such file or directory"]


def test_a_configuration_that_is_wrong_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "wrong.cfg"
    config.write_text("[runner.in]\ninstances: many\n")
    for command in (["status"], ["run"], ["inject", "in"], ["shell", "-c", "1"]):
        assert main(["--config", str(config), *command]) == 1
        lines = told(capsys)
        assert len(lines) == 1
        assert all(word in lines[0] for word in ("wrong.cfg", "runner.in", "instances"))


def test_a_configuration_that_is_missing_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(tmp_path / "none.cfg"), "status"]) == 1
    assert told(capsys) == [
        f"qtool: {tmp_path / 'none.cfg'}: No such file or directory"
    ]


def test_without_a_terminal_the_board_refuses_and_says_what_works(
    tmp_path: Path,
) -> None:
    for words in ([], ["demo"]):
        ended = program(*words, env={"TERM": "xterm-256color"}, cwd=tmp_path)
        assert (ended.status, ended.out) == (1, "")
        assert len(ended.told) == 1
        assert "qtool status" in ended.told[0]


def test_the_environment_names_a_configuration(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = configuration(tmp_path, FORWARD)
    monkeypatch.setenv("QTOOL_CONFIG", str(config))
    assert f"config  {config}" in called(capsys, "status").out


def test_a_closed_stream_is_an_empty_one(tmp_path: Path) -> None:
    config = configuration(tmp_path, FORWARD)
    for words, closed, status in (
        ("inject in", "<&-", 1),
        ("dump -", "<&-", 1),
        ("status", ">&-", 1),
        ("dump none", ">&- 2>&-", 1),
    ):
        done = subprocess.run(
            ["/bin/sh", "-c", f'"$0" --config "$1" {words} {closed}', QTOOL, config],
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
        assert done.returncode == status, words
        assert b"Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("where", "why"),
    [(">&-", "it is closed"), (">/dev/full", "No space left on device")],
)
def test_what_cannot_be_written_is_told_in_a_line_and_never_a_success(
    tmp_path: Path, where: str, why: str, unbuffered: str
) -> None:
    config = configuration(tmp_path, FORWARD)
    commands = {
        "--help": 1, "top": 1, "check": 3, "check --warn x": 3, "inject in": 1,
        "run --once -r in": 1,
        "show bad $(ls ${1%/*}/spool/bad) --format raw": 1,
    }  # fmt: skip

    def lost(words: str) -> subprocess.CompletedProcess[bytes]:
        line = f'"$0" --config "$1" {words} {where}'
        return subprocess.run(
            ["/bin/sh", "-c", line, QTOOL, config],
            input=MESSAGE, stderr=subprocess.PIPE, check=False, timeout=60,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip

    program("--config", config, "inject", "bad", stdin=MESSAGE)
    with ThreadPoolExecutor(4) as pool:
        for words, done in zip(commands, pool.map(lost, commands), strict=True):
            told = done.stderr.decode().splitlines()
            assert (words, done.returncode) == (words, commands[words])
            assert told.pop() == f"qtool: standard output: {why}", words
            assert told == [] or words == "inject in", words


def test_talk_that_nobody_takes_spoils_no_data(tmp_path: Path) -> None:
    config = configuration(tmp_path, FORWARD)
    program("--config", config, "inject", "in", stdin=MESSAGE)
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" --config "$1" status 2>/dev/full', QTOOL, config],
        stdout=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, b"QUEUE" in done.stdout) == (0, True)


def test_the_module_is_the_program(tmp_path: Path) -> None:
    python = QTOOL.with_name("python")
    done = subprocess.run(
        [python, "-m", "qtool", "dump", tmp_path / "none"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert (
        done.stderr.decode() == f"qtool: {tmp_path}/none: no such file or directory\n"
    )
