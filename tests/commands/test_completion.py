"""``qtool completion``: the shell's own completion, over the words of the program."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.commands.arguments import commands
from tests.commands.program import QTOOL, configuration
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.commands.conftest import Call

_COMPLETE = """\
set -f
source "$1"
cd "$2"
while IFS= read -r line; do
  read -ra COMP_WORDS <<< "$line"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _shtab_qtool 2> >(grep -v compopt >&2)
  echo "${COMPREPLY[*]}"
done
"""


def completed(script: Path, *lines: str) -> list[set[str]]:
    """What bash completes at the end of each line, in the script's folder."""
    path = f"{QTOOL.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", _COMPLETE, "bash", script, script.parent],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [set(line.split()) for line in done.stdout.splitlines()]


@pytest.fixture
def script(call: Call, tmp_path: Path) -> Path:
    path = tmp_path / "completion.bash"
    path.write_text(call("completion", "bash").out)
    return path


def test_bash_completes_commands_options_and_values(script: Path) -> None:
    (script.parent / "message.eml").touch()
    found = completed(
        script, "qtool ", "qtool sta", "qtool pause in --", "qtool --re",
        "qtool units --mode t", "qtool -C mes", "qtool inject in mes",
    )  # fmt: skip
    assert found[0] == commands().keys()
    assert found[1] == {"status", "start"}
    assert found[2] >= {"--why", "--for", "--until", "--config"}
    assert found[3:] == [{"--read-only"}, {"timer"}, {"message.eml"}, {"message.eml"}]


def test_bash_completes_the_names_of_the_site_that_is_named(script: Path) -> None:
    site = configuration(script.parent)
    assert completed(
        script, f"qtool --config {site} step ", "qtool -C site.cfg inject s",
        "qtool -C site.cfg run -r o", "qtool -C none.cfg step ",
    ) == [{"in", "out"}, {"shunt"}, {"out"}, set()]  # fmt: skip


def test_bash_offers_files_where_files_are_meant_and_nowhere_else(
    call: Call, script: Path
) -> None:
    site = configuration(script.parent)
    root = script.parent / "spools"
    root.mkdir()
    words = f"qtool -C {site} stop"
    assert completed(
        script, f"{words} ", f"{words} --all s", f"{words} --all spools ",
        f"qtool -C {site} discard in ", f"qtool -C {site} stop nowhere",
    ) == [{"in", "out"}, {"spools"}, set(), set(), set()]  # fmt: skip
    ended = subprocess.run(
        ["bash", "-c", 'source "$1"; complete -p qtool', "bash", script],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout == "complete -F _shtab_qtool qtool\n"


def test_no_name_is_more_than_a_name_to_a_shell(call: Call, tmp_path: Path) -> None:
    for name in ("in", "$(touch made)", "a b", "*"):
        (tmp_path / "qfiles" / name).mkdir(parents=True)
    root = tmp_path / "qfiles"
    assert call("--root", root, "completion", "queues").out == "in\n"
    assert call("--root", root, "completion", "runners").out == ""


@pytest.mark.long
def test_zsh_completes_commands_options_and_names(call: Call, tmp_path: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("NOT RUN: zsh is not installed")
    configuration(tmp_path)
    (tmp_path / "_qtool").write_text(call("completion", "zsh").out)
    (tmp_path / ".zshrc").write_text(
        f"PS1='ready> ' fpath=({tmp_path} $fpath)\n"
        "autoload -Uz compinit && compinit -u -D\n"
    )
    path = f"{QTOOL.parent}{os.pathsep}{os.environ['PATH']}"
    with Terminal(
        ["zsh", "-d", "-i"], cwd=tmp_path, env={"PATH": path, "ZDOTDIR": str(tmp_path)}
    ) as zsh:
        zsh.wait_for_text("ready>")
        for typed, shown in (
            ("qtool unsh\t", "qtool unshunt"),
            ("qtool -C site.cfg step i\t", "qtool -C site.cfg step in"),
            ("qtool pause in --wh\t", "qtool pause in --why"),
            ("qtool completion z\t", "qtool completion zsh"),
        ):
            zsh.press(typed)
            zsh.wait_for_text(f"ready> {shown}")
            zsh.press("\x15")  # and the line is empty again


def test_zsh_has_a_script_of_its_own(call: Call) -> None:
    script = call("completion", "zsh").out
    assert script.startswith("#compdef qtool\n")
    assert "    inject:'Put a message into a queue.'\n" in script
    assert call("completion", "tcsh").status == 2
