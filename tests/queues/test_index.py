"""One reading of a folder for everybody who asks at a time."""

from __future__ import annotations

import os
import threading
import tracemalloc
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.queues import filebase, folder, listing, slices
from qtool.queues import index as index_module
from qtool.queues.index import Index
from tests.queues.names import BEGIN, filebase_of, touch

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from qtool.queues.slices import Slice

LONG_AGO = 1_600_000_000


class Asker:
    """Somebody who asks for a slice."""

    def __init__(self, part: Slice) -> None:
        self.slice = part


def _siblings(index: Index, count: int) -> list[Asker]:
    askers = [Asker(part) for part in slices.equal(count)]
    for asker in askers:
        index.add_sibling(asker)
    return askers


def _settle(folder: Path) -> None:
    """Give a folder an old time, so that it is known to change no more."""
    os.utime(folder, (LONG_AGO, LONG_AGO))


def test_files_come_oldest_first_and_only_with_their_suffix(tmp_path: Path) -> None:
    touch(tmp_path, [f"{filebase_of(n)}.pck" for n in (3, 1, 2)])
    touch(tmp_path, [f"{filebase_of(9)}.bak", f"{filebase_of(8)}.pck.tmp"])
    index, whole = Index(str(tmp_path)), Asker(slices.whole())

    assert index.filebases(whole, ".pck") == [filebase_of(n) for n in (1, 2, 3)]
    assert index.filebases(whole, ".bak") == [filebase_of(9)]
    assert index.filebases(whole, ".pck.tmp") == [filebase_of(8)]
    assert index.names(whole.slice, *filebase.ENTRY_SUFFIXES) == [
        *(f"{filebase_of(n)}.pck" for n in (1, 2, 3)), f"{filebase_of(9)}.bak"
    ]  # fmt: skip


def test_equal_times_are_ordered_by_digest(tmp_path: Path) -> None:
    expected = sorted(filebase_of(n, BEGIN) for n in range(50))
    touch(tmp_path, (f"{name}.pck" for name in expected))

    assert expected == Index(str(tmp_path)).filebases(Asker(slices.whole()), ".pck")


def test_a_folder_that_is_missing_is_empty(tmp_path: Path) -> None:
    index = Index(str(tmp_path / "in"))

    assert index.filebases(Asker(slices.whole()), ".pck") == []
    assert index.names(slices.whole(), ".pck") == []
    scan = index.count(slices.equal(2))
    assert (scan.depth, scan.in_flight, scan.oldest, scan.foreign) == (0, 0, None, 0)


def test_each_sibling_gets_its_own_and_one_reading_serves_all(tmp_path: Path) -> None:
    names = [filebase_of(n) for n in range(300)]
    touch(tmp_path, (f"{name}.pck" for name in names))
    _settle(tmp_path)
    index = Index(str(tmp_path))
    siblings = _siblings(index, 7)

    found = [index.filebases(sibling, ".pck") for sibling in siblings]

    assert index.readings == 1
    for sibling, own in zip(siblings, found, strict=True):
        assert own == [n for n in names if filebase.digest_of(n) in sibling.slice]


def test_a_file_that_came_since_is_never_missed(tmp_path: Path) -> None:
    index = Index(str(tmp_path))
    siblings = _siblings(index, 2)
    whole = Asker(slices.whole())
    for number in range(40):
        touch(tmp_path, [f"{filebase_of(number)}.pck"])
        found = [name for one in siblings for name in index.filebases(one, ".pck")]
        assert len(found) == number + 1
        assert len(index.filebases(whole, ".pck")) == number + 1
        assert index.count([whole.slice]).depth == number + 1


