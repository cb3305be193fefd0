from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.injecting import inject
from qtool.errors import NoSuchQueue, Refused
from qtool.qfile import message_bytes_of
from qtool.queues.spool import Spool
from qtool.settings import SiteKind

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.qfile import QFile

LATIN_1 = (
    b"From: anne@example.com\nMessage-ID: <ascii@example.com>\n"
    b"Date: Sat, 21 Nov 2026 00:00:00 +0000\n\nGr\xfc\xdfe\n"
)


def injected(
    spool: Spool, data: bytes, *, kind: SiteKind = SiteKind.OWN, **msgdata: Any
) -> QFile:
    """What the file holds after ``data`` was injected."""
    result = inject(spool, data, msgdata, kind=kind, served=False)
    assert result.path == str(spool.queue_directory / f"{result.filebase}.pck")
    return spool.peek(result.filebase)


def test_our_own_queues_get_the_message_as_it_is(tmp_path: Path) -> None:
    held = injected(Spool("in", tmp_path / "in"), LATIN_1, listid="ant.example.com")
    assert message_bytes_of(held.message) == LATIN_1
    assert held.msgdata == {
        "listid": "ant.example.com",
        "version": 3,
        "_parsemsg": False,
    }


def test_mailman_gets_what_its_own_inject_adds(tmp_path: Path) -> None:
    spool = Spool("in", tmp_path / "in", text_form=True)
    held = injected(spool, LATIN_1, kind=SiteKind.MAILMAN3, listid="ant.example.com")
    assert held.message["Message-ID-Hash"] == "TL33FAPDEDSM7H7JVNL2MZ3KPSULCEM4"
    assert held.message["X-Message-ID-Hash"] == "TL33FAPDEDSM7H7JVNL2MZ3KPSULCEM4"
    assert held.msgdata["original_size"] == len(LATIN_1)
    assert held.msgdata["_parsemsg"] is True
    assert message_bytes_of(held.message).endswith(b"\n\nGr\xfc\xdfe\n")


def test_mailman_gets_a_message_id_and_a_date_where_there_are_none(
    tmp_path: Path,
) -> None:
    spool = Spool("in", tmp_path / "in", text_form=True)
    held = injected(spool, b"Subject: x\n\nx\n", kind=SiteKind.MAILMAN3)
    assert held.message["Message-ID"].startswith("<")
    assert held.message["Date"]
    assert held.message["Message-ID-Hash"]


def test_metadata_that_was_given_wins(tmp_path: Path) -> None:
    spool = Spool("in", tmp_path / "in", text_form=True)
    held = injected(spool, LATIN_1, kind=SiteKind.MAILMAN3, original_size=7)
    assert held.msgdata["original_size"] == 7


@pytest.mark.parametrize("data", [b"", b"\n", b"  \r\n\t\n"])
def test_nothing_is_no_message(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Refused, match="the input is empty"):
        injected(Spool("in", tmp_path / "in"), data)


@pytest.mark.parametrize("key", ["_secret", "version", "_parsemsg"])
def test_keys_that_would_be_lost_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(Refused, match=key):
        inject(
            Spool("in", tmp_path / "in"),
            LATIN_1,
            {key: 1},
            kind=SiteKind.OWN,
            served=False,
        )


def test_a_folder_that_mailman_lacks_is_not_made(tmp_path: Path) -> None:
    spool = Spool("in", tmp_path / "in", text_form=True, create=False)
    with pytest.raises(NoSuchQueue):
        injected(spool, LATIN_1, kind=SiteKind.MAILMAN3)
    assert not (tmp_path / "in").exists()
