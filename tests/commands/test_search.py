"""Where the configuration is looked for, and which one is trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qtool.commands import search
from qtool.commands.search import (
    configuration_file,
    distrust,
    mailman_programs,
    socket_folders,
)
from qtool.errors import SettingsError


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, and no configuration of this machine."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(search, "_SYSTEM", tmp_path / "etc" / "qtool.cfg")
    mailman = (tmp_path / "etc" / "a.cfg", tmp_path / "etc" / "b.cfg")
    monkeypatch.setattr(search, "_MAILMAN_PLACES", mailman)


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[qtool]\n")
    path.chmod(0o644)
    return path


def test_there_may_be_none(tmp_path: Path) -> None:
    assert configuration_file({"HOME": str(tmp_path)}) is None
    assert configuration_file({}) is None


def test_the_places_are_taken_in_their_order(tmp_path: Path) -> None:
    environment = {
        "QTOOL_CONFIG": str(tmp_path / "named.cfg"),
        "HOME": str(tmp_path),
        "MAILMAN_CONFIG_FILE": str(tmp_path / "mailman.cfg"),
    }
    places = [
        tmp_path / "named.cfg",
        Path("qtool.cfg"),
        tmp_path / ".config" / "qtool" / "qtool.cfg",
        tmp_path / "etc" / "qtool.cfg",
        tmp_path / "mailman.cfg",
        tmp_path / "etc" / "a.cfg",
        tmp_path / "etc" / "b.cfg",
    ]
    for place in places:
        made(place)
    for place in places:
        assert configuration_file(environment) == place
        place.unlink()
        for variable, named in tuple(environment.items()):
            if named == str(place):
                del environment[variable]
    assert configuration_file(environment) is None


def test_the_users_configuration_folder_may_be_elsewhere(tmp_path: Path) -> None:
    place = made(tmp_path / "elsewhere" / "qtool" / "qtool.cfg")
    found = configuration_file({"XDG_CONFIG_HOME": str(tmp_path / "elsewhere")})
    assert found == place
    assert configuration_file({"XDG_CONFIG_HOME": "relative"}) is None


@pytest.mark.parametrize("variable", ["QTOOL_CONFIG", "MAILMAN_CONFIG_FILE"])
def test_a_named_file_that_is_missing_is_an_error(variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        configuration_file({variable: "/nonexistent/file.cfg"})


def test_a_file_in_the_working_folder_that_others_may_write_is_ignored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for mode in (0o664, 0o646):
        made(Path("qtool.cfg")).chmod(mode)
        assert configuration_file({}) is None
        told = capsys.readouterr().err
        assert "./qtool.cfg is ignored: others may write it" in told


def test_a_file_in_the_working_folder_of_another_user_is_ignored() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    path = made(Path("qtool.cfg"))
    os.chown(path, 12345, 12345)
    assert "belongs to another user" in distrust(path)
    assert configuration_file({}) is None
    path.unlink()
    path.symlink_to(made(Path("mine.cfg")))
    os.lchown(path, 12345, 12345)
    assert "belongs to another user" in distrust(path)


def test_what_is_no_file_in_the_working_folder_is_ignored() -> None:
    path = Path("qtool.cfg")
    path.mkdir()
    assert distrust(path) == "it is no regular file"
    path.rmdir()
    path.symlink_to("dangling")
    assert distrust(path) == "No such file or directory"
    assert configuration_file({}) is None


def test_sockets_may_be_in_a_folder_for_each_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.commands.search._RUNTIME", tmp_path / "run")
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert socket_folders(environment) == [tmp_path / "run", tmp_path / "qtool"]
    for name in ("list", "anne"):
        (tmp_path / "run" / name).mkdir(parents=True)
    made(tmp_path / "run" / "x.sock")
    assert socket_folders({**environment, "RUNTIME_DIRECTORY": "/run/here"}) == [
        Path("/run/here"), tmp_path / "run", tmp_path / "run" / "anne",
        tmp_path / "run" / "list", tmp_path / "qtool",
    ]  # fmt: skip


def test_mailmans_programs_are_found_where_both_are(tmp_path: Path) -> None:
    programs = {"a": ["runner"], "b": ["mailman"], "c": ["runner", "mailman"]}
    for folder, names in programs.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text("#!/bin/sh\n")
            (tmp_path / folder / name).chmod(0o755)
    path = os.pathsep.join(["", "c", *(str(tmp_path / name) for name in "abc")])
    assert mailman_programs({"PATH": path}) == tmp_path / "c"
    assert mailman_programs({"PATH": str(tmp_path / "a")}) is None
    assert mailman_programs({}) is None
