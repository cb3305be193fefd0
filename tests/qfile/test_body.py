"""A body is shown as text, whatever it says of itself, and never more than asked."""

from __future__ import annotations

from email.charset import Charset
from email.header import Header
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.qfile import body_text, headers_of, message_from_bytes, message_from_string


def body(head: str, content: bytes, limit: int = 1 << 20) -> tuple[str, int]:
    whole = head.encode("utf-8", "surrogateescape") + b"\n\n" + content
    return body_text(message_from_bytes(whole), limit)


def test_plain_text_is_shown_as_it_is() -> None:
    assert body("Subject: a", b"Hello\n") == ("Hello\n", 6)


def test_a_body_without_a_character_set_is_read_as_utf_8() -> None:
    assert body("Subject: a", "grüße".encode())[0] == "grüße"
    assert body("Subject: a", b"caf\xe9")[0] == "caf\ufffd"


@pytest.mark.parametrize("charset", ["iso-8859-1", '"ISO-8859-1"', "latin-1; x=y"])
def test_its_character_set_is_used(charset: str) -> None:
    assert body(f"Content-Type: text/plain; charset={charset}", b"caf\xe9")[0] == "café"


@pytest.mark.parametrize(
    "charset", ["no-such", "punycode", "idna", "undefined", "unicode_escape", "hex",
                "rot13", "zlib", "../x", "\0", "", "a" * 1000]
)  # fmt: skip
def test_unknown_and_treacherous_character_sets_are_not(charset: str) -> None:
    shown = body(f"Content-Type: text/plain; charset={charset}", rb"abc\x41-")[0]
    assert shown == r"abc\x41-"


def test_transfer_encodings_are_undone() -> None:
    assert body("Content-Transfer-Encoding: base64", b"SGVsbG8=\n") == ("Hello", 5)
    quoted = body("Content-Transfer-Encoding: QUOTED-PRINTABLE", b"caf=C3=A9=\n!")
    assert quoted == ("café!", 6)


def test_a_bad_encoding_is_shown_as_it_stands() -> None:
    assert body("Content-Transfer-Encoding: base64", b"abcde") == ("abcde", 5)
    assert body("Content-Transfer-Encoding: no-such", b"x") == ("x", 1)


def test_no_more_is_shown_than_asked_for() -> None:
    assert body("Subject: a", b"0123456789", limit=4) == ("0123", 10)


def test_parts_are_named_and_text_is_shown() -> None:
    message = message_from_string(
        "Content-Type: multipart/mixed; boundary=b\n\n"
        "--b\n\nHello\n"
        "--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n"
        "--b--\n"
    )
    shown, total = body_text(message)
    assert shown == "[text/plain, 5 bytes]\n\nHello\n\n[image/png, 3 bytes]\n"
    assert total == 8


def test_the_limit_counts_for_all_parts_together() -> None:
    part = "--b\n\n" + "x" * 100 + "\n"
    text = "Content-Type: multipart/mixed; boundary=b\n\n" + part * 10 + "--b--\n"
    shown, total = body_text(message_from_string(text), 250)
    assert shown.count("x") - 10 * "text/plain".count("x") == 250
    assert total == 1000


def test_a_message_within_itself_is_shown_to_an_end() -> None:
    message = Message()
    message._payload = [message, message]  # type: ignore[attr-defined]
    assert body_text(message)[0]


def test_a_payload_of_any_kind_is_shown() -> None:
    for payload in (None, b"bytes", 5, {"a": 1}):
        message = Message()
        message._payload = payload  # type: ignore[attr-defined]
        assert body_text(message) == ("", 0)


@given(st.binary(), st.binary())
def test_any_message_is_shown(head: bytes, content: bytes) -> None:
    message = message_from_bytes(head + b"\n\n" + content)
    shown, total = body_text(message, 100)
    assert total >= 0
    assert len(shown) <= 100 + 200 * 80
    assert all(isinstance(value, str) for pair in headers_of(message) for value in pair)


def test_headers_are_shown_in_their_order() -> None:
    message = message_from_bytes(b"B: 1\nA: 2\nB: caf\xc3\xa9\nC: caf\xe9\n\n")
    assert headers_of(message) == [
        ("B", "1"), ("A", "2"), ("B", "café"), ("C", "caf\udce9"),
    ]  # fmt: skip


def test_header_objects_are_shown_as_text() -> None:
    message = Message()
    message.add_header("Subject", "")
    message.replace_header("Subject", Header("grüße", Charset("iso-8859-1")))  # type: ignore[arg-type]
    broken = Header("x")
    broken._chunks = [("y", "no charset")]  # type: ignore[attr-defined]
    message.add_header("X-Broken", "")
    message.replace_header("X-Broken", broken)  # type: ignore[arg-type]
    assert headers_of(message) == [("Subject", "grüße"), ("X-Broken", "y")]


def test_a_long_header_is_cut() -> None:
    message = message_from_string("Subject: " + "x" * 100_000 + "\n\n")
    assert headers_of(message, 50) == [("Subject", "x" * 50)]
