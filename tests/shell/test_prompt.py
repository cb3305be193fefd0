"""The prompt in a real terminal."""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.commands.program import QTOOL, configuration
from tests.shell.test_script import EXAMPLE, PRINTED
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASTE = "\x1b[200~{}\x1b[201~"


@contextmanager
def prompt(tmp_path: Path) -> Iterator[Terminal]:
    """A prompt over the site of the test, ready for the first line."""
    config = configuration(tmp_path)
    command = [str(QTOOL), "--config", str(config), "shell"]
    env = {"PROMPT_TOOLKIT_NO_CPR": "1", "XDG_STATE_HOME": str(tmp_path / "state")}
    with Terminal(command, rows=70, columns=100, env=env) as terminal:
        terminal.wait_for_text(">>>")
        yield terminal
        # A prompt that stands empty takes Ctrl+D as the end.
        terminal.wait_for(lambda: at_the_prompt(terminal))
        terminal.press("\x04")
        assert terminal.wait_for_end() == 0
        assert terminal.is_as_before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """One for tests that leave nothing behind but names and text on its screen."""
    with prompt(tmp_path_factory.mktemp("site")) as terminal:
        yield terminal


@pytest.fixture
def cleared(shared: Terminal) -> Terminal:
    """The shared prompt, with nothing else on its screen."""
    shared.press("\x0c")
    shared.wait_for(lambda: shared.lines[0] == ">>>" and at_the_prompt(shared))
    return shared


def at_the_prompt(terminal: Terminal) -> bool:
    """Whether the last line that is not the status bar's is an empty prompt."""
    lines = [line for line in terminal.lines if line and "qtool" not in line]
    return bool(lines) and lines[-1].rstrip() == ">>>"


def enter(terminal: Terminal, line: str) -> None:
    """Type a line, and wait until it is taken."""
    terminal.press(f"{line}\r")
    terminal.wait_for_text(line.strip() or ">>>")


def as_typed(*, blank_lines_within: bool) -> list[str]:
    """The lines of the example, with a blank one after the class."""
    lines = EXAMPLE.splitlines()
    end = lines.index("runner = TestableRunner('test')")
    start = next(n for n, line in enumerate(lines) if line.startswith("class "))
    body = [line for line in lines[start:end] if line or blank_lines_within]
    return [*lines[:start], *body, "", *lines[end:]]


@pytest.mark.parametrize(
    "blank_lines_within", [True, pytest.param(False, marks=pytest.mark.long)]
)
def test_the_document_can_be_typed_as_it_stands(
    cleared: Terminal, blank_lines_within: bool
) -> None:
    for line in as_typed(blank_lines_within=blank_lines_within):
        cleared.press(f"{line}\r")
    for line in PRINTED.splitlines():
        cleared.wait_for_text(line)
    enter(cleared, "'test' in switchboards")
    cleared.wait_for_text("False")
    assert "Error" not in cleared.text


def test_the_document_can_be_pasted_as_it_stands(cleared: Terminal) -> None:
    cleared.press(PASTE.format(EXAMPLE))
    cleared.press("\r")
    for line in PRINTED.splitlines():
        cleared.wait_for_text(line)
    assert "Error" not in cleared.text


def test_a_message_is_looked_at_and_stepped(cleared: Terminal) -> None:
    enter(cleared, "letter = message_from_string('Subject: hi\\n\\nA body.\\n')")
    enter(cleared, "base = switchboards['in'].enqueue(letter, foo='yes')")
    enter(cleared, "peek('in', base)")
    cleared.wait_for_text("foo      : yes")
    enter(cleared, "report = step('in')")
    cleared.wait_for_text("+ lang     : en")
    enter(cleared, "report.outcome.value * 2")
    cleared.wait_for_text("donedone")


def test_entries_are_acted_on_and_put_back(cleared: Terminal) -> None:
    enter(cleared, "letter = message_from_string('Subject: good day\\n\\nA body.\\n')")
    enter(cleared, "base = switchboards['out'].enqueue(letter)")
    enter(cleared, "queues['out'].where('subject:good').move('in')")
    cleared.wait_for_text("move 1 of out to in")
    enter(cleared, "_.confirm()")
    cleared.wait_for_text("moved 1 of out to in: act ")
    enter(cleared, "undo()")
    cleared.wait_for_text("put back 1 of out to in")
    cleared.press("queues['out'].where('sub")
    cleared.wait_for_text("subject:")
    cleared.press("\x03")
    enter(cleared, "some = queues['held:out']")
    enter(cleared, "some.name = 'nope'")
    enter(cleared, "some")
    cleared.wait_for_text("NoSuchQueue: there is no queue 'nope'")
    assert "Traceback" not in cleared.text


def test_a_wrong_command_shows_one_line_and_the_prompt_goes_on(
    cleared: Terminal,
) -> None:
    enter(cleared, "step('nope')")
    cleared.wait_for_text("NoSuchRunner: there is no runner 'nope'")
    assert "Traceback" not in cleared.text
    enter(cleared, "raise ValueError(chr(27) + '[31m' + chr(155))")
    cleared.wait_for_text("ValueError: \\x1b[31m\\x9b")
    assert "qtool/shell" not in cleared.text


def test_typing_completes_and_runs_nothing(cleared: Terminal) -> None:
    enter(cleared, "class Trap:")
    enter(cleared, "    @property")
    enter(cleared, "    def boom(self): print('BO' + 'OM')")
    cleared.press("\r")
    cleared.wait_for(lambda: at_the_prompt(cleared))
    enter(cleared, "trap = Trap()")
    cleared.press("trap.bo")
    cleared.wait_for(lambda: len(re.findall("boom", cleared.text)) == 2)
    cleared.press("\t")
    cleared.wait_for_text("trap.boom")
    cleared.press(".upper(")
    cleared.wait_for_text("trap.boom.upper(")
    assert "BOOM" not in cleared.text
    cleared.press("\x03")
    cleared.press("switchboards['i")
    cleared.wait_for(lambda: "in" in map(str.strip, cleared.lines))
    cleared.press("\t")
    cleared.wait_for_text("switchboards['in']")
    cleared.press("\x03")


@pytest.mark.long
def test_the_history_is_the_callers_alone(tmp_path: Path) -> None:
    history = tmp_path / "state" / "qtool" / "shell_history"
    with prompt(tmp_path) as terminal:
        enter(terminal, "secret = 1")
    assert "secret = 1" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    history.chmod(0o644)
    with prompt(tmp_path) as terminal:
        terminal.wait_for(lambda: recalled(terminal))
        terminal.press("\x03")
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def recalled(terminal: Terminal) -> bool:
    """Ask for the line before; the history is read in the background."""
    terminal.press("\x1b[A")
    terminal.take(0.05)
    return "secret = 1" in terminal.text


@pytest.mark.long
def test_a_state_folder_that_cannot_be_made_costs_only_the_history(
    tmp_path: Path,
) -> None:
    (tmp_path / "state").write_text("a file in the way")
    with prompt(tmp_path) as terminal:
        enter(terminal, "1 + 1")
        terminal.wait_for_text("2")
    assert os.path.isfile(tmp_path / "state")  # noqa: PTH113 - as it was
