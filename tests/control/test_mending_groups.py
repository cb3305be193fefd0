"""Acts that rewrite many entries wait for the disk once for many of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from qtool.control.acts import carrying
from qtool.control.acts.groups import TOGETHER
from qtool.queues import durable
from tests.control.site import configuration, open_site
from tests.control.test_mending import files, folder, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qtool.control.control import Control
    from qtool.control.models import ActionResult

TEXT = configuration(**{"in": "", "out": ""})


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, TEXT)
    yield control
    control.close()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Waits for the file system: what is added here is done at the next one."""
    moments: list[Callable[[], object]] = []
    sync_file_system = durable.sync_file_system

    def note(descriptor: int) -> None:
        sync_file_system(descriptor)
        if moments:
            moments.pop()()

    monkeypatch.setattr(durable, "sync_file_system", note)
    return moments


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    monkeypatch.setattr(durable, "sync_file_system", calls.append)
    return calls


def unshunted(control: Control) -> ActionResult:
    return control.confirm(control.preview("unshunt", "shunt", "all").token)


def shunted(control: Control, count: int) -> list[str]:
    """Put entries of two queues there, by turns."""
    turns = [put(control, "shunt", whichq=("in", "out")[n % 2]) for n in range(count)]
    return [name for names in turns for name in names]


def everything(control: Control) -> list[str]:
    return [name for queue in ("shunt", "in", "out") for name in files(control, queue)]


def test_many_share_a_group_commit_there_and_back(
    control: Control, counted: list[int]
) -> None:
    names = shunted(control, TOGETHER + 2)
    before = {name: control.entry("shunt", name).msgdata for name in names}
    assert unshunted(control).done == tuple(names)
    assert len(counted) == 2  # of the first group, and of the two that are left
    assert len(files(control, "in")) == len(files(control, "out")) == len(names) // 2

    counted.clear()
    assert control.undo().done == tuple(names)
    assert len(counted) == 2  # of each queue; of one entry alone that waits by itself
    after = {name: control.entry("shunt", name).msgdata for name in names}
    assert after == before


def test_one_alone_does_not_wait_for_the_writes_of_strangers(
    control: Control, counted: list[int]
) -> None:
    [name] = shunted(control, 1)
    assert unshunted(control).done == (name,)
    assert counted == []


def test_a_site_without_group_commit_has_none(
    tmp_path: Path, counted: list[int]
) -> None:
    no = TEXT.replace("[qtool]\n", "[qtool]\ngroup_commit: no\n")
    control = open_site(tmp_path, no)
    names = shunted(control, 3)
    assert unshunted(control).done == tuple(names)
    assert counted == []
    control.close()


def test_what_came_is_on_the_disk_before_it_is_gone_elsewhere(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    shunted(control, 4)
    token = control.preview("unshunt", "shunt", "all").token
    synced: list[str] = []
    monkeypatch.setattr(carrying, "_SYNC_SECONDS", 3600.0)
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    control.confirm(token)
    queues = [str(folder(control, name)) for name in ("in", "out", "shunt")]
    where = [queues.index(path) for path in synced if path in queues]
    assert sorted(where[:2]) == [0, 1]
    assert where[2] == 2


def test_one_that_vanishes_between_the_two_is_skipped_with_a_reason(
    control: Control, commits: list[Callable[[], object]]
) -> None:
    names = shunted(control, 4)
    commits.append((folder(control, "shunt") / f"{names[2]}.pck").unlink)
    result = unshunted(control)
    assert result.done == (names[0], names[1], names[3])
    [missed] = result.skipped
    assert missed.filebase == names[2]
    assert "is not there any more" in missed.reason
    assert result.failed == ()
    assert sorted(everything(control)) == sorted(f"{name}.pck" for name in result.done)


def test_one_that_a_runner_takes_between_the_two_is_left_to_it(
    control: Control, commits: list[Callable[[], object]]
) -> None:
    names = shunted(control, 3)
    commits.append(lambda: control.configuration.shunt.dequeue(names[0]))
    result = unshunted(control)
    assert result.done == tuple(names[1:])
    assert "is in flight" in result.skipped[0].reason
    assert files(control, "shunt") == [f"{names[0]}.bak"]


def test_a_stop_between_the_two_leaves_nothing_behind(
    control: Control, commits: list[Callable[[], object]]
) -> None:
    names = shunted(control, 4)
    commits.append(lambda: control.interrupt(control.under_way()[0].id))
    result = unshunted(control)
    assert result.done == (names[0],)
    assert [each.filebase for each in result.skipped] == names[1:]
    assert files(control, "shunt") == sorted(f"{name}.pck" for name in names[1:])


def test_an_error_between_the_two_leaves_nothing_behind(
    control: Control, commits: list[Callable[[], object]]
) -> None:
    names = shunted(control, 3)

    def fail() -> None:
        raise KeyboardInterrupt

    commits.append(fail)
    with pytest.raises(KeyboardInterrupt):
        unshunted(control)
    assert files(control, "shunt") == sorted(f"{name}.pck" for name in names)


def test_of_two_who_unshunt_the_same_each_entry_obeys_one(control: Control) -> None:
    names = shunted(control, 80)
    tokens = [control.preview("unshunt", "shunt", "all").token for _ in range(2)]
    results: list[ActionResult] = []
    both = [
        threading.Thread(target=lambda t=token: results.append(control.confirm(t)))
        for token in tokens
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    first, second = results
    assert sorted(first.done + second.done) == sorted(names)
    assert sorted(everything(control)) == sorted(f"{name}.pck" for name in names)
    for result in results:
        told = [*result.done, *(m.filebase for m in (*result.skipped, *result.failed))]
        assert sorted(told) == sorted(names)
