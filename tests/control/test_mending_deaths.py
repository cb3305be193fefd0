"""Acts whose process dies at any of its calls, or whose disk fails: none is lost."""

from __future__ import annotations

import errno
import os
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.acts import groups
from qtool.control.acts.undoing import UNDO
from qtool.control.places import place
from qtool.errors import NoSuchAct, Refused
from qtool.queues import durable
from tests.control.site import configuration, open_site
from tests.control.test_mending import put
from tests.queues.conftest import elsewhere
from tests.queues.dying import at_every_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.control import Control

__all__ = ["elsewhere"]

Held = dict[str, list[tuple[str, dict[str, Any]]]]

Far = tuple[str, Path] | None
"""A queue that is on another disk, and where."""
QUEUES = ("in", "out", "shunt")
ASIDE = ("held:in", "trash:1", "trash:2")


def confirmed(control: Control, verb: str, queue: str, to: str = "") -> Control:
    control.confirm(control.preview(verb, queue, "all", to=to).token)
    return control


def edited(control: Control) -> None:
    for name in control.configuration.switchboards["in"].files:
        msgdata = dict(control.entry("in", name).msgdata)
        control.edit("in", name, {**msgdata, "n": 99})


def edited_and_undone(control: Control) -> None:
    edited(control)
    for _ in range(3):
        control.undo()


ACTS: dict[str, Callable[[Control], object]] = {
    "move": lambda control: confirmed(control, "move", "in", "out"),
    "hold": lambda control: confirmed(control, "hold", "in"),
    "discard": lambda control: confirmed(control, "discard", "in"),
    "requeue": lambda control: confirmed(control, "requeue", "in"),
    "unshunt": lambda control: confirmed(control, "unshunt", "shunt"),
    "edit": edited,
    "undo of a move": lambda control: confirmed(control, "move", "in", "out").undo(),
    "undo of an edit": edited_and_undone,
    "undo of an unshunt": lambda control: confirmed(control, "unshunt", "shunt").undo(),
}


def opened(root: Path, far: Far) -> Control:
    """Open a site with a queue on another disk."""
    root.mkdir(exist_ok=True)
    paths = {} if far is None else {far[0]: f"path: {far[1] / root.name}"}
    if far is not None:
        (far[1] / root.name).mkdir(exist_ok=True)
    return open_site(root, configuration(**{"in": "", "out": "", **paths}))


def held_at(control: Control, *names: str) -> Held:
    """What waits at some places, once those who died there have been swept away."""
    found: Held = {}
    for name in names:
        switchboard = place(control.configuration, name)
        switchboard.sweep()
        held = [(each, switchboard.peek(each).msgdata) for each in switchboard.files]
        found[name] = held
    return found


def numbers(held: Held) -> Counter[int]:
    return Counter(msgdata["n"] for each in held.values() for _, msgdata in each)


def prepared(root: Path, far: Far, count: int) -> Held:
    with closing(opened(root, far)) as control:
        for n in range(count):
            put(control, "in", n=n)
            put(control, "shunt", n=10 + n, whichq="out", shunt_error=f"Error: {n}")
        return held_at(control, *QUEUES)


def check(root: Path, far: Far, verb: str, before: Held, *, swept: bool = True) -> bool:
    """Each message is there once, and undo brings all back; tell if any was cut off."""
    tops = [root] if far is None else [root, far[1] / root.name]
    visible = Counter(path.name for top in tops for path in top.rglob("*.pck"))
    if "edit" not in verb:
        assert set(visible.values()) <= {1}
    if "edit" not in verb and far is None and swept:
        assert set(visible.values()) == {1}  # before anybody has swept
    with closing(opened(root, far)) as control:
        if swept and "edit" not in verb:
            there = numbers(held_at(control, *QUEUES, *ASIDE))
            repeated = there - Counter(set(there))
            assert set(there) == set(numbers(before)), there
            assert repeated.total() <= (0 if far is None else 1), there
        acts = control.acts()
        assert len({act.number for act in acts}) == len(acts)
        assert not any(act.is_under_way or act.damage for act in acts)
        was_cut_off = any(act.done is None for act in acts)
        for act in acts:
            if act.verb != UNDO and not act.undone_by:
                with suppress(Refused):  # it did nothing
                    control.undo(act.number)
        assert held_at(control, *QUEUES) == before
        if "edit" not in verb:
            assert numbers(held_at(control, *ASIDE)) == Counter()
        assert list(root.rglob("*.psv")) == []
    return was_cut_off


def _at_every_call(
    tmp_path: Path,
    far: Far,
    verb: str,
    error: int | None = None,
    *,
    count: int = 3,
    swept: bool = True,
    disk: Callable[[int], Path] | None = None,
) -> int:
    """Let an act die or fail at each call; return how many acts were cut off."""
    cut_off = []

    def made(last: int) -> tuple[Callable[[], object], Callable[[], object]]:
        root = tmp_path / str(last)
        before = prepared(root, far, count)
        control = opened(root, far)

        def act() -> None:
            with closing(control), suppress(Refused, NoSuchAct):
                ACTS[verb](control)

        def check_it() -> None:
            cut_off.append(check(root, far, verb, before, swept=swept))

        return act, check_it

    at_every_call(made, error, disk=disk)
    return sum(cut_off)


