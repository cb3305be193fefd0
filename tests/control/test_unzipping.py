"""What is compressed is read at any place as if it were not."""

from __future__ import annotations

import gzip
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.control.shunts import unzipping
from qtool.control.shunts.unzipping import Unzipped

if TYPE_CHECKING:
    from collections.abc import Iterator

PART = 1000


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unzipping, "APART", PART)


@contextmanager
def held(data: bytes) -> Iterator[int]:
    """A file of these bytes that has no name."""
    descriptor = os.memfd_create("log")
    try:
        os.write(descriptor, data)
        yield descriptor
    finally:
        os.close(descriptor)


places = st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 3000)), max_size=8)


@settings(max_examples=60)
@given(
    st.lists(st.binary(max_size=3000) | st.just(b"x" * 2500), max_size=4), places,
    st.sampled_from([b"", b"\0" * 9]),
)  # fmt: skip
def test_it_is_read_as_what_is_not_compressed(
    members: list[bytes], places: list[tuple[int, int]], padding: bytes
) -> None:
    plain = b"".join(members)
    with held(b"".join(map(gzip.compress, members)) + padding) as descriptor:
        unzipped = Unzipped()
        for offset, size in places:
            found = unzipped.read(descriptor, offset, size)
            assert found == plain[offset : offset + size]


def test_what_stands_before_is_decompressed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = os.urandom(200 * PART)
    with held(gzip.compress(plain)) as descriptor:
        unzipped = Unzipped()
        assert unzipped.read(descriptor, 199 * PART, 7) == plain[199 * PART :][:7]
        unzipped.rest()
        fed, pread = list[int](), os.pread

        def counted(descriptor: int, size: int, offset: int) -> bytes:
            fed.append(offset)
            return pread(descriptor, size, offset)

        monkeypatch.setattr(os, "pread", counted)
        assert unzipped.read(descriptor, 150 * PART, 7) == plain[150 * PART :][:7]
        assert len(fed) < 3
        assert min(fed) > 140 * PART


@pytest.mark.parametrize("end", [40, 2500, 4000])
def test_what_stands_before_a_damage_is_read(end: int) -> None:
    plain = os.urandom(5000)
    with held(gzip.compress(plain)[:end]) as descriptor:
        unzipped = Unzipped()
        found = unzipped.read(descriptor, 0, 5000)
        assert plain.startswith(found)
        assert len(found) >= end - 500
        with pytest.raises(OSError, match="not to be decompressed: it is cut off"):
            unzipped.read(descriptor, len(found), 1)


def test_too_many_parts_are_no_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unzipping, "_MOST_MEMBERS", 100)
    with (
        held(gzip.compress(b"") * 101) as descriptor,
        pytest.raises(OSError, match="too many parts"),
    ):
        Unzipped().read(descriptor, 0, 1)
