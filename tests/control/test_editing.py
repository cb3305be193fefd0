"""Edits of a waiting entry: types are kept, the original too, and a runner wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import Refused
from qtool.qfile import message_from_bytes, read
from tests.control.site import configuration, open_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from qtool.control.control import Control

MAIL = (
    b"Received: from a\nReceived: from b\nSubject: =?utf-8?q?h=C3=A9llo?=\n"
    b"From: anne@example.com\nX-Raw: caf\xe9\n\nB\xf6dy.\n"
)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, configuration(**{"in": "", "out": ""}))
    yield control
    control.close()


def put(control: Control, **msgdata: object) -> str:
    queue = control.configuration.switchboards["in"]
    return queue.enqueue(message_from_bytes(MAIL), msgdata)


def path(control: Control, name: str, queue: str = "in") -> Path:
    return control.configuration.switchboards[queue].queue_directory / f"{name}.pck"


def test_metadata_is_changed_and_the_message_is_not(control: Control) -> None:
    name = put(control, tries=3, tags={"a"}, colour="red")
    before = read(path(control, name))
    view = control.entry("in", name)
    wanted = {**view.msgdata, "tries": 4, "size": 7}
    del wanted["colour"]
    result = control.edit("in", name, wanted, seen=view.seen, why="too few")
    assert result.done == (name,)
    after = read(path(control, name))
    assert after.message_bytes == before.message_bytes
    kept = {key: before.msgdata[key] for key in before.msgdata if key != "colour"}
    assert after.msgdata == {**kept, "tries": 4, "size": 7}


def test_an_edit_is_undone_and_done_again(control: Control) -> None:
    name = put(control, tries=3)
    original = path(control, name).read_bytes()
    control.edit("in", name, {"tries": 4})
    edited = path(control, name).read_bytes()
    back = control.undo()
    assert back.done == (name,)
    assert path(control, name).read_bytes() == original
    assert control.undo(back.number).done == (name,)
    assert path(control, name).read_bytes() == edited


def test_a_changed_header_leaves_the_others_as_they_came(control: Control) -> None:
    name = put(control)
    view = control.entry("in", name)
    headers = tuple(
        (key, "bob@example.com") if key == "From" else (key, value)
        for key, value in view.headers
        if value != "from b"
    )
    control.edit("in", name, headers=(*headers, ("X-Note", "größer")))
    wire = read(path(control, name)).message.as_bytes()
    assert wire == (
        b"Received: from a\nSubject: =?utf-8?q?h=C3=A9llo?=\n"
        b"From: bob@example.com\nX-Raw: caf\xe9\n"
        b"X-Note: =?utf-8?b?Z3LDtsOfZXI=?=\n\nB\xf6dy.\n"
    )


@pytest.mark.parametrize(
    ("msgdata", "reason"),
    [
        ({"tries": "3"}, "tries is number, and would become str"),
        ({"tags": ["a"]}, "tags is set, and would become list"),
        ({"flag": 1}, "flag is bool, and would become number"),
        ({"whichq": "nowhere"}, "there is no queue"),
        ({"_secret": 1}, "a runner sets this"),
    ],
)
def test_a_slip_of_the_pen_is_refused(
    control: Control, msgdata: Mapping[str, Any], reason: str
) -> None:
    name = put(control, tries=3, tags={"a"}, flag=True)
    before = path(control, name).read_bytes()
    with pytest.raises(Refused, match=reason):
        control.edit("in", name, msgdata)
    assert path(control, name).read_bytes() == before
    assert control.acts() == []


@pytest.mark.parametrize(
    "header",
    [("Bad Name", "x"), ("", "x"), ("X", "a\nB: c"), ("X", "a\r\n"), ("X", "\0")],
)
def test_a_header_that_would_break_the_message_is_refused(
    control: Control, header: tuple[str, str]
) -> None:
    name = put(control)
    with pytest.raises(Refused):
        control.edit("in", name, headers=(header,))


def test_of_two_who_edit_the_second_is_told(control: Control) -> None:
    name = put(control, tries=3)
    seen = control.entry("in", name).seen
    assert control.edit("in", name, {"tries": 4}, seen=seen).done == (name,)
    with pytest.raises(Refused, match="another file since"):
        control.edit("in", name, {"tries": 5}, seen=seen)
    assert read(path(control, name)).msgdata["tries"] == 4


def test_what_a_runner_has_taken_is_not_edited_and_leaves_no_copy(
    control: Control,
) -> None:
    name = put(control, tries=3)
    control.configuration.switchboards["in"].dequeue(name)
    result = control.edit("in", name, {"tries": 4})
    assert result.done == ()
    assert "in flight" in result.skipped[0].reason
    assert control.trash() == []


def test_the_undo_of_an_edit_loses_to_a_runner(control: Control) -> None:
    name = put(control, tries=3)
    control.edit("in", name, {"tries": 4})
    queue = control.configuration.switchboards["in"]
    queue.dequeue(name)
    queue.finish(name)
    result = control.undo()
    assert result.done == ()
    assert "cannot come back" in result.skipped[0].reason
    assert queue.names() == []


def test_nothing_to_change_is_refused(control: Control) -> None:
    with pytest.raises(Refused, match="nothing is to be changed"):
        control.edit("in", put(control))
