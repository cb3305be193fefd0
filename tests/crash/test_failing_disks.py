"""A disk that fails or is full, and a clock that goes back: nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from qtool.control.opening import opened
from qtool.engine.master import Master
from qtool.installation import Configuration
from qtool.queues.recovery import MAX_RECOVERIES
from qtool.queues.spool import Spool
from tests.crash import actors, spools
from tests.crash.injecting import Place, Point, failing, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control

ERRORS = {
    "fsync": "EIO", "syncfs": "EIO", "write": "ENOSPC", "openat": "ENOSPC",
    "mkdir": "ENOSPC", "renameat2": "EIO", "rename": "ENOSPC", "link": "EIO",
    "linkat": "EIO", "unlink": "EIO",
}  # fmt: skip
"""How each call fails."""


def _fail(tmp_path: Path, number: int, actor: str, point: Point) -> str:
    """Let a call of an actor fail, start again; return what is wrong then."""
    root, error = tmp_path / f"{actor}{number}", ERRORS[point.call]
    place, log = Place(root, root), tmp_path / f"{root.name}.log"
    spools.prepare(actor, place)
    ended = failing(actor, place, log, point, error)
    try:
        if actor == "producer":
            left = [path.name for path in root.rglob("*.tmp")]
            assert point.call == "unlink" or left == []
        spools.start_again(actor, place)
        spools.check(actor, place, ended)
        if point.call == "fsync":
            _check_fsyncs(log.read_text())
    except AssertionError as wrong:
        return f"{actor}, {error} at {point.line}: {wrong}"
    return ""


def _check_fsyncs(log: str) -> None:
    """Fail where an fsync that failed was tried again on the same file."""
    synced = [line.split("fsync(")[1] for line in log.splitlines() if "fsync(" in line]
    files = [line.split("<")[1].split(">")[0] for line in synced if ".tmp>" in line]
    again = [path for path, times in Counter(files).items() if times > 1]
    assert again == []


@pytest.mark.long
@pytest.mark.usefixtures("needs_strace")
@pytest.mark.parametrize(
    "actor", ["producer", "runner", "rewriter", "operator", "unshunter"]
)
def test_whatever_call_fails_nothing_is_lost(tmp_path: Path, actor: str) -> None:
    """And what was not accepted by then leaves nothing behind."""
    place = Place(tmp_path / "whole", tmp_path / "whole")
    spools.prepare(actor, place)
    made = run(actor, place, tmp_path / "log").points
    points = [point for point in made if point.call in ERRORS]
    with ThreadPoolExecutor(2) as pool:
        wrong = pool.map(
            lambda number: _fail(tmp_path, number, actor, points[number]),
            range(len(points)),
        )
        assert [text for text in wrong if text] == []


# --- A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of its own with room for a few messages, where one may mount it."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=256k,mode=0770", "tmpfs", str(folder)]
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if (
        os.geteuid() != 0
        or mount is None
        or umount is None
        or subprocess.run(
            [mount, *options], check=False, capture_output=True
        ).returncode
    ):
        yield None
    else:
        try:
            yield folder
        finally:
            subprocess.run([umount, str(folder)], check=True)


def _fill(folder: Path) -> Path:
    """Leave no room at all."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(bytes(4096))
    return filler


