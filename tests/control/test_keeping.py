"""How long acts stay on record."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from qtool.errors import NoSuchAct
from tests.control.site import configuration, open_site
from tests.control.test_mending import files, folder, put
from tests.control.test_mending_races import cut_off, journal_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control

DAY = 86400


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    text = "[trash]\nkeep: 30d\n" + configuration(**{"in": "", "out": ""})
    control = open_site(tmp_path, text)
    yield control
    control.close()


def later(control: Control, days: int) -> None:
    now = time.time() + days * DAY
    control.clock = lambda: now


def numbers(control: Control) -> list[int]:
    return [act.number for act in control.acts()]


def test_what_is_older_than_the_trash_keeps_is_forgotten_by_the_next_act(
    control: Control,
) -> None:
    one, two = put(control, "in", 2)
    control.move("in", one, "out")
    control.hold("in", two)
    control.release("in", two)
    later(control, 29)
    assert control.hold("in", two).number == 4
    assert numbers(control) == [4, 3, 2, 1]
    later(control, 31)
    assert numbers(control) == [4, 3, 2, 1]  # looking forgets nothing
    assert control.release("in", two).number == 5
    # The newest before it was there until then: no number is given twice.
    assert numbers(control) == [5, 4]
    with pytest.raises(NoSuchAct, match="act 1 is not on record any more"):
        control.undo(1)
    with pytest.raises(NoSuchAct, match="there is no act 7"):
        control.undo_question(7)
    assert files(control, "out") == [f"{one}.pck"]  # mail is where it was put
    assert control.hold("in", two).number == 6


def test_what_still_matters_stays_on_record(control: Control) -> None:
    one, two, three = put(control, "in", 3)
    control.discard("in", one)  # 1: in the trash
    edited = control.edit("in", two, {"n": 1})  # 2: its original is
    control.undo(edited.number)  # 3: undone, so that it is not done again
    control.move("in", three, "out")  # 4: cut off, and half-way
    cut_off(control, 4)
    moved = folder(control, "out") / f"{three}.pck"
    moved.rename(moved.with_suffix(".edit"))
    control.hold("in", two)
    control.release("in", two)
    later(control, 31)
    control.hold("in", two)
    assert numbers(control) == [7, 6, 4, 3, 2, 1]
    assert {act.number: act.undone_by for act in control.acts()}[2] == 3
    for heap in control.trash():
        place = f"trash:{heap.number}"
        control.confirm(control.preview("empty", place, "all").token)
    assert control.release("in", two).note == ""
    assert numbers(control) == [8, 7, 4]
    moved.with_suffix(".edit").rename(moved)
    assert control.hold("in", two).note == (
        "not on record any more: act 4, which had been cut off long ago and left no"
        " message half-way"
    )
    assert numbers(control) == [9, 8]


def test_what_lost_metadata_where_it_stayed_keeps_its_cut_off_act_on_record(
    control: Control,
) -> None:
    one, two = put(control, "shunt", 2, whichq="in")
    control.confirm(control.preview("unshunt", "shunt", "all").token)
    cut_off(control, 1)
    shunt, queue = control.configuration.shunt, control.configuration.switchboards["in"]
    for name in (one, two):
        queue.transfer(name, shunt)  # as one that was cut off may leave it
    shunt.rewrite(two, {**shunt.peek(two).msgdata, "whichq": "in"})
    [other] = put(control, "in")
    control.hold("in", other)
    control.release("in", other)
    later(control, 31)
    control.hold("in", other)
    assert numbers(control) == [4, 3, 1]
    assert control.undo(1).skipped
    assert shunt.peek(one).msgdata["whichq"] == "in"
    later(control, 32)
    assert "act 1, which" in control.release("in", other).note
    assert 1 not in numbers(control)


def test_what_is_in_two_places_or_cannot_be_seen_keeps_its_act_on_record(
    control: Control,
) -> None:
    """As it is after a kill on the way to another disk."""
    [name] = put(control, "in")
    control.move("in", name, "out")
    cut_off(control, 1)
    copy = folder(control, "in") / f"{name}.pck"
    copy.write_bytes((folder(control, "out") / copy.name).read_bytes())
    [other] = put(control, "in")
    for act in (control.hold, control.release):
        act("in", other)
    later(control, 31)
    control.hold("in", other)
    assert numbers(control) == [4, 3, 1]
    copy.unlink()
    record = journal_of(control) / "1.jsonl"
    text = record.read_text()
    record.write_text(text.replace('"out"]', '"gone"]'))
    os.utime(record, (0, 0))
    control.release("in", other)
    assert 1 in numbers(control)
    record.write_text(text)
    os.utime(record, (0, 0))
    control.hold("in", other)
    assert 1 not in numbers(control)


def test_a_day_is_kept_where_no_trash_is(tmp_path: Path) -> None:
    control = open_site(tmp_path, "[trash]\nkeep: 0s\n[runner.in]\n")
    [name] = put(control, "in")
    control.hold("in", name)
    control.release("in", name)
    now = time.time() + DAY / 2
    control.clock = lambda: now
    control.hold("in", name)
    assert numbers(control) == [3, 2, 1]
    control.close()


def test_an_act_is_not_forgotten_by_its_own_undo(control: Control) -> None:
    [name] = put(control, "in")
    control.move("in", name, "out")
    control.hold("out", name)
    control.release("out", name)
    later(control, 31)
    assert control.undo(1).done == (name,)
    assert numbers(control) == [4, 3, 1]
    assert files(control, "in") == [f"{name}.pck"]
