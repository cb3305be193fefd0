from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.control import Control
from qtool.errors import ReadOnly
from tests.control.site import HERE, configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACTS: dict[str, Callable[[Control], Any]] = {
    "start": lambda control: control.start("in"),
    "stop": lambda control: control.stop("in"),
    "pause": lambda control: control.pause("in"),
    "resume": lambda control: control.resume("in"),
    "start_all": lambda control: control.start_all(),
    "reload": lambda control: control.reload(),
    "snooze": lambda control: control.snooze("in", 2.0),
    "step": lambda control: control.step("in"),
    "inject": lambda control: control.inject("in", b"Subject: x\n\nx\n", {}),
    "drain": lambda control: control.drain(),
}


def test_exactly_these_calls_are_acts() -> None:
    marked = {
        name
        for name, method in inspect.getmembers(Control, inspect.isfunction)
        if getattr(method, "is_act", False)
    }
    assert marked == set(ACTS)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_refused_where_read_only_was_asked_for(
    name: str, tmp_path: Path
) -> None:
    text = configuration(**{"in": f"class: {HERE}.Taking"})
    control = open_site(tmp_path, text, read_only=True)
    put(control, "in")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ReadOnly) as refused:
        ACTS[name](control)
    assert str(refused.value) == "read-only was asked for"
    assert control.site().read_only == "read-only was asked for"
    control.close()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_root_does_not_act_in_the_spool_of_another_user(tmp_path: Path) -> None:
    control = open_site(tmp_path, configuration(**{"in": f"class: {HERE}.Taking"}))
    put(control, "in")
    for path in [tmp_path / "queues", *(tmp_path / "queues").iterdir()]:
        os.chown(path, 65534, -1)
    for act in ACTS.values():
        with pytest.raises(ReadOnly, match=r"you are root, and \S+ belongs to \S+"):
            act(control)
    row = control.scan().row("in")
    assert row is not None
    assert row.depth == 1
    control.close()
