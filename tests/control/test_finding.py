"""Entries found page by page: parsed, filtered, each once and read only once."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool import qfile
from qtool.control.desk import blocks as block_module
from qtool.control.desk import finding
from qtool.control.desk.cache import Cache
from qtool.control.desk.finding import Finder
from qtool.control.filters import parse as parse_filter
from qtool.errors import FilterError, NoSuchQueue
from qtool.installation import Configuration
from qtool.qfile import message_from_bytes
from qtool.queues.slices import equal
from qtool.queues.state import make_state_folder
from qtool.settings import parse
from tests.control.site import configuration, open_site
from tests.queues.names import filebase_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control
    from qtool.control.models import Entry, Found

MAIL = (
    b"From: Anne <anne@example.com>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
    b"Message-ID: <1@example.com>\n\nA body.\n"
)
POST = qfile.encode(
    message_from_bytes(MAIL), {"listid": "ant.example.com"}, text_form=False
)


def _put(folder: Path, base: str, suffix: str = ".pck", **msgdata: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    content = POST
    if msgdata:
        content = qfile.encode(message_from_bytes(MAIL), msgdata, text_form=False)
    path = folder / f"{base}{suffix}"
    path.write_bytes(content.replace(b"=bak_count", b"_bak_count"))
    return path


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    opened = open_site(
        tmp_path,
        configuration(
            **{"in": "instances: 4", "shunt": "", "late": "honours_due: yes"}
        ),
    )
    yield opened
    opened.close()


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queues" / "in"


def _all(control: Control, where: str = "", number: int = 100) -> list[Entry]:
    found, after, complete = list[Any](), "", False
    while not complete:
        page = control.find("in", where, after, number)
        found += page.entries
        after, complete = page.after, page.complete
    return found


def _one(control: Control, queue: str = "in") -> Entry:
    [entry] = control.find(queue).entries
    return entry


def test_an_entry_shows_what_its_name_its_headers_and_its_metadata_tell(
    control: Control, queue: Path
) -> None:
    path = _put(
        queue, filebase_of(5), ".bak",
        listid="ant.example.com", recipients=["bob@example.com", "cris@example.com"],
        whichq="out", shunt_error="ValueError: x", **{"=bak_count": 2},
    )  # fmt: skip
    entry = _one(control)
    assert (entry.queue, entry.filebase, entry.suffix) == ("in", filebase_of(5), ".bak")
    assert (entry.when, entry.due) == (1_700_000_005.5, False)
    assert entry.size == path.stat().st_size
    digest = filebase_of(5)[-40:]
    assert [n for n, part in enumerate(equal(4)) if digest in part] == [entry.slice]
    assert (entry.list_id, entry.sender) == (
        "ant.example.com",
        "Anne <anne@example.com>",
    )
    assert entry.recipients == ("bob@example.com", "cris@example.com")
    assert (entry.subject, entry.message_id) == ("Grüße", "<1@example.com>")
    assert (entry.origin, entry.why) == ("out", "ValueError: x")
    assert (entry.attempts, entry.error) == (2, "")


def test_in_a_queue_with_due_times_the_name_tells_when_it_is_due(
    control: Control, tmp_path: Path
) -> None:
    _put(tmp_path / "queues" / "late", filebase_of(1))
    assert _one(control, "late").due


def test_a_preserved_entry_says_why(control: Control, tmp_path: Path) -> None:
    queue = control.configuration.switchboards["in"]
    base = queue.enqueue(message_from_bytes(MAIL), {})
    queue.dequeue(base)
    queue.finish(base, preserve=True, reason="nobody could read it")
    assert (_one(control, "bad").suffix, _one(control, "bad").why) == (
        ".psv",
        "nobody could read it",
    )


@pytest.mark.parametrize(
    "msgdata",
    [
        {"listid": ["a"] * 9, "recipients": {"a": 1}, "whichq": 7, "shunt_error": b"x"},
        {"recipients": ["x" * 9000] * 2000 + [None, 3], "listid": "l" * 99_999},
        {"recipients": "one@example.com", "=bak_count": 1 << 200, "whichq": None},
        {"recips": ["\ud8ff\x1b[31m", ""], "listid": "a\nb\udcff", "=bak_count": True},
    ],
)
def test_hostile_metadata_is_bounded_text(
    control: Control, queue: Path, msgdata: dict[str, Any]
) -> None:
    _put(queue, filebase_of(1), **msgdata)
    for _ in range(2):  # the second time from the cache
        entry = _one(control)
        assert len(entry.list_id) <= 1000
        assert len(entry.recipients) <= 100
        assert all(len(each) <= 320 for each in entry.recipients)
        assert entry.attempts is None
        assert entry.error == ""
        "".join((entry.list_id, entry.origin, entry.why, *entry.recipients)).encode()


def test_what_cannot_be_read_says_why_and_is_found_all_the_same(
    control: Control, queue: Path
) -> None:
    _put(queue, filebase_of(1)).write_bytes(b"\x80\x05cut")
    _put(queue, filebase_of(2))
    first, second = control.find("in").entries
    assert first.error
    assert (second.error, second.subject) == ("", "Grüße")


def test_recipients_beyond_those_that_are_shown_are_matched_too(
    control: Control, queue: Path
) -> None:
    make_state_folder(str(queue.parent / ".qtool"))
    many = [f"{n}@example.com" for n in range(3000)]
    _put(queue, filebase_of(1), recipients=many)
    for _ in range(2):
        [entry] = _all(control, "to:2999@example")
        assert (len(entry.recipients), entry.recipient_count) == (100, 3000)
        assert _all(control, "-to:2999@example") == []


def test_pages_end_where_they_are_told_and_say_where_to_go_on(
    control: Control, queue: Path
) -> None:
    for number in range(7):
        _put(queue, filebase_of(number))
    page = control.find("in", number=3, seconds=9)
    assert [e.filebase for e in page.entries] == [filebase_of(n) for n in range(3)]
    assert (page.read, page.total, page.after) == (3, 7, filebase_of(2))
    assert not page.complete
    rest = control.find("in", after=page.after, seconds=9)
    assert [e.filebase for e in rest.entries] == [filebase_of(n) for n in range(3, 7)]
    assert rest.complete


def test_a_page_without_time_goes_on_all_the_same(
    control: Control, queue: Path
) -> None:
    for number in range(5):
        _put(queue, filebase_of(number))
    pages = [control.find("in", "subject:nothing", seconds=0)]
    while not pages[-1].complete:
        pages.append(control.find("in", "subject:nothing", pages[-1].after, seconds=0))
    assert [page.read for page in pages] == [1] * 5


def test_filters_choose_and_wrong_ones_are_named(control: Control, queue: Path) -> None:
    for number in range(40):
        _put(queue, filebase_of(number), listid="bee" if number % 2 else "ant")
    assert [e.list_id for e in _all(control, "list:ant", 7)] == ["ant"] * 20
    assert {e.slice for e in _all(control, "slice:3")} == {3}
    with pytest.raises(FilterError):
        control.find("in", "size<<")
    with pytest.raises(NoSuchQueue):
        control.find("nowhere")


def test_what_names_can_answer_opens_nothing(control: Control, queue: Path) -> None:
    for number in range(20):
        _put(queue, filebase_of(number)).chmod(0)
        os.truncate(queue / f"{filebase_of(number)}.pck", 0)
    page = control.find("in", "age>1d", names_only=True)
    assert len(page.entries) == 20
    assert {(e.size, e.error, e.subject) for e in page.entries} == {(None, "", "")}
    assert control.find("in", "slice:9").read == 20


def test_an_entry_whose_state_changed_is_shown_in_its_new_one(
    control: Control, queue: Path
) -> None:
    for number in range(3):
        _put(queue, filebase_of(number))
    page = control.find("in", number=1, seconds=9)
    name = queue / filebase_of(1)
    name.with_name(f"{name.name}.pck").rename(f"{name}.bak")
    (queue / f"{filebase_of(2)}.pck").unlink()
    found = control.find("in", after=page.after)
    assert [(e.filebase, e.suffix) for e in found.entries] == [(filebase_of(1), ".bak")]


def test_entries_are_described_and_named(control: Control, queue: Path) -> None:
    for number in range(3):
        _put(queue, filebase_of(number))
    gone, here = filebase_of(9), filebase_of(1)
    assert [
        e.subject for e in control.described("in", (gone, "../in/x", "FIRST", here))
    ] == ["Grüße"]
    assert control.named("in", "17000000") == [filebase_of(n) for n in range(3)]
    assert control.named("in", here[:14]) == [here]


def test_what_was_edited_is_read_anew(control: Control, queue: Path) -> None:
    make_state_folder(str(queue.parent / ".qtool"))
    path = _put(queue, filebase_of(1))
    assert _one(control).list_id == "ant.example.com"
    path.unlink()
    _put(queue, filebase_of(1), listid="bee.example.com")
    assert _one(control).list_id == "bee.example.com"


def test_looking_makes_no_folder_and_reads_each_file_once(
    control: Control, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        _put(queue, filebase_of(number))
    assert len(_all(control)) == 3
    assert not (queue.parent / ".qtool").exists()
    monkeypatch.setattr(finding, "values_of", None)  # nothing is opened any more
    assert [e.subject for e in _all(control)] == ["Grüße"] * 3


def _finder(folder: Path) -> Finder:
    settings_ = parse("[qtool]\nroot: queues\n[runner.in]\n", source="x", base=folder)
    return Finder(Configuration(settings_), Cache(None), itertools.count().__next__)


CHANGES = st.lists(
    st.tuples(
        st.sets(st.integers(0, 60), max_size=9), st.sets(st.integers(0, 60), max_size=9)
    ),
    max_size=8,
)


@given(
    first=st.sets(st.integers(0, 60), max_size=40),
    changes=CHANGES,
    number=st.integers(1, 6),
    blocks=st.sampled_from([2, 5, 1000]),
    where=st.sampled_from(["", "age>1h", "list:ant"]),
)
@settings(max_examples=60)
def test_nothing_is_found_twice_and_nothing_that_stayed_is_missed(
    tmp_path_factory: pytest.TempPathFactory,
    first: set[int],
    changes: list[tuple[set[int], set[int]]],
    number: int,
    blocks: int,
    where: str,
) -> None:
    folder = tmp_path_factory.mktemp("site")
    queue = folder / "queues" / "in"
    finder, present, stayed = _finder(folder), set(first), set(first)
    for each in first:
        _put(queue, filebase_of(each))
    waiting, seen, after = list(changes), list[str](), ""
    wanted = parse_filter(where, 2e9) if where else None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(block_module, "_FIRST_BLOCK", blocks)
        patched.setattr(block_module, "_BLOCK", blocks)
        while True:
            page: Found = finder.find("in", wanted, after, number, 9, names_only=False)
            seen += (entry.filebase for entry in page.entries)
            after = page.after
            if page.complete:
                break
            come, gone = waiting.pop() if waiting else (set(), set())
            for each in come - present:
                _put(queue, filebase_of(each))
            present |= come
            for each in gone & present:
                (queue / f"{filebase_of(each)}.pck").unlink()
            present -= gone
            stayed &= present
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert {filebase_of(each) for each in stayed} <= set(seen)
