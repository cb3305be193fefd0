"""Looking at the classes of runners: none holds up who looks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from qtool.engine.classes import Looks
from qtool.engine.status import RunnerState
from qtool.errors import ClassImporting, RunnerImportError
from qtool.installation import Configuration
from qtool.settings import parse
from tests.engine.conftest import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Site


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A pipe: the module is imported once somebody has written into it."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def config(tmp_path: Path, gate: Path, ending: str = "pass") -> Configuration:
    """Return a site with a class whose module ends so, once the gate is open."""
    module = f"slow_module_{ending.strip('/ ')[0]}"  # folders of other tests stay known
    (tmp_path / f"{module}.py").write_text(
        "from pathlib import Path\nfrom qtool import Runner\n"
        f"Path({str(gate)!r}).read_text()\n{ending}\n"
        "class Slow(Runner): pass\n"
    )
    text = (
        f"[qtool]\nroot: {tmp_path / 'queues'}\n[paths]\npython: {tmp_path}\n"
        f"[runner.quick]\n[runner.slow]\nclass: {module}.Slow\ninstances: 2\n"
    )
    return Configuration(parse(text, source="test.cfg", base=tmp_path))


def test_who_looks_does_not_wait_for_an_import(tmp_path: Path, gate: Path) -> None:
    site = config(tmp_path, gate)
    hasty, patient = Looks(site, 0.0), Looks(site, TIMEOUT)
    for _ in range(2):
        with pytest.raises(ClassImporting, match="which takes long"):
            hasty.look("slow")
    gate.write_text("go on")
    patient.look("slow")


def test_what_an_import_ends_with_is_told(tmp_path: Path, gate: Path) -> None:
    site = config(tmp_path, gate, ending="1 / 0")
    looks = Looks(site, 0.0)
    with pytest.raises(ClassImporting):
        looks.look("slow")
    gate.write_text("go on")
    assert looks._begun["slow"].wait(TIMEOUT)
    with pytest.raises(RunnerImportError, match="ZeroDivisionError"):
        looks.look("slow")


def test_a_class_is_shown_as_it_is_found(site: Site) -> None:
    site.runner("in", instances=2)
    master = site.master()
    thread = master._thread("in", 0)

    def is_importing(name: str) -> None:
        raise ClassImporting(f"{name} takes long")

    def is_wrong(name: str) -> None:
        raise RunnerImportError(f"{name} is wrong")

    for path, look, state, note in (
        ("a.B", is_importing, RunnerState.IMPORT_ERROR, "in takes long"),
        ("a.B", lambda _: None, RunnerState.STOPPED, ""),
        ("a.B", is_wrong, RunnerState.STOPPED, ""),
        ("a.C", is_wrong, RunnerState.IMPORT_ERROR, "in is wrong"),
        ("a.C", lambda _: None, RunnerState.IMPORT_ERROR, "in is wrong"),
        ("a.D", lambda _: None, RunnerState.STOPPED, ""),
    ):
        thread.check(path, look)
        status = thread.status(1.0)
        assert (status.state, status.note) == (state, note)
