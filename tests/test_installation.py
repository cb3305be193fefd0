"""A configuration: its queues and overlays, its classes, and who may change it."""

from __future__ import annotations

import os
import pwd
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from qtool import installation
from qtool.errors import (
    NoRunnerClass,
    NoSuchQueue,
    NoSuchRunner,
    QToolError,
    RunnerImportError,
    SettingsError,
)
from qtool.installation import Configuration, load_settings
from qtool.qfile import message_from_string
from qtool.queues.slices import SPACE
from qtool.settings import default, from_root, parse
from tests.rights import open_folder, powerless

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


TEST_RUNNER = "[runner.test]\nmax_restarts: 1\n"
MAILMAN = "[mailman]\nlayout: x\n[paths.x]\nvar_dir: {}\n"


@pytest.fixture
def config(tmp_path: Path) -> Configuration:
    return Configuration(default(tmp_path / "spool"))


def own(tmp_path: Path, text: str) -> Configuration:
    return Configuration(parse(text, source="qtool.cfg", base=tmp_path))


def mailman(tmp_path: Path) -> Configuration:
    text = MAILMAN.format(tmp_path / "var")
    return Configuration(parse(text, source="mailman.cfg", base=tmp_path))


# --- Queues


def test_looking_at_a_configuration_makes_no_folder(
    config: Configuration, tmp_path: Path
) -> None:
    for switchboard in config.switchboards.values():
        assert switchboard.files == []
    assert config.lists.get("ant@example.com") is None
    assert config.writable_reason() == ""
    assert list(tmp_path.iterdir()) == []


def test_a_queue_has_its_folder_from_the_first_enqueue(config: Configuration) -> None:
    message = message_from_string("Subject: one\n\n")
    base = config.switchboards["in"].enqueue(message)
    assert config.switchboards["in"].files == [base]
    assert not config.switchboards["out"].queue_directory.exists()


def test_a_queue_that_is_not_there_is_named(config: Configuration) -> None:
    with pytest.raises(NoSuchQueue, match="there is no queue 'on'"):
        config.switchboards["on"]
    assert "on" not in config.switchboards
    assert config.switchboards.get("on") is None
    assert list(config.switchboards) == ["in", "out", "shunt", "bad"]
    assert len(config.switchboards) == 4


def test_a_runner_that_is_not_there_is_named(config: Configuration) -> None:
    with pytest.raises(NoSuchRunner, match="there is no runner 'on'"):
        config.runner("on")


def test_shunt_and_bad_are_at_hand_even_under_a_bare_root(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    config = Configuration(from_root(tmp_path))
    assert list(config.switchboards) == ["in"]
    assert config.shunt.queue_directory == tmp_path / "shunt"
    assert config.bad.queue_directory == tmp_path / "bad"


def test_slices_are_those_of_the_configured_instances(tmp_path: Path) -> None:
    config = own(tmp_path, "[runner.in]\ninstances: 3\n[runner.out]\ninstances: 0\n")
    assert len(config.slices("in")) == 3
    assert config.slices("out") == ()


def test_slices_have_their_weights(tmp_path: Path) -> None:
    sizes = [
        (part.upper - part.lower) / SPACE
        for part in own(tmp_path, "[runner.in]\nweights: 50 30 20\n").slices("in")
    ]
    assert sizes == [0.5, 0.3, 0.2]


# --- Overlays


def test_a_pushed_runner_has_its_queue_at_once_and_none_after_pop(
    config: Configuration,
) -> None:
    config.push("test-runner", TEST_RUNNER)
    assert config.switchboards["test"].files == []
    assert config.runner("test").max_restarts == 1
    config.pop("test-runner")
    assert "test" not in config.switchboards
    with pytest.raises(NoSuchRunner):
        config.runner("test")


def test_pushing_and_popping_return_nothing(config: Configuration) -> None:
    # They are typed at a prompt, where a value would be printed.
    push: Callable[[str, str], object] = config.push
    pop: Callable[[str], object] = config.pop
    assert push("x", TEST_RUNNER) is None
    assert pop("x") is None


def test_a_queue_that_an_overlay_does_not_touch_stays_the_same_object(
    config: Configuration,
) -> None:
    before, view = config.switchboards["in"], config.switchboards
    config.push("x", TEST_RUNNER)
    assert config.switchboards["in"] is before
    assert view["test"] is config.switchboards["test"]


def test_a_second_push_of_a_name_replaces_the_first(config: Configuration) -> None:
    config.push("x", TEST_RUNNER)
    config.push("x", "[runner.other]\n")
    assert "test" not in config.switchboards
    assert "other" in config.switchboards


def test_a_wrong_overlay_changes_nothing(config: Configuration) -> None:
    with pytest.raises(SettingsError, match=r"x: \[runner.test\] instances"):
        config.push("x", "[runner.test]\ninstances: two\n")
    assert "test" not in config.switchboards
    with pytest.raises(SettingsError, match="nothing was pushed as 'x'"):
        config.pop("x")


def test_a_runner_pushed_on_a_mailman_site_makes_no_folder_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "var" / "queue").mkdir(parents=True)
    config = mailman(tmp_path)
    config.push("test-runner", TEST_RUNNER)
    message = message_from_string("Subject: one\n\n")
    with pytest.raises(QToolError):
        config.switchboards["test"].enqueue(message)
    assert list((tmp_path / "var" / "queue").iterdir()) == []


