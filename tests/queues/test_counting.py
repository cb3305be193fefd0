"""Counting by names, foreign ones and odd files included."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.queues import filebase, slices
from qtool.queues.index import Index
from tests.queues.names import BEGIN, filebase_of, touch

if TYPE_CHECKING:
    from pathlib import Path

FOREIGN = [
    "foo.pck",
    "README",
    f"nan+{'0' * 40}.pck",
    f"1e400+{'0' * 40}.pck",
    f"1_700.5+{'0' * 40}.pck",
    f"1700000000.5+{'0' * 39}G.pck",
    f"1700000000.5+{'A' * 40}.pck",
    f"\u06611700000000.5+{'0' * 40}.pck",
    f"\x1b[31m1700000000.5+{'0' * 40}.pck",
    f"\u202e1700000000.5+{'0' * 40}.pck",
    "x" * 255,
    "a\nb",
    ".hidden",
    f"{filebase_of(1)}.db",
]
"""Names that are no entry's."""


def _make_foreign(folder: Path) -> int:
    """Fill a folder with what is no entry; return how many there are."""
    touch(folder, FOREIGN)
    touch(folder, [f"x\n{filebase_of(70)}.pck\ny", f"{filebase_of(71)}.pck\n"])
    (folder / os.fsdecode(b"\xff.pck")).touch()
    (folder / f"{filebase_of(90)}.pck").mkdir()
    os.mkfifo(folder / f"{filebase_of(91)}.pck")
    for number, target in enumerate(("/etc/passwd", "gone", "/", "/dev/zero"), 92):
        (folder / f"{filebase_of(number)}.pck").symlink_to(target)
    loop = folder / f"{filebase_of(96)}.pck"
    loop.symlink_to(loop.name)
    return len(FOREIGN) + 10


def test_what_is_no_entry_is_counted_and_harms_nothing(tmp_path: Path) -> None:
    """Directories, pipes, links and odd names: foreign, never opened, never fatal."""
    foreign = _make_foreign(tmp_path)
    touch(tmp_path, [f"{filebase_of(1)}.pck", f"{filebase_of(2)}.bak"])
    touch(tmp_path, [f"{filebase_of(3)}.psv", f"{filebase_of(4)}.pck.tmp"])
    index = Index(str(tmp_path))

    scan = index.count(slices.equal(16))

    assert (scan.depth, scan.in_flight, scan.preserved) == (1, 1, 1)
    assert scan.foreign == foreign
    assert [
        name
        for part in slices.equal(16)
        for name in index.names(part, *filebase.ENTRY_SUFFIXES)
    ] == [
        f"{filebase_of(n)}{suffix}"
        for n, suffix in sorted(
            ((1, ".pck"), (2, ".bak"), (3, ".psv")),
            key=lambda one: filebase.digest_of(filebase_of(one[0])),
        )
    ]


def test_what_is_no_entry_is_never_listed(tmp_path: Path) -> None:
    _make_foreign(tmp_path)
    touch(tmp_path, [f"{filebase_of(1)}.pck"])

    class Asker:
        slice = slices.whole()

    whole, index = Asker(), Index(str(tmp_path))
    index.add_sibling(whole)
    parts = [type("Part", (), {"slice": part})() for part in slices.equal(3)]
    for part in parts:
        index.add_sibling(part)

    assert index.filebases(Asker(), ".pck") == [filebase_of(1)]
    assert index.filebases(Asker(), ".pck", 5) == [filebase_of(1)]
    assert [n for part in parts for n in index.filebases(part, ".pck")] == [
        filebase_of(1)
    ]


def test_a_socket_named_as_an_entry_is_foreign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have 108 bytes only
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{filebase_of(1)}.pck")

    assert Index(str(tmp_path)).count([slices.whole()]).foreign == 1


entries = st.lists(
    st.tuples(
        st.one_of(
            st.floats(min_value=0.5, max_value=1e13),
            st.floats(min_value=BEGIN, max_value=BEGIN + 9),
        ),
        st.text("0123456789abcdef", min_size=40, max_size=40),
        st.sampled_from([".pck", ".pck", ".bak", ".psv"]),
    ),
    max_size=25,
    unique_by=lambda entry: entry[1],
)
weights = st.lists(st.integers(min_value=1, max_value=50), min_size=1, max_size=9)


@settings(max_examples=40)
@given(entries=entries, weights=weights)
def test_counts_agree_with_counting_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[tuple[float, str, str]],
    weights: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("queue")
    touch(folder, (f"{when!r}+{digest}{suffix}" for when, digest, suffix in entries))
    parts = slices.weighted(weights)

    scan = Index(str(folder)).count(parts)

    for part, counted in zip(parts, scan.slices, strict=True):
        own = [(when, suffix) for when, digest, suffix in entries if digest in part]
        waiting = [when for when, suffix in own if suffix == ".pck"]
        assert counted.depth == len(waiting)
        assert counted.oldest == min(waiting, default=None)
        assert counted.in_flight == sum(suffix == ".bak" for _, suffix in own)
    assert scan.preserved == sum(suffix == ".psv" for *_, suffix in entries)
    assert scan.foreign == 0


def test_a_folder_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    """Not an empty queue: an error that the row can show."""
    plain = tmp_path / "plain"
    plain.touch()

    with pytest.raises(NotADirectoryError):
        Index(str(plain)).count([slices.whole()])


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=1, max_size=60))
@settings(max_examples=20)
def test_the_times_of_few_names_are_told_exactly(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("queue")
    touch(folder, [f"{filebase_of(number)}.pck" for number in numbers])
    scan = Index(str(folder)).count(slices.equal(4))
    times = sorted(filebase.when_of(filebase_of(number)) for number in numbers)
    assert scan.when_p50 == times[(len(times) - 1) // 2]
    assert scan.when_p95 == times[int(0.05 * (len(times) - 1))]


def test_of_many_names_an_even_sample_tells_the_times(tmp_path: Path) -> None:
    touch(tmp_path, (f"{filebase_of(number)}.pck" for number in range(6_000)))
    scan = Index(str(tmp_path)).count(slices.equal(4))
    span = filebase.when_of(filebase_of(5_999)) - BEGIN
    assert scan.when_p50 is not None
    assert scan.when_p95 is not None
    assert abs((scan.when_p50 - BEGIN) / span - 0.5) < 0.1
    assert abs((scan.when_p95 - BEGIN) / span - 0.05) < 0.05


def test_the_oldest_in_flight_is_told_for_each_slice(tmp_path: Path) -> None:
    touch(tmp_path, [f"{filebase_of(number)}.bak" for number in (3, 1, 2)])
    scan = Index(str(tmp_path)).count(slices.equal(1))
    assert scan.slices[0].oldest_taken == filebase.when_of(filebase_of(1))
    assert scan.when_p50 is None
