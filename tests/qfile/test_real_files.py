"""Files that GNU Mailman 2.1.39 and 3.3.10 wrote are read, whoever wrote them how."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from qtool.msgdata import Opaque
from qtool.qfile import body_text, encode, look, message_bytes_of, read
from qtool.qfile.codec import decode

PLACE = Path(__file__).resolve().parents[1] / "fixtures" / "qfiles"
FILES = {
    "mailman2-notification.pck": (
        "Mailman 2, object form",
        "Test Digest, Vol 1, Issue 1",
    ),
    "mailman2-object.pck": ("Mailman 2, object form", " [Test] grüße"),
    "mailman2-text.pck": ("Mailman 2, text form", "=?utf-8?q?gr=C3=BC=C3=9Fe?="),
    "mailman3-notification.pck": (
        "Mailman 3, object form",
        "Your message to ant@example.com awaits moderator approval",
    ),
    "mailman3-object.pck": ("Mailman 3, object form", "plain ascii"),
    "mailman3-recovered.pck": ("Mailman 3, object form", "grüße ∑"),
    "mailman3-rich.bak": ("Mailman 3, object form", "rich-metadata"),
    "mailman3-text.pck": ("Mailman 3, text form", "plaintext-ascii"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_read_strictly(name: str) -> None:
    form, subject = FILES[name]
    held = read(PLACE / name)
    assert (held.form, str(held.message["subject"])) == (form, subject)
    assert held.opaque == ()
    assert held.msgdata["version"] == 3


@pytest.mark.parametrize("name", FILES)
def test_looking_finds_what_reading_finds(name: str) -> None:
    shown, held = look(PLACE / name), read(PLACE / name)
    assert shown.form == held.form
    assert message_bytes_of(shown.message) == message_bytes_of(held.message)
    assert shown.msgdata.keys() == held.msgdata.keys()


@pytest.mark.parametrize("text_form", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_a_real_file_can_be_written_again(name: str, text_form: bool) -> None:
    held = read(PLACE / name)
    again = decode(encode(held.message, held.msgdata, text_form=text_form), strict=True)
    assert again.msgdata["_parsemsg"] is text_form
    assert body_text(again.message) == body_text(held.message)
    if not text_form:
        assert str(again.message["subject"]) == str(held.message["subject"])
    kept = {key for key in held.msgdata if not key.startswith("_")}
    assert kept == {key for key in again.msgdata if not key.startswith("_")}


def test_bodies_of_python_2_are_the_bytes_they_were() -> None:
    body = body_text(read(PLACE / "mailman2-text.pck").message)[0]
    assert body == "grüße 😀\n"


def test_metadata_of_every_kind_is_what_it_was() -> None:
    assert read(PLACE / "mailman3-rich.bak").msgdata == {
        "_parsemsg": False,
        "action": Opaque("mailman.interfaces.action.Action", (0,)),
        "aware": datetime(2026, 11, 21, tzinfo=UTC),
        "complex_": 1j,
        "date": date(2026, 1, 1),
        "delta": timedelta(days=1, microseconds=5),
        "frozen": frozenset({"a", "b"}),
        "listid": "ant.example.com",
        "nested": {"a": [{"b": ()}]},
        "raw": b"\xff\0bytes",
        "received_time": datetime(2026, 11, 21, 1, 2, 3, 4),  # noqa: DTZ001
        "recipients": {"a@example.com", "b@example.com"},
        "surrogate": "caf\udce9",
        "tup": (1, 2.5, None, True, 1 << 70, -1),
        "version": 3,
    }