def test_loading_a_file_ends_the_overlays(
    config: Configuration, tmp_path: Path
) -> None:
    config.push("x", TEST_RUNNER)
    (tmp_path / "qtool.cfg").write_text("[qtool]\nroot: here\n[runner.mine]\n")
    config.load(tmp_path / "qtool.cfg")
    assert list(config.switchboards) == ["mine", "shunt", "bad"]
    assert config.settings.queue_root == tmp_path / "here"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"\xff\xfe", "expected text in UTF-8"),
     pytest.param(b"#" * (1 << 21), "too large for a configuration", id="large")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "qtool.cfg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=reason):
        load_settings(path)


# --- Lists


def test_lists_are_configured_or_made_and_kept_beside_the_queues(
    tmp_path: Path,
) -> None:
    text = "[list.ant@example.com]\n"
    own(tmp_path, text).lists.create("bee@example.com")
    lists = own(tmp_path, text).lists
    assert lists.get("ant.example.com")
    assert lists.get("bee.example.com")
    assert (tmp_path / "queues" / ".qtool" / "lists.json").exists()


# --- Classes


def module(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "lib").mkdir(exist_ok=True)
    (tmp_path / "lib" / f"{name}.py").write_text(text)


def with_class(tmp_path: Path, class_path: str) -> Configuration:
    return own(tmp_path, f"[paths]\npython: lib\n[runner.a]\nclass: {class_path}\n")


@pytest.fixture(autouse=True)
def same_import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_class_is_found_through_the_configured_folders(tmp_path: Path) -> None:
    module(tmp_path, "qt_house_one", "class Sorter: pass\n")
    found = with_class(tmp_path, "qt_house_one.Sorter").runner_class("a")
    assert found.__name__ == "Sorter"