def test_who_asks_during_a_reading_waits_for_the_next_one_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight siblings ask while the first reading runs: a second one serves them."""
    touch(tmp_path, (f"{filebase_of(n)}.pck" for n in range(100)))
    index = Index(str(tmp_path))
    siblings = _siblings(index, 8)
    asked, go = threading.Semaphore(0), threading.Event()

    def slow(directory: str) -> object:
        asked.release()
        assert go.wait(60)
        return folder.chunks(directory)

    monkeypatch.setattr(index_module, "chunks", slow)
    found: dict[int, list[str]] = {}

    def ask(number: int) -> None:
        found[number] = index.filebases(siblings[number], ".pck")

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    threads[0].start()
    assert asked.acquire(timeout=60)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(60)

    assert sum(map(len, found.values())) == 100
    assert index.readings <= 3


@settings(max_examples=20)
@given(
    count=st.integers(min_value=1, max_value=6),
    limit=st.integers(min_value=1, max_value=90),
)
def test_the_oldest_are_the_beginning_of_all(
    tmp_path_factory: pytest.TempPathFactory, count: int, limit: int
) -> None:
    made = tmp_path_factory.mktemp("queue")
    touch(made, (f"{filebase_of(n * 7 % 60)}.pck" for n in range(60)))
    touch(made, [f"{filebase_of(300, 999.5)}.pck", f"{filebase_of(301, 1e13)}.pck"])
    _settle(made)
    index = Index(str(made))
    for sibling in _siblings(index, count):
        every = Index(str(made)).filebases(sibling, ".pck")
        assert index.filebases(sibling, ".pck", limit) == every[:limit]


def test_runners_of_a_deep_queue_share_readings_and_take_each_entry_once(
    tmp_path: Path,
) -> None:
    """Four slices of 4,000 entries, a hundred at a time, removed as they are taken."""
    touch(tmp_path, (f"{filebase_of(n)}.pck" for n in range(4_000)))
    index = Index(str(tmp_path))
    siblings = _siblings(index, 4)
    taken: dict[Asker, list[str]] = {sibling: [] for sibling in siblings}
    missed = 0
    working = list(siblings)
    while working:
        for sibling in list(working):
            batch = index.filebases(sibling, ".pck", 100)
            for name in batch:
                try:
                    (tmp_path / f"{name}.pck").unlink()
                except FileNotFoundError:
                    missed += 1
                else:
                    taken[sibling].append(name)
            if not batch:
                working.remove(sibling)

    assert sum(map(len, taken.values())) == 4_000
    assert missed == 0
    assert all(names == sorted(names) for names in taken.values())
    assert index.readings < 25  # 40 batches, and the last looks of each alone


def test_the_oldest_of_a_deep_queue_are_listed_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "CHUNK", 256)
    monkeypatch.setattr(listing, "CHUNK", 256)
    shallow, deep = tmp_path / "shallow", tmp_path / "deep"
    for directory, depth in ((shallow, 500), (deep, 6_000)):
        directory.mkdir()
        touch(directory, (f"{filebase_of(n)}.pck" for n in range(depth)))
    _peaks(shallow)  # what is made once for all, is made

    # 5,500 names more would be 600 KB, and as entries of the folder more than that.
    for few, many in zip(_peaks(shallow), _peaks(deep), strict=True):
        assert many < few + 250_000


def _peaks(directory: Path) -> tuple[int, int]:
    """Return the most bytes that listing ten, and counting, held at a time."""
    index, whole = Index(str(directory)), Asker(slices.whole())
    index.filebases(whole, ".pck", 10)
    tracemalloc.start()
    try:
        index.filebases(whole, ".pck", 10)
        _, listing_peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        index.count(slices.equal(16))
        _, counting_peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return listing_peak, counting_peak


def test_a_full_batch_that_waited_long_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, (f"{filebase_of(n)}.pck" for n in range(1_000)))
    index = Index(str(tmp_path))
    left, right = _siblings(index, 2)
    index.filebases(left, ".pck", 100)
    assert index.readings == 1
    monkeypatch.setattr(index_module, "_FULL_SECONDS", 0.0)
    index.filebases(right, ".pck", 100)
    assert index.readings == 2


def test_a_folder_at_rest_is_not_read_twice(tmp_path: Path) -> None:
    touch(tmp_path, [f"{filebase_of(1)}.pck"])
    _settle(tmp_path)
    index, whole = Index(str(tmp_path)), Asker(slices.whole())
    parts = slices.equal(4)

    first = index.filebases(whole, ".pck")
    first.clear()  # what was handed out is the caller's own

    assert index.filebases(whole, ".pck") == [filebase_of(1)]
    assert index.readings == 1
    assert index.count(parts) is index.count(parts)


def test_a_folder_that_changed_a_moment_ago_is_read_again(tmp_path: Path) -> None:
    """Its time may not move for the next change within the same tick of its clock."""
    touch(tmp_path, [f"{filebase_of(1)}.pck"])
    index, whole = Index(str(tmp_path)), Asker(slices.whole())
    index.filebases(whole, ".pck")
    before = tmp_path.stat()
    touch(tmp_path, [f"{filebase_of(2)}.pck"])
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert len(index.filebases(whole, ".pck")) == 2
    assert index.count([whole.slice]).depth == 2


def test_a_folder_made_anew_is_read_again(tmp_path: Path) -> None:
    made = tmp_path / "in"
    touch(made, [f"{filebase_of(1)}.pck"])
    _settle(made)
    index, whole = Index(str(made)), Asker(slices.whole())
    assert len(index.filebases(whole, ".pck")) == 1
    made.rename(tmp_path / "old")
    made.mkdir()
    _settle(made)

    assert index.filebases(whole, ".pck") == []
    assert index.count([whole.slice]).depth == 0
