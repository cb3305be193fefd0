"""The first page of a queue: what is on it, and what is known to come behind it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qtool.queues import filebase, folder
from qtool.queues.filebase import ENTRY_SUFFIXES
from qtool.queues.first_page import first_page, rest_of
from qtool.queues.spool import Spool
from tests.queues.names import BEGIN, filebase_of, touch

_TIMES = st.one_of(
    st.integers(0, 30).map(lambda n: BEGIN + n),
    st.sampled_from([0.5, 99.25, 999999999.5, 10000000000.5]),
)
_ENTRIES = st.tuples(
    st.tuples(st.integers(0, 40), _TIMES).map(lambda pair: filebase_of(*pair)),
    st.sampled_from(ENTRY_SUFFIXES),
).map("".join)
_USUAL = st.integers(0, 200).map(lambda n: f"{filebase_of(n)}.pck")
_STRANGERS = st.sampled_from(
    ["README", "x", "0000000000.x", "1700000003.5+beef.pck", "zzzzzzzzzz.pck", ".a\nb"]
)


def _whole(directory: Path) -> tuple[str, ...]:
    names = Spool("in", directory).names()
    return tuple({name.rpartition(".")[0]: name for name in names}.values())


@given(
    names=st.one_of(
        st.sets(_USUAL, max_size=60),
        st.sets(st.one_of(_USUAL, _STRANGERS), max_size=60),
        st.sets(st.one_of(_ENTRIES, _STRANGERS), max_size=60),
    ),
    count=st.integers(1, 20),
    most=st.integers(0, 80),
)
@example({f"{n:010}.x" for n in range(50)} | {f"{filebase_of(1)}.pck"}, 2, 80)
@settings(max_examples=60)
def test_first_page_and_rest_are_all_there_is(
    names: set[str], count: int, most: int
) -> None:
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patched:
        directory = Path(made) / "in"
        touch(directory, names)
        whole = _whole(directory)
        patched.setattr(folder, "CHUNK", 7)
        page = first_page(str(directory), count, most)

    assert page.names == whole[: len(page.names)]
    assert len(page.names) <= count
    if page.ahead:
        assert page.names
        assert page.more
        last = page.names[-1].rpartition(".")[0]
        assert page.names + rest_of(page.ahead, last) == whole
        assert len(whole) <= page.total <= len(names)
    else:
        assert len(page.names) == min(count, len(whole))
        assert page.more is (len(page.names) < len(whole))


def test_the_first_page_of_many_knows_the_rest(tmp_path: Path) -> None:
    names = [f"{filebase_of(n)}.pck" for n in range(3_000)]
    touch(tmp_path, names)
    page = first_page(str(tmp_path), 300, 5_000)
    assert 200 < len(page.names) <= 300
    assert page.total == 3_000
    last = filebase.parse(page.names[-1])
    assert last is not None
    assert [*page.names, *rest_of(page.ahead, last.filebase)] == sorted(names)


def test_what_is_no_file_is_on_no_page(tmp_path: Path) -> None:
    names = [f"{filebase_of(n)}.pck" for n in range(200)]
    touch(tmp_path, names[50:])
    for name in names[:50]:
        (tmp_path / name).mkdir()
    page = first_page(str(tmp_path), 20, 1_000)
    assert page.names[0] == names[50]
    assert page.total == 150
