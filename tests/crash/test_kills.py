"""Killed at any system call that changes something: nothing is lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.crash import spools
from tests.crash.injecting import Place, Point, killed, run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("needs_strace")

FEWEST = 50
"""Points at which processes must have been killed; fewer mean a blind test."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path | None]:
    """A folder on another file system, where there is one."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="qtool-crash-", dir=memory))
    try:
        yield folder if folder.stat().st_dev != tmp_path.stat().st_dev else None
    finally:
        shutil.rmtree(folder)


class Victims:
    """Runs actors, each in a spool of its own."""

    def __init__(self, tmp_path: Path, elsewhere: Path | None = None) -> None:
        self._tmp_path = tmp_path
        self._elsewhere = elsewhere
        self._number = iter(range(1_000_000))

    def place(self) -> Place:
        """Return two new folders, on two file systems if it is so."""
        name = f"{next(self._number)}"
        root = self._tmp_path / name
        return Place(root, self._elsewhere / name if self._elsewhere else root)

    def points(self, actor: str) -> tuple[Point, ...]:
        """Let an actor run to its end; return the calls that it made."""
        place = self.place()
        spools.prepare(actor, place)
        ended = run(actor, place, self._log(place))
        assert not ended.was_killed
        assert not ended.failed
        spools.check(actor, place, ended)
        return ended.points

    def kill(self, actor: str, point: Point) -> tuple[bool, str]:
        """Kill an actor at a point, start again.

        Returns:
            Whether it was killed, and what is wrong then.
        """
        place = self.place()
        spools.prepare(actor, place)
        ended = killed(actor, place, self._log(place), point)
        try:
            spools.start_again(actor, place)
            spools.check(actor, place, ended)
        except AssertionError as error:
            return ended.was_killed, f"{actor}, killed before {point.line}: {error}"
        return ended.was_killed, ""

    def _log(self, place: Place) -> Path:
        return self._tmp_path / f"{place.root.name}.log"


def _kill(act: tuple[Victims, str, Point]) -> tuple[bool, str]:
    victims, actor, point = act
    return victims.kill(actor, point)


@pytest.mark.parametrize("actor", ["runner", "rewriter"])
def test_killed_at_a_rename_it_loses_nothing(tmp_path: Path, actor: str) -> None:
    victims = Victims(tmp_path)
    point = Point("renameat2", 2, "the second rename")
    assert victims.kill(actor, point) == (True, "")


@pytest.mark.long
def test_a_call_that_is_not_made_kills_nobody(tmp_path: Path) -> None:
    assert Victims(tmp_path).kill("rewriter", Point("fsync", 999, "")) == (False, "")


@pytest.mark.long
@pytest.mark.parametrize(
    "actor",
    ["producer", "runner", "mover", "rewriter", "operator", "mender", "unshunter"],
)
def test_who_works_in_one_thread_makes_the_same_calls_each_time(
    tmp_path: Path, actor: str
) -> None:
    victims = Victims(tmp_path)
    first, second = victims.points(actor), victims.points(actor)
    assert [(p.call, p.number) for p in first] == [(p.call, p.number) for p in second]


@pytest.mark.long
def test_killed_at_any_call_they_lose_nothing_and_repeat_one_at_most(
    tmp_path: Path, elsewhere: Path | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before each call is after the one before it; the last one is in any case over."""
    here, far = Victims(tmp_path / "here"), Victims(tmp_path / "far", elsewhere)
    actors = (
        "producer", "runner", "mover", "rewriter", "operator", "mender", "unshunter",
        "master",
    )  # fmt: skip
    chosen = [(here, actor) for actor in actors]
    if elsewhere is not None:
        chosen += [(far, "mover"), (far, "operator")]
    (tmp_path / "here").mkdir()
    (tmp_path / "far").mkdir()
    acts: list[tuple[Victims, str, Point]] = []
    seen = Counter[str]()
    for victims, actor in chosen:
        points = victims.points(actor)
        acts += [(victims, actor, point) for point in points]
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(_kill, acts))
    for (_, actor, _), (was_killed, _) in zip(acts, ends, strict=True):
        seen[actor] += was_killed
    said = ", ".join(f"{actor} {number}" for actor, number in seen.items())
    with capsys.disabled():
        print(f"\nkilled at {seen.total()} points of {len(acts)}: {said}")

    assert [text for _, text in ends if text] == []
    assert seen.total() >= FEWEST
    assert all(seen.values()), said
