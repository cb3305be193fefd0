"""What is there when the prompt opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import qtool
from qtool.control import open_site
from qtool.errors import NoSuchQueue, NoSuchRunner, ReadOnly, RunnerError
from qtool.shell.names import banner, preloaded
from tests.commands.program import configuration, entries

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control import Control


def test_every_promised_name_is_there(names: dict[str, Any]) -> None:
    assert names.keys() >= {
        "switchboards", "config", "runners", "control", "Runner", "Switchboard",
        "create_list", "message_from_string", "dump_msgdata", "peek", "step", "help",
    }  # fmt: skip


def test_the_site_is_the_processs_configuration(names: dict[str, Any]) -> None:
    assert qtool.config is names["config"]
    assert names["create_list"]("test@example.com").list_id == "test.example.com"
    assert names["config"].lists.get("test.example.com") is not None


def test_help_lists_every_name(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    names["help"]()
    told = capsys.readouterr().out
    assert all(name in told for name in names)
    assert max(map(len, told.splitlines())) < 80
    assert repr(names["help"]) + "\n" == told


def test_help_explains_a_thing(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    names["help"](names["step"])
    assert "Process one file" in capsys.readouterr().out


def test_runners_are_a_table_and_handles(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    runners = names["runners"]
    assert "in" in runners
    assert "stopped, 0 waiting" in repr(runners)
    runners["in"].start()
    runners["in"].pause()
    runners["in"].resume()
    runners["in"].snooze(2)
    runners["in"].restart()
    runners["in"].stop()
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert repr(runners["in"]).startswith("<runner in: ")


def test_what_is_not_there_is_said(names: dict[str, Any]) -> None:
    with pytest.raises(NoSuchQueue):
        names["switchboards"]["nope"]
    with pytest.raises(NoSuchRunner):
        names["runners"]["nope"]


def test_a_step_prints_its_report_and_returns_it(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    msg = names["message_from_string"]("Subject: hi\n\nbody\n")
    filebase = names["switchboards"]["in"].enqueue(msg, foo="yes\x1b[31m")
    report = names["step"]("in")
    told = capsys.readouterr().out
    assert told.startswith(f"done: {filebase}\n")
    assert "foo      : yes\\x1b[31m" in told
    assert report.filebase == filebase
    assert [new.queue for new in report.enqueued] == ["out"]
    assert repr(report) == f"<StepReport done {filebase}>"


def test_read_only_refuses_every_act_and_shows_everything(
    tmp_path: Path, own_process: None
) -> None:
    config = configuration(tmp_path)
    writing = open_site(config_file=config)
    message = qtool.message_from_string("Subject: hi\n\nbody\n")
    filebase = writing.configuration.switchboards["in"].enqueue(message, {})
    writing.close()
    control = open_site(config_file=config, read_only=True)
    names: dict[str, Any] = preloaded(control)
    queue = names["switchboards"]["in"]
    before = entries(tmp_path / "spool" / "in")
    assert issubclass(names["Runner"], qtool.Runner)
    assert queue.files == [filebase]
    assert queue.for_slice(queue.slice).files == [filebase]
    assert "hi" in repr(names["peek"]("in", filebase))
    here = tmp_path / "spool" / "in"

    mine = type("Mine", (names["Runner"],), {})
    acts: list[Callable[[], object]] = [
        lambda: names["Runner"]("in").run(),
        lambda: mine("in", 0).run(),
        lambda: qtool.Runner("in").run(),
        lambda: qtool.Runner("in").step(),
        lambda: names["Switchboard"]("in", here).enqueue(message),
        lambda: queue.enqueue(message),
        lambda: queue.dequeue(filebase),
        lambda: names["config"].switchboards["in"].enqueue(message),
        lambda: names["config"].shunt.enqueue(message),
        lambda: queue.for_slice(queue.slice).finish(filebase),
        lambda: names["step"]("in"),
        lambda: names["create_list"]("new@example.com"),
        lambda: names["runners"]["in"].start(),
    ]
    for act in acts:
        with pytest.raises(ReadOnly, match="read-only was asked for"):
            act()
    assert entries(tmp_path / "spool" / "in") == before
    assert "read-only: read-only was asked for" in banner(control.site())
    control.close()


def test_on_a_mailman_site_a_pushed_runner_makes_no_folder(
    tmp_path: Path, own_process: None
) -> None:
    config = tmp_path / "mailman.cfg"
    config.write_text(f"[mailman]\nlayout: x\n[paths.x]\nvar_dir: {tmp_path}/var\n")
    (tmp_path / "var" / "queue" / "in").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    control = open_site(config_file=config)
    names: dict[str, Any] = preloaded(control)
    names["config"].push("test-runner", "[runner.test]\nmax_restarts: 1\n")
    queue = names["switchboards"]["test"]
    assert queue.files == []
    with pytest.raises(NoSuchQueue):
        queue.enqueue(names["message_from_string"]("Subject: x\n\nbody\n"))
    names["config"].pop("test-runner")
    control.close()
    assert sorted(tmp_path.rglob("*")) == before


def test_on_a_mailman_site_a_runner_of_ours_takes_none_of_mailmans_mail(
    tmp_path: Path, own_process: None
) -> None:
    config = tmp_path / "mailman.cfg"
    config.write_text(f"[mailman]\nlayout: x\n[paths.x]\nvar_dir: {tmp_path}/var\n")
    (tmp_path / "var" / "queue" / "in").mkdir(parents=True)
    control = open_site(config_file=config)
    filebase = control.inject("in", b"Subject: x\n\nbody\n", {}).filebase
    with pytest.raises(RunnerError, match="in is Mailman's own runner"):
        preloaded(control)["Runner"]("in")  # type: ignore[operator]  # a class
    assert control.configuration.switchboards["in"].files == [filebase]
    control.close()


def test_the_banner_says_which_spool_this_is(control: Control, tmp_path: Path) -> None:
    told = banner(control.site())
    assert str(tmp_path / "spool") in told
    assert "site.cfg" in told
    assert "help()" in told
