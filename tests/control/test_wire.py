from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

import pytest

from qtool import errors
from qtool.control import models
from qtool.control.models import (
    Board,
    Cell,
    Enqueued,
    EntryView,
    Outcome,
    QueueRow,
    Site,
    State,
    StepReport,
)
from qtool.control.serving import wire
from qtool.msgdata import Opaque

SITE = Site(spool="/s", source="x", kind="own", read_only="", watching="events")


def there_and_back(hint: object, value: object) -> Any:
    return wire.loaded(hint, json.loads(json.dumps(wire.dumped(value))))


def test_a_board_arrives_as_it_was_sent() -> None:
    cell = Cell(depth=1, in_flight=0, oldest=None, owner=0, state=State.PAUSED)
    row = QueueRow(
        name="in", has_queue=True, runner=None, runner_slices=2, cells=(cell, cell),
        trend=(1, 2), state=State.CLAIMED, rate_in=0.25, oldest=math.inf,
    )  # fmt: skip
    board = Board(at=1.5, rows=(row,), site=SITE)
    arrived = there_and_back(Board, board)
    assert arrived == board
    assert type(arrived.rows[0].cells[0].state) is State


def test_metadata_keeps_what_json_has_no_word_for() -> None:
    msgdata = {
        "when": datetime(2026, 1, 1, tzinfo=UTC), "for": timedelta(1), "raw": b"\xff",
        "who": {"a"}, "three": (1, 2), "odd": Opaque("x.Y"), "text": "\udce9",
    }  # fmt: skip
    report = StepReport(
        runner="in", queue="in", filebase=None, outcome=Outcome.KEPT, after={"a": 1},
        enqueued=(Enqueued(queue="out", filebase="1+2"),),
    )  # fmt: skip
    assert there_and_back(StepReport, report) == report
    view = EntryView(
        queue="in", filebase="1+2", suffix=".pck", path="/x", size=1, msgdata=msgdata
    )
    assert there_and_back(EntryView, view) == view


def test_metadata_that_was_cut_is_shown_as_that_and_never_kept() -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    view = EntryView(
        queue="in", filebase="1+2", suffix=".pck", path="/x", size=1,
        msgdata={"deep": deep},
    )  # fmt: skip
    assert "$cut" in str(there_and_back(EntryView, view).msgdata)
    hint = get_type_hints(EntryView, localns=wire.NAMES)["msgdata"]
    with pytest.raises(ValueError, match=r"\$cut"):
        there_and_back(hint, {"deep": deep})


def test_bytes_may_be_typed_as_text() -> None:
    assert there_and_back(bytes, b"\xff\x00") == b"\xff\x00"
    assert wire.loaded(bytes, "ä") == "ä".encode()


@pytest.mark.parametrize(
    ("hint", "wrong"),
    [
        (str, 1), (int, "1"), (int, True), (float, "1"), (bool, 1), (bytes, 1),
        (list[str], "x"), (Site, {}), (State, "none"), (int | None, "x"),
        (float, 10**400), (float | None, -(10**400)),
    ],
)  # fmt: skip
def test_what_is_of_another_type_is_refused(hint: object, wrong: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        wire.loaded(hint, wrong)


def test_what_a_later_qtool_says_besides_is_left_alone() -> None:
    said = {**wire.dumped(SITE), "weather": "fine"}
    assert wire.loaded(Site, said) == SITE


def test_every_error_is_raised_again_as_what_it_was() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.QToolError)
    ]
    assert len(kinds) > 10
    for kind in kinds:
        again = wire.loaded_error(wire.dumped_error(kind("said once")))
        assert (type(again), str(again)) == (kind, "said once")
    full = OSError(28, "No space left on device", "/spool/in")
    again = wire.loaded_error(wire.dumped_error(full))
    assert isinstance(again, OSError)
    assert (again.errno, again.filename) == (28, "/spool/in")
    assert type(wire.loaded_error({"type": "Exotic", "message": "x"})) is (
        errors.QToolError
    )


def test_every_model_can_travel() -> None:
    for name in models.__all__:
        kind = getattr(models, name)
        if isinstance(kind, type):
            with pytest.raises((ValueError, TypeError)):
                wire.loaded(kind, object())