@pytest.mark.long
@pytest.mark.parametrize("verb", ACTS)
def test_killed_at_any_call_all_can_be_taken_back(tmp_path: Path, verb: str) -> None:
    assert _at_every_call(tmp_path, None, verb) > 3


@pytest.mark.long
@pytest.mark.parametrize("verb", ["unshunt", "undo of an unshunt"])
@pytest.mark.parametrize("error", [None, errno.EIO, errno.ENOSPC])
def test_in_whatever_group_it_dies_or_fails_all_can_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, error: int | None
) -> None:
    monkeypatch.setattr(groups, "TOGETHER", 2)
    assert _at_every_call(tmp_path, None, verb, error, count=5) > 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("verb", "queue"),
    [
        ("move", "out"), ("unshunt", "out"), ("undo of a move", "out"),
        ("hold", "in"), ("discard", "in"), ("edit", "in"),
        ("undo of an edit", "in"),
    ],
)  # fmt: skip
def test_killed_on_the_way_to_another_disk_all_can_be_taken_back(
    tmp_path: Path, elsewhere: Path, verb: str, queue: str
) -> None:
    assert _at_every_call(tmp_path, (queue, elsewhere), verb) > 3


@pytest.mark.long
@pytest.mark.parametrize("verb", ["unshunt", "undo of a move", "undo of an unshunt"])
def test_killed_on_that_way_all_can_be_taken_back_before_anybody_has_swept(
    tmp_path: Path, elsewhere: Path, verb: str
) -> None:
    far = "out", elsewhere
    assert _at_every_call(tmp_path, far, verb, count=1, swept=False) > 3


@pytest.mark.long
@pytest.mark.parametrize(
    "verb", ["move", "unshunt", "undo of a move", "undo of an unshunt"]
)
def test_where_that_disk_fails_for_good_none_waits_twice_and_all_can_be_taken_back(
    tmp_path: Path, elsewhere: Path, verb: str
) -> None:
    def disk(last: int) -> Path:
        return elsewhere / f"{last}"

    far = "out", elsewhere
    _at_every_call(tmp_path, far, verb, errno.EIO, count=1, swept=False, disk=disk)


@pytest.mark.long
def test_what_is_discarded_from_another_disk_can_be_taken_back_where_the_trash_fails(
    tmp_path: Path, elsewhere: Path
) -> None:
    def disk(last: int) -> Path:
        return tmp_path / f"{last}" / "queues" / ".qtool" / "trash"

    far, verb = ("in", elsewhere), "discard"
    _at_every_call(tmp_path, far, verb, errno.EIO, count=2, swept=False, disk=disk)


@pytest.mark.long
@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("verb", ACTS)
def test_where_a_folder_fails_for_good_none_waits_twice_and_all_can_be_taken_back(
    tmp_path: Path, verb: str, queue: str
) -> None:
    def disk(last: int) -> Path:
        return tmp_path / f"{last}" / "queues" / queue

    _at_every_call(tmp_path, None, verb, errno.EIO, count=2, swept=False, disk=disk)


@pytest.mark.long
@pytest.mark.parametrize("verb", ["unshunt", "edit", "undo of an unshunt"])
def test_whatever_call_finds_the_disk_full_all_can_be_taken_back(
    tmp_path: Path, verb: str
) -> None:
    assert _at_every_call(tmp_path, None, verb, errno.ENOSPC) > 0


def test_a_copy_that_a_failing_disk_does_not_let_go_is_told_and_waits_nowhere(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, far = tmp_path / "site", ("out", elsewhere)
    before = prepared(root, far, 1)

    def broken(call: Callable[[str], None]) -> Callable[[str], None]:
        def fail(path: str) -> None:
            if str(path).startswith(str(elsewhere)):
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
            call(path)

        return fail

    with closing(opened(root, far)) as control:
        token = control.preview("move", "in", "all", to="out").token
        with monkeypatch.context() as patch:
            patch.setattr(durable, "sync_folder", broken(durable.sync_folder))
            patch.setattr(os, "unlink", broken(os.unlink))
            result = control.confirm(token)
        assert [each.reason for each in result.failed] == [
            "Input/output error; it may be left in a hand in out: undo, or try again"
        ]
        out = place(control.configuration, "out")
        [copy] = out.get_files(".edit")
        assert (out.files, place(control.configuration, "in").files) == ([], [copy])
        control.undo(result.number)
        assert held_at(control, *QUEUES) == before


def test_what_a_full_disk_kept_from_being_put_right_is_put_right_by_undo(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lost metadata where it stayed: not the copy, nor its own again had room."""
    root, far = tmp_path / "site", ("out", elsewhere)
    before = prepared(root, far, 2)
    write_new, room = durable.write_new, [1, 2]  # of the group

    def write(path: str, data: bytes, *, sync: bool = True) -> None:
        if path.endswith(".tmp"):
            if not room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
            room.pop()
        write_new(path, data, sync=sync)

    with closing(opened(root, far)) as control:
        token = control.preview("unshunt", "shunt", "all").token
        with monkeypatch.context() as patch:
            patch.setattr(durable, "write_new", write)
            result = control.confirm(token)
        assert [len(m) for m in (result.done, result.failed)] == [0, 1]
        [failed] = (missed.filebase for missed in result.failed)
        assert "whichq" not in control.entry("shunt", failed).msgdata
        assert control.undo(result.number).done == (failed,)
        assert held_at(control, *QUEUES) == before