def test_a_full_disk_loses_nothing_and_goes_on_when_there_is_room(
    small_disk: Path | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root = (small_disk or tmp_path) / "spool"
    place = Place(root, root)
    spools.prepare("runner", place)
    if small_disk is None:
        request.getfixturevalue("needs_strace")
        ended = run("runner", place, tmp_path / "log", "fsync:error=ENOSPC")
        assert "No space left" in ended.failed
    else:
        _work_without_room(place, small_disk)
    spools.start_again("runner", place)
    spools.check("runner", place)


def _work_without_room(place: Place, disk: Path) -> None:
    before = sorted(path.name for path in (place.root / "in").iterdir())
    filler = _fill(disk)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        Spool("in", place.root / "in").enqueue(actors.mail("more"))
    assert sorted(path.name for path in (place.root / "in").iterdir()) == before

    master = Master(actors.configuration(place.root))
    drained = master.drain()
    master.close()
    assert any("No space left" in text for text in drained.failures)
    filler.unlink()


def test_a_disk_that_fills_up_in_the_middle_of_an_act_leaves_the_rest_as_it_was(
    small_disk: Path | None, tmp_path: Path
) -> None:
    if small_disk is None:
        return  # what is too large for a disk is tried by a limit elsewhere
    settings = actors.configuration(small_disk / "spool").settings
    with contextlib.closing(opened(settings)) as control:
        _fill_up_in_the_middle(control, small_disk)


def _fill_up_in_the_middle(control: Control, disk: Path) -> None:
    queue = control.configuration.shunt
    queue.queue_directory.mkdir(parents=True)
    names = [queue.enqueue(actors.mail("done"), whichq="in") for _ in range(3)]
    large = actors.mail("done")
    large.set_payload("x" * 60_000)
    names.append(queue.enqueue(large, whichq="in"))
    names += [queue.enqueue(actors.mail("done"), whichq="in") for _ in range(2)]
    first, second = (control.preview("unshunt", "shunt", "all").token for _ in range(2))
    filler = _fill(disk)
    with contextlib.suppress(OSError):  # it cannot even be put on record, or not done
        assert control.confirm(first).done == ()
    assert queue.files == names

    os.truncate(filler, filler.stat().st_size - 40_000)
    result = control.confirm(second)
    assert result.done == tuple(names[:3])
    assert [(each.filebase, each.reason) for each in result.failed] == [
        (names[3], f"in: {os.strerror(errno.ENOSPC)}")
    ]
    assert [each.filebase for each in result.skipped] == names[4:]
    filler.unlink()
    assert control.undo(result.number).done == tuple(names[:3])
    assert queue.files == names
    assert all(queue.peek(name).msgdata["whichq"] == "in" for name in names)


# --- A clock that goes back


def test_a_clock_set_back_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    settings = actors.configuration(tmp_path / "queues").settings
    config = Configuration(settings, clock=lambda: now[0])
    queue = config.switchboards["in"]
    names = [queue.enqueue(actors.mail("done"), number=1)]
    now[0] -= 3600
    names += [queue.enqueue(actors.mail("done"), number=n) for n in (2, 3)]
    assert len(set(names)) == 3
    assert queue.files[2] == names[0]

    queue.dequeue(names[0])  # and its runner dies
    now[0] -= 86_400
    assert actors.Sorter("in", config=config).one_pass(retake=False) == 3
    out = config.switchboards["out"]
    assert Counter(out.peek(name).msgdata["number"] for name in out.files) == Counter(
        (1, 2, 3)
    )
    assert queue.names() == []


# --- A message that kills


@pytest.mark.long
@pytest.mark.usefixtures("needs_strace")
def test_a_message_that_kills_its_runner_is_set_aside_the_third_time(
    tmp_path: Path,
) -> None:
    root = tmp_path / "queues"
    queue, place = Spool("in", root / "in"), Place(root, root)
    deadly = queue.enqueue(actors.mail("deadly"), number=1)
    queue.enqueue(actors.mail("done"), number=2)
    for _ in range(MAX_RECOVERIES):
        assert run("runner", place, tmp_path / "log").was_killed
        assert queue.names()[0] == f"{deadly}.bak"
    assert not run("runner", place, tmp_path / "log").was_killed

    bad = Spool("bad", root / "bad")
    assert bad.get_files(".psv") == [deadly]
    assert bad.preserved_because(deadly) == "recovered 3 times and never finished"
    assert queue.names() == []
    assert len(Spool("out", root / "out").files) == 1
