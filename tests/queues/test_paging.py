"""Pages of names: each entry once, whatever comes and goes between two pages."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.queues import filebase, paging, slices
from qtool.queues.filebase import ENTRY_SUFFIXES
from qtool.queues.paging import Paging
from qtool.queues.spool import Spool
from tests.queues.names import BEGIN, filebase_of, touch

if TYPE_CHECKING:
    from pathlib import Path


def _all(queue: Spool, count: int) -> list[str]:
    return [name for page in _pages(queue, count) for name in page]


def _pages(queue: Spool, count: int) -> list[list[str]]:
    pages, after, more = [], "", True
    while more:
        page = queue.page(after, count)
        pages.append(list(page.names))
        more = page.more
        after = page.names[-1].rpartition(".")[0] if page.names else after
    return pages


def test_pages_hold_every_state_oldest_first_and_say_how_many_there_are(
    tmp_path: Path,
) -> None:
    names = [f"{filebase_of(n)}{ENTRY_SUFFIXES[n % 4]}" for n in range(10)]
    touch(tmp_path / "in", [*reversed(names), f"{filebase_of(20)}.pck.tmp", "foo.pck"])
    queue = Spool("in", tmp_path / "in")

    assert _pages(queue, 4) == [names[:4], names[4:8], names[8:]]
    assert queue.page("", 4).total == 10
    assert queue.names() == names


def test_entries_of_one_moment_are_parted_by_their_digests(tmp_path: Path) -> None:
    names = sorted(f"{filebase_of(n, BEGIN)}.pck" for n in range(9))
    touch(tmp_path / "in", names)
    assert _all(Spool("in", tmp_path / "in"), 2) == names


def test_a_slice_has_pages_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "in", (f"{filebase_of(n)}.pck" for n in range(40)))
    whole = Spool("in", tmp_path / "in")
    parts = [whole.for_slice(part) for part in slices.equal(3)]
    assert [_all(part, 5) for part in parts] == [p.names() for p in parts]
    assert sum(part.page("", 5).total for part in parts) == 40


def test_an_entry_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    touch(tmp_path / "in", (f"{filebase_of(n)}.pck" for n in range(30)))
    queue = Spool("in", tmp_path / "in")
    [name] = queue.page("", 3, "1700000007.5").names
    assert name.startswith(filebase_of(7))
    assert len(queue.page("", 3, "170000002").names) == 3
    assert queue.page("", 3, "9").names == ()


def test_a_folder_that_is_missing_has_one_empty_page(tmp_path: Path) -> None:
    page = Spool("in", tmp_path / "in").page("", 3)
    assert (page.names, page.total, page.more) == ((), 0, False)


TIMES = st.one_of(
    st.integers(0, 30).map(lambda n: BEGIN + n),
    st.sampled_from([0.5, 99.25, 999999999.5, 10000000000.5]),
)
ENTRIES = st.dictionaries(
    st.tuples(st.integers(0, 40), TIMES).map(lambda pair: filebase_of(*pair)),
    st.sampled_from(ENTRY_SUFFIXES),
    max_size=30,
)


def _page(present: dict[str, str], after: str, count: int) -> paging.NamePage:
    """One page of a folder that is read a few names at a time."""
    pages = Paging(slices.whole(), after, count)
    names = [f"{base}{suffix}" for base, suffix in present.items()]
    for at in range(0, len(names), 5):
        pages.add(names[at : at + 5])
    return pages.result()


@given(
    first=ENTRIES,
    changes=st.lists(st.tuples(ENTRIES, st.sets(st.integers(0, 29))), max_size=20),
    count=st.integers(1, 7),
)
@settings(max_examples=150)
def test_nothing_comes_twice_and_nothing_that_stayed_is_missed(
    first: dict[str, str],
    changes: list[tuple[dict[str, str], set[int]]],
    count: int,
) -> None:
    present, stayed, after = dict(first), set(first), ""
    seen: list[str] = []
    waiting = list(changes)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paging, "CHUNK", 3)
        while True:
            page = _page(present, after, count)
            bases = [filebase_part(name) for name in page.names]
            assert len(bases) <= count
            seen += bases
            if not page.more:
                break
            after = bases[-1]
            come, gone = waiting.pop() if waiting else ({}, set())
            present |= come
            for number, base in enumerate(list(present)):
                if number in gone:
                    del present[base]
            stayed &= present.keys()
    assert seen == filebase.in_order(list(set(seen)), usual=False)
    assert stayed <= set(seen)


def filebase_part(name: str) -> str:
    parsed = filebase.parse(name)
    assert parsed is not None
    return parsed.filebase


def test_a_page_of_a_large_queue_takes_little_memory() -> None:
    pages = Paging(slices.whole(), "", 100)
    tracemalloc.start()
    try:
        for start in range(0, 60_000, 4096):
            names = [f"{filebase_of(n)}.pck" for n in range(start, start + 4096)]
            pages.add(names)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(pages.result().names) == 100
    assert peak < 6_000_000
