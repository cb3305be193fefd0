"""Code with ``-c``, in a file and through a pipe, without ptpython."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands.program import MESSAGE, QTOOL, configuration, entries, program
from tests.engine.mailman_double import MailmanDouble
from tests.engine.test_foreign import wait_for_true

if TYPE_CHECKING:
    from tests.commands.conftest import Call

pytestmark = pytest.mark.usefixtures("own_process")

GOES_ON = "Mailman's program goes on with that file"
DOCUMENT = (Path(__file__).parents[1] / "doctests" / "runner.rst").read_text("utf-8")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configuration(tmp_path)


EXAMPLE = '''\
mlist = create_list('test@example.com')
config.push('test-runner', """
[runner.test]
max_restarts: 1
""")
class TestableRunner(Runner):
    def _dispose(self, mlist, msg, msgdata):
        self.msg = msg
        self.msgdata = msgdata
        return False

    def _do_periodic(self):
        self.stop()

    def _snooze(self, filecnt):
        return

runner = TestableRunner('test')
msg = message_from_string("""\\
From: aperson@example.com
To: test@example.com

A test message.
""")
switchboard = config.switchboards['test']
filebase = switchboard.enqueue(msg, listid=mlist.list_id,
                               foo='yes', bar='no')
runner.run()
print(runner.msg.as_string())
dump_msgdata(runner.msgdata)
config.pop('test-runner')
'''
"""The example of the runner document, as it stands there."""

PRINTED = """\
From: aperson@example.com
To: test@example.com

A test message.

_parsemsg: False
bar      : no
foo      : yes
lang     : en
listid   : test.example.com
version  : 3
"""


def test_the_example_is_that_of_the_document() -> None:
    lines = re.findall(r"^ +(?:>>>|\.\.\.) ?(.*)$", DOCUMENT, re.MULTILINE)
    missing = [line for line in EXAMPLE.splitlines() if line and line not in lines]
    assert missing == []


@pytest.mark.long
def test_the_document_runs_with_c_as_a_script_and_through_a_pipe(
    config: Path, tmp_path: Path
) -> None:
    script = tmp_path / "example.py"
    script.write_text(EXAMPLE)
    shell = ("--config", config, "shell")
    for ended in (
        program(*shell, "-c", EXAMPLE),
        program(*shell, script),
        program(*shell, stdin=EXAMPLE.encode()),
        program(*shell, "-", stdin=EXAMPLE.encode()),
    ):
        assert (ended.status, ended.out, ended.err) == (0, PRINTED, "")


def test_no_screen_library_is_imported_for_it(config: Path) -> None:
    code = (
        "import sys; print(sorted({'ptpython', 'prompt_toolkit', 'textual', 'rich'}"
        " & sys.modules.keys()))"
    )
    assert program("--config", config, "shell", "-c", code).out == "[]\n"


def test_arguments_and_exit_status_are_the_scripts(
    config: Path, tmp_path: Path, call: Call
) -> None:
    script = tmp_path / "x.py"
    script.write_text("import sys\nprint(sys.argv, __name__)\nsys.exit(7)\n")
    in_a_file = program("--config", config, "shell", script, "a", "-b", "--root")
    assert in_a_file.status == 7
    assert in_a_file.out == f"['{script}', 'a', '-b', '--root'] __main__\n"
    with_c = call("--config", config, "shell", "-c", "import sys; print(sys.argv)", "a")
    assert with_c.out == "['-c', 'a']\n"


def test_an_error_of_ours_is_one_line_and_others_have_their_traceback(
    config: Path, call: Call
) -> None:
    shell = ("--config", config, "shell", "-c")
    ours = call(*shell, "step('nope')")
    assert (ours.status, ours.out) == (1, "")
    assert ours.told == ["NoSuchRunner: there is no runner 'nope'"]
    other = call(*shell, "raise ValueError('\\x1b[31m')")
    assert other.status == 1
    assert other.told == [
        "Traceback (most recent call last):",
        '  File "-c", line 1, in <module>',
        "ValueError: \\x1b[31m",
    ]
    syntax = call(*shell, "x =")
    assert syntax.status == 1
    assert "SyntaxError" in syntax.told[-1]


def test_what_the_system_refuses_is_one_line(
    config: Path, tmp_path: Path, call: Call
) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "in").write_text("no folder")
    shell = ("--config", config, "shell", "-c")
    ours = call(*shell, "switchboards['in'].files")
    assert (ours.status, len(ours.told)) == (1, 1)
    assert str(tmp_path / "spool" / "in") in ours.told[0]
    other = call(*shell, "open('/nowhere')")
    assert (other.status, other.told[0]) == (1, "Traceback (most recent call last):")


def test_a_step_of_mailmans_that_is_interrupted_goes_on_and_that_is_said(
    tmp_path: Path, call: Call
) -> None:
    double = MailmanDouble(tmp_path / "site")
    double.plan("wait")
    config = double.directory / "mailman.cfg"
    assert call("--config", config, "inject", "in", stdin=MESSAGE).status == 0
    with subprocess.Popen(
        [QTOOL, "--config", config, "shell", "-c", "step('in', yes=True)"],
        stderr=subprocess.PIPE,
        text=True,
        # Where tests run in the background, they may have been told to ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        double.wait_until_started()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told.split(":")[0]) == (130, GOES_ON), told
    double.open_gate()
    wait_for_true(lambda: len(entries(double.queues / "pipeline")) == 1)
    assert entries(double.queues / "in") == []


def test_read_only_is_respected(config: Path, tmp_path: Path, call: Call) -> None:
    call("--config", config, "inject", "in", stdin=MESSAGE)
    before = entries(tmp_path / "spool" / "in")
    ended = call("--config", config, "--read-only", "shell", "-c", "step('in')")
    assert ended.told == ["ReadOnly: read-only was asked for"]
    assert entries(tmp_path / "spool" / "in") == before


def test_a_script_that_is_missing_is_told(
    config: Path, tmp_path: Path, call: Call
) -> None:
    ended = call("--config", config, "shell", tmp_path / "none.py")
    assert ended.status == 1
    assert ended.told == [f"qtool: {tmp_path / 'none.py'}: No such file or directory"]