def test_a_class_is_never_found_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qt_house_two.py").write_text("class Sorter: pass\n")
    monkeypatch.chdir(tmp_path)
    for entry in ("", str(tmp_path)):
        monkeypatch.setattr(sys, "path", [entry, *sys.path])
        with pytest.raises(RunnerImportError, match="No module named"):
            with_class(tmp_path, "qt_house_two.Sorter").runner_class("a")
        assert sys.path[0] == entry


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("qt_house_three", "1/0\n", "ZeroDivisionError: division by zero"),
        ("qt_house_four", "raise SystemExit(3)\n", "SystemExit: 3"),
        ("qt_house_five", "Sorter = 5\n", "that is no class"),
        ("qt_house_six", "", "AttributeError: .*Sorter"),
    ],
)
def test_a_class_that_cannot_be_imported_says_why(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    module(tmp_path, name, text)
    with pytest.raises(RunnerImportError, match=rf"\[runner.a\] class: .*{reason}"):
        with_class(tmp_path, f"{name}.Sorter").runner_class("a")


def test_no_class_waits_for_another_whose_import_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = ModuleType("qt_house_door")
    began, may_end = threading.Event(), threading.Event()
    vars(door).update(began=began, may_end=may_end)
    monkeypatch.setitem(sys.modules, "qt_house_door", door)
    module(
        tmp_path,
        "qt_house_slow",
        "import qt_house_door as door\ndoor.began.set()\n"
        "assert door.may_end.wait(60)\nclass Sorter: pass\n",
    )
    module(tmp_path, "qt_house_quick", "class Sorter: pass\n")
    (tmp_path / "qt_house_two.py").write_text("class Sorter: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(
            with_class(tmp_path, "qt_house_slow.Sorter").runner_class, "a"
        )
        assert began.wait(60)
        quick = with_class(tmp_path, "qt_house_quick.Sorter")
        try:
            assert pool.submit(quick.runner_class, "a").result(20)
            with pytest.raises(RunnerImportError):  # nor is the working folder back
                with_class(tmp_path, "qt_house_two.Sorter").runner_class("a")
            assert "" not in sys.path
        finally:
            may_end.set()
        assert slow.result(20).__name__ == "Sorter"
    assert sys.path[0] == ""


def test_who_looks_for_a_module_meanwhile_looks_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    door, entries = ModuleType("qt_house_looking"), list(sys.path)
    vars(door).update(looking=iter(sys.path), seen=[])
    monkeypatch.setitem(sys.modules, "qt_house_looking", door)
    assert next(door.looking) == ""
    text = "from qt_house_looking import *\nseen += looking\nclass Sorter: pass\n"
    module(tmp_path, "qt_house_seven", text)
    assert with_class(tmp_path, "qt_house_seven.Sorter").runner_class("a")
    assert door.seen == entries[1:]


def test_a_runner_without_a_class_says_how_to_give_it_one(tmp_path: Path) -> None:
    with pytest.raises(NoRunnerClass, match=r"set class in \[runner.in\]"):
        own(tmp_path, "[runner.in]\n").runner_class("in")


def test_no_class_of_mailmans_is_run(tmp_path: Path) -> None:
    with pytest.raises(NoRunnerClass, match="in is Mailman's own runner"):
        mailman(tmp_path).runner_class("in")


def test_the_shipped_runner_of_the_default_is_there(config: Configuration) -> None:
    assert config.runner_class("in").__name__ == "ForwardRunner"


# --- Rights


def test_a_mailman_that_never_ran_is_read_only(tmp_path: Path) -> None:
    reason = mailman(tmp_path).writable_reason()
    assert reason == f"there is no folder {tmp_path}/var/queue: start Mailman once"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("uid", [65534, 54321])
def test_root_does_not_act_in_the_spool_of_another_user(
    config: Configuration, uid: int
) -> None:
    folder = config.switchboards["in"].queue_directory
    folder.mkdir(parents=True)
    assert config.writable_reason() == ""
    os.chown(folder, uid, uid)
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"#{uid}"
    root = folder.parent
    assert config.writable_reason() == (
        f"{root} belongs to root and {folder} to {user}: give both to one of them"
        " (chown)"
    )
    os.chown(root, uid, uid)
    assert config.writable_reason() == f"you are root, and {root} belongs to {user}"


def test_a_folder_one_may_not_write_in_is_named() -> None:
    with open_folder() as folder:
        root = folder / "spool"
        root.mkdir(mode=0o555)
        configuration = Configuration(default(root))
        with powerless():
            reason = configuration.writable_reason()
    assert reason == f"you may not write in {root}"


def test_a_state_folder_of_a_newer_qtool_is_left_alone(config: Configuration) -> None:
    config.state_directory.mkdir(parents=True)
    (config.state_directory / "layout").write_text("2\n")
    assert config.writable_reason().startswith(
        f"{config.state_directory} has layout 2, and this qtool knows 1"
    )


# --- This process's own


@pytest.mark.parametrize(
    ("state", "expected"),
    [("/a/state", "/a/state/qtool/spool"), ("", "/h/.local/state/qtool/spool"),
     ("relative", "/h/.local/state/qtool/spool")],
)  # fmt: skip
def test_the_default_spool_is_in_the_users_state_folder(
    monkeypatch: pytest.MonkeyPatch, state: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_STATE_HOME", state)
    assert str(installation.default_root()) == expected


def test_the_process_has_one_configuration() -> None:
    config = installation.process_configuration()
    assert config is installation.process_configuration()
    assert config.settings.source == "built-in default"
    assert config.settings.queue_root == installation.default_root()


def test_a_sweep_tidies_every_queue_once(config: Configuration) -> None:
    """Also those that no runner works, which has nobody else."""
    name = f"1700000000.5+{'0' * 40}.pck.tmp"

    def left_over() -> int:
        return len(list(config.settings.queue_root.glob("*/*.tmp")))

    for queue in (*config.switchboards.values(), config.shunt, config.bad):
        queue.queue_directory.mkdir(parents=True, exist_ok=True)
        (queue.queue_directory / name).touch()
    assert left_over() == 4
    config.sweep()
    assert left_over() == 0

    (config.shunt.queue_directory / name).touch()
    config.sweep()
    assert left_over() == 1
