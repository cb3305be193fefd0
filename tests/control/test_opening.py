from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qtool.control.models import State
from qtool.control.opening import open_fixed, open_site
from qtool.errors import SettingsError
from tests.control.site import Boards


def test_without_anything_the_site_is_the_built_in_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    control = open_site()
    site = control.site()
    assert site.source == "built-in default"
    assert site.spool.endswith("/qtool/spool")
    assert [row.name for row in control.scan().rows] == ["in", "out", "shunt", "bad"]
    assert not Path(site.spool).exists()
    control.close()


def test_a_folder_of_queues_needs_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    control = open_site(root=tmp_path)
    assert [row.name for row in control.scan().rows] == ["a", "b"]
    assert control.site().source == f"--root {tmp_path}"
    control.close()


def test_a_configuration_is_read_from_its_file(tmp_path: Path) -> None:
    config = tmp_path / "site.cfg"
    config.write_text("[qtool]\nroot: here\n[runner.mine]\n")
    control = open_site(config_file=config, program_directory=tmp_path)
    assert control.site().spool == str(tmp_path / "here")
    assert control.site().source == str(config)
    assert control.configuration.settings.program_directory == tmp_path
    control.close()


def test_a_wrong_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.cfg"):
        open_site(config_file=tmp_path / "none.cfg")


def test_a_wrong_filter_in_a_configuration_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "site.cfg"
    config.write_text("[filter.old]\nwhere: age>3x\n")
    with pytest.raises(SettingsError) as caught:
        open_site(config_file=config)
    assert str(caught.value) == (
        f"{config}: [filter.old] where: filter, at character 5: expected"
        " a duration such as 15m, 1h30m or 3d, not '3x'"
    )


def test_commands_that_look_once_load_no_watcher(tmp_path: Path) -> None:
    control = open_site(root=tmp_path)
    control.scan()
    assert control.site().watching == ""
    control.close()


def test_a_fixed_site_looks_the_same_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.control.observer.TICK_SECONDS", 0.1)
    rows = []
    for name in ("one", "two"):
        control = open_fixed(tmp_path / name)
        boards = Boards(control)
        board = boards.wait(lambda board: all(r.depth is not None for r in board.rows))
        boards.wait(lambda _, boards=boards: len(boards.seen) > 2)  # type: ignore[misc]
        looks = [
            [replace(row, running=()) for row in b.rows]  # but for what they cost
            for b in (*boards.seen[1:], board)
        ]
        assert all(look == looks[-1] for look in looks)
        rows.append([(r, r.rate_in, r.trend) for r in looks[-1]])
        control.close()
    assert rows[0] == rows[1]
    assert len(rows[0]) == 14


def test_in_a_fixed_site_one_slice_is_sick(tmp_path: Path) -> None:
    control = open_fixed(tmp_path / "queues", 16)
    row = control.scan().row("out")
    assert row is not None
    depths = sorted(cell.depth for cell in row.cells)
    assert len(depths) == 16
    assert depths[-1] > 20 * max(1, depths[-2])
    assert row.trend[-1] > 2 * row.trend[0]
    failed = [r.name for r in control.scan().rows if r.state is State.FAILED]
    assert failed == ["notify"]
    control.close()
