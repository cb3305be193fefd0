from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from qtool.control import open_demo
from qtool.control.models import State
from qtool.demo import content, folders, site
from qtool.demo.runners import Outgoing
from qtool.installation import Configuration, default_root
from qtool.queues.slices import whole
from tests.control.site import Boards, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control import Control


@pytest.fixture(scope="module")
def demo() -> Iterator[Control]:
    """A demo at which several tests look, whatever its age."""
    control = open_demo()
    yield control
    control.close(unclaim=True)


def test_its_runners_run_and_mail_moves(demo: Control) -> None:
    boards = Boards(demo)
    running = boards.wait(
        lambda b: all(r.state is State.RUNNING for r in b.rows if r.runner)
    )
    assert running.site.source == "qtool demo"
    first = running.row("out")
    assert first is not None
    boards.wait(lambda b: b.row("out") != first)
    eventually(lambda: any("delivered to" in line.text for line in demo.log()))


def test_one_slice_is_sick_from_the_beginning() -> None:
    demo = open_demo()
    row = demo.scan().row("out")
    demo.close(unclaim=True)
    assert row is not None
    depths = [0] * row.runner_slices
    for cell in row.cells:
        depths[cell.owner] += cell.depth
    assert depths.index(max(depths)) == 5
    assert max(depths) > 30
    assert sorted(depths)[-2] < 10


def test_a_damaged_file_is_preserved_and_some_are_shunted(demo: Control) -> None:
    eventually(lambda: any(n.endswith(".psv") for n in demo.names("bad")))
    shunted = demo.entries("shunt")
    assert len(shunted) == 3
    view = demo.entry("shunt", shunted[0].filebase)
    assert view.msgdata["whichq"] == "command"
    assert "no such command" in view.msgdata["shunt_error"]


def test_its_spool_is_removed_at_the_end() -> None:
    control = open_demo()
    spool = Path(control.site().spool)
    assert spool.parent == default_root().parent
    assert "qtool" in spool.name
    assert spool.exists()
    control.close(unclaim=True)
    assert not spool.exists()


def test_spools_of_dead_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    code = "from qtool.demo.folders import make_spool; print(make_spool())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    dead = Path(done.stdout.strip())
    assert dead.is_dir()
    unmarked = dead.with_name(f"{dead.name}-7")
    unmarked.mkdir()
    elsewhere = dead.with_name("qtool-demo-another_host-1-1")
    elsewhere.mkdir()
    (elsewhere / ".qtool-demo").touch()
    link = dead.with_name(f"{dead.name}-8")
    link.symlink_to(tmp_path)
    (tmp_path / ".qtool-demo").touch()
    living = folders.make_spool()
    second = folders.make_spool()
    assert not dead.exists()
    assert all(p.exists() for p in (living, second, unmarked, elsewhere, tmp_path))
    assert (tmp_path / ".qtool-demo").exists()
    for spool in (living, second):
        folders.remove(spool)
        assert not spool.exists()
    for left in (unmarked, elsewhere):
        folders.remove(left)
    assert unmarked.exists()
    link.unlink()
    unmarked.rmdir()


def test_a_reused_process_number_is_another_process(tmp_path: Path) -> None:
    host = os.uname().nodename.replace("-", "_")
    spool = tmp_path / f"qtool-demo-{host}-{os.getpid()}-1"
    spool.mkdir()
    (spool / ".qtool-demo").touch()
    assert folders.remove_dead(tmp_path) == [spool]
    assert not spool.exists()


def test_the_same_seed_gives_the_same_mail(tmp_path: Path) -> None:
    subjects = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        site.fill(tmp_path / name, seed=3)
        queue = Configuration(site.demo_settings(tmp_path / name)).switchboards["out"]
        found = sorted(str(queue.peek(base).message["subject"]) for base in queue.files)
        subjects.append(found)
    assert subjects[0] == subjects[1]


def test_every_list_of_the_mail_is_configured(tmp_path: Path) -> None:
    lists = Configuration(site.demo_settings(tmp_path)).lists
    random = Random(1)
    for make in (content.post, content.command, content.bounce):
        letter = make(random, 1_700_000_000.0)
        assert lists.get(letter.msgdata["listid"]) is not None


def test_the_sick_slice_has_a_bound(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    site.fill(tmp_path / "spool")
    config = Configuration(site.demo_settings(tmp_path / "spool"))
    runner = Outgoing("out", 5, config=config)
    assert runner.is_slow()
    queue = config.switchboards["out"]
    message, msgdata = queue.peek(queue.files[0]).message, {"listid": "x"}
    queue.enqueue_many([(message, msgdata)] * 250)
    assert queue.scan([whole()]).depth > runner.option("slow_until", 0)
    assert not runner.is_slow()
