from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from qtool.control.desk.entries import listed, viewed
from qtool.errors import CorruptQFile
from qtool.qfile import message_from_bytes
from qtool.queues.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def queue(tmp_path: Path) -> Spool:
    return Spool("in", tmp_path / "in", group_commit=False)


def test_entries_are_listed_oldest_first_in_every_state(queue: Spool) -> None:
    message = message_from_bytes(b"Subject: x\n\nx\n")
    bases = [queue.enqueue(message) for _ in range(3)]
    queue.dequeue(bases[1])
    entries = listed(queue, None)
    assert [entry.filebase for entry in entries] == sorted(bases)
    assert {e.filebase: e.suffix for e in entries}[bases[1]] == ".bak"
    assert entries[0].when == float(min(bases).partition("+")[0])


def test_a_listing_can_be_cut(queue: Spool) -> None:
    message = message_from_bytes(b"Subject: x\n\nx\n")
    bases = queue.enqueue_many([(message, {})] * 5)
    assert [entry.filebase for entry in listed(queue, 2)] == sorted(bases)[:2]


def test_an_entry_shows_headers_body_and_metadata(queue: Spool) -> None:
    data = b"Subject: hello\nTo: ant@example.com\n\nGr\xc3\xbc\xc3\x9fe\n"
    base = queue.enqueue(message_from_bytes(data), {"listid": "ant.example.com"})
    view = viewed(queue, base)
    assert view.headers == (("Subject", "hello"), ("To", "ant@example.com"))
    assert view.body == "Grüße\n"
    assert (view.body_bytes, view.body_cut) == (8, False)
    assert view.msgdata["listid"] == "ant.example.com"
    assert view.path == str(queue.queue_directory / f"{base}.pck")
    assert view.size == (queue.queue_directory / f"{base}.pck").stat().st_size
    assert (view.error, view.reason) == ("", "")


def test_an_entry_can_be_named_with_its_suffix(queue: Spool) -> None:
    base = queue.enqueue(message_from_bytes(b"Subject: x\n\nx\n"))
    assert viewed(queue, f"{base}.pck") == viewed(queue, base)


def test_of_a_large_body_the_beginning_is_shown(queue: Spool) -> None:
    body = b"0123456789abcde\n" * (1 << 17)
    base = queue.enqueue(message_from_bytes(b"Subject: x\n\n" + body))
    view = viewed(queue, base)
    assert (view.body_bytes, view.body_cut) == (len(body), True)
    assert len(view.body) == 1 << 20


def test_an_entry_that_is_gone_says_so(queue: Spool) -> None:
    base = queue.enqueue(message_from_bytes(b"Subject: x\n\nx\n"))
    queue.dequeue(base)
    queue.finish(base)
    assert "not there any more" in viewed(queue, base).error


def test_a_damaged_entry_says_why(queue: Spool) -> None:
    base = queue.enqueue(message_from_bytes(b"Subject: x\n\nx\n"))
    (queue.queue_directory / f"{base}.pck").write_bytes(b"\x80\x05cut")
    view = viewed(queue, base)
    assert view.error
    assert str(queue.queue_directory) not in view.error
    assert view.size == 5


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "nonsense", "", "1.0+zz", "1700000000.5+" + "A" * 40]
)
def test_what_is_no_filebase_is_never_opened(queue: Spool, name: str) -> None:
    assert viewed(queue, name).error == "that is no name of an entry"


def test_a_link_in_the_place_of_an_entry_is_not_followed(
    queue: Spool, tmp_path: Path
) -> None:
    base = queue.enqueue(message_from_bytes(b"Subject: x\n\nx\n"))
    path = queue.queue_directory / f"{base}.pck"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert viewed(queue, base).error


def test_a_preserved_entry_tells_its_reason(queue: Spool) -> None:
    base = queue.enqueue(message_from_bytes(b"Subject: x\n\nx\n"))
    path = queue.queue_directory / f"{base}.pck"
    os.truncate(path, 10)
    with pytest.raises(CorruptQFile):
        queue.dequeue(base)
    queue.finish(base, preserve=True, reason="cut short")
    bad = Spool("bad", queue.queue_directory.parent / "bad")
    view = viewed(bad, base)
    assert (view.suffix, view.reason) == (".psv", "cut short")
