"""What is written of a message is what it holds."""

from __future__ import annotations

import email
from email.charset import Charset
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from hypothesis import given
from hypothesis import strategies as st

from qtool.qfile import message_bytes_of, message_from_bytes

names = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"),
    min_size=1,
)
contents = st.binary().map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))


@given(st.lists(st.tuples(names, contents.map(bytes.strip)), min_size=1), st.binary())
def test_bytes_make_a_round_trip(headers: list[tuple[str, bytes]], body: bytes) -> None:
    lines = [b"%s: %s\n" % (name.encode(), value) for name, value in headers]
    content = b"".join(lines) + b"\n" + body
    message = message_from_bytes(content)
    if isinstance(message.get_payload(), str):
        assert message_bytes_of(message) == content


@given(st.lists(st.tuples(st.text(), st.text())), st.text() | st.none())
def test_any_message_can_be_written(
    headers: list[tuple[str, str]], body: str | None
) -> None:
    message = Message()
    message._headers = headers  # type: ignore[attr-defined]  # as a file may hold
    message._payload = body  # type: ignore[attr-defined]
    content = message_bytes_of(message)
    assert content.startswith(b"\n") == (not headers)


def test_a_body_keeps_its_line_ends() -> None:
    content = b"Subject: a\n\none\r\ntwo\rthree\n\n"
    assert message_bytes_of(message_from_bytes(content)) == content


def test_long_headers_are_not_folded() -> None:
    content = b"Subject: " + b"long " * 60 + b"end\n\nb\n"
    assert message_bytes_of(message_from_bytes(content)) == content


def test_a_line_that_begins_with_from_is_not_escaped() -> None:
    content = b"Subject: a\n\nFrom here on\n"
    assert message_bytes_of(message_from_bytes(content)) == content


def test_parts_are_written_with_their_boundaries() -> None:
    content = (
        b"Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n"
        b"Content-Type: text/plain\n\nna\xefve\n--b\n\ntwo\n--b--\nepilogue\n"
    )
    assert message_bytes_of(message_from_bytes(content)) == content


def test_a_header_cannot_smuggle_in_another() -> None:
    message = Message()
    message._headers = [("Subject", "x\nBcc: evil\r\n\r\nbody")]  # type: ignore[attr-defined]
    read = email.message_from_bytes(message_bytes_of(message))
    assert read.keys() == ["Subject"]
    assert read.get_payload() == ""


def test_text_beyond_ascii_is_encoded_in_headers_and_utf_8_in_bodies() -> None:
    message = Message()
    message["Subject"] = "grüße"
    message.set_payload("日本")
    content = message_bytes_of(message)
    assert content == b"Subject: =?utf-8?b?Z3LDvMOfZQ==?=\n\n\xe6\x97\xa5\xe6\x9c\xac"


def test_a_long_header_beyond_ascii_is_written_in_utf_8() -> None:
    long = "grün " * 20_000
    message = Message()
    message["Subject"] = long
    message.set_payload("b")
    assert message_bytes_of(message) == f"Subject: {long}\n\nb".encode()
    outer = MIMEMultipart(boundary="b")
    outer.attach(message)
    assert f"Subject: {long}\n".encode() in message_bytes_of(outer)


def test_of_many_headers_beyond_ascii_the_last_are_written_in_utf_8() -> None:
    message = Message()
    message._headers = [("A", "ü" * 500)] * 200  # type: ignore[attr-defined]
    lines = message_bytes_of(message).splitlines()
    assert lines[0].startswith(b"A: =?utf-8?b?")
    assert lines[-2] == b"A: " + "ü".encode() * 500


def test_header_objects_are_written_as_they_encode() -> None:
    message = Message()
    message.add_header("Subject", "")
    message.replace_header("Subject", Header("grüße", Charset("iso-8859-1")))  # type: ignore[arg-type]
    assert message_bytes_of(message) == b"Subject: =?iso-8859-1?q?gr=FC=DFe?=\n\n"


def test_a_message_that_the_generator_fails_on_is_written_as_it_is_held() -> None:
    outer = MIMEMultipart()
    inner = MIMEText("inner")
    inner._payload = ["no message"]  # type: ignore[attr-defined]
    outer.attach(inner)
    assert message_bytes_of(outer).endswith(b"\n\nno message")
