"""Headers for a list: the same as the message has, and cheap."""

from __future__ import annotations

import time

import pytest

from qtool import qfile
from qtool.qfile import message_from_bytes

NAMES = ("from", "subject", "message-id")


def _heads(
    data: bytes, *, text_form: bool = False, limit: int = 1000
) -> dict[str, str]:
    msgdata = {"_parsemsg": True} if text_form else {}
    content = qfile.encode(message_from_bytes(data), msgdata, text_form=text_form)
    return qfile.decode(content, strict=False).heads(NAMES, limit)


FORMS = pytest.mark.parametrize("text_form", [False, True])


@FORMS
def test_the_first_header_of_each_name_is_found_in_one_line(text_form: bool) -> None:
    data = (
        b"Received: x\n\tby y\nSUBJECT: a long\n  one\nFrom: anne@example.com\n"
        b"Subject: another\nMessage-ID: <1@x>\n\nFrom: bob\n\nSubject: body\n"
    )
    assert _heads(data, text_form=text_form) == {
        "subject": "a long one",
        "from": "anne@example.com",
        "message-id": "<1@x>",
    }


@FORMS
@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?= an =?iso-8859-1?b?5A==?=", "Grüße an ä"),
        (b"=?utf-8?b?R3I=?= =?utf-8?b?w7w=?=", "Grü"),
        ("Grüße".encode(), "Grüße"),
        (b"Gr\xfc\xdfe", "Gr\\xfc\\xdfe"),
        (b"=?no-such?q?a=FFb?=", "a\ufffdb"),
        (b"=?utf-8?b?A?=", "=?utf-8?b?A?="),
        (b"=?idna?q?x?= 1", "x 1"),
    ],
)
def test_what_is_not_ascii_is_read(raw: bytes, shown: str, text_form: bool) -> None:
    found = _heads(b"Subject: " + raw + b"\n\nx\n", text_form=text_form)
    assert found == {"subject": shown}


def test_a_body_is_never_taken_for_headers() -> None:
    data = b"To: x\nno header\nSubject: of a body\n\nx\n"
    held = qfile.decode(
        qfile.encode(message_from_bytes(data), {"_parsemsg": True}, text_form=True),
        strict=False,
    )
    assert held.heads(NAMES) == {}
    assert held.message["subject"] is None


def test_values_are_bounded() -> None:
    assert _heads(b"Subject: " + b"x" * 5000 + b"\n\n", limit=70) == {
        "subject": "x" * 70
    }


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: " + b"=?utf-8?q?" * 100_000,
        b"x" * 300_000,
        b"X:\n" + b" \n" * 200_000,
        b"A: b\n" * 45_000,
        b"Subject:" + b" " * 400_000 + b"x",
    ],
)
def test_long_heads_end_soon(head: bytes) -> None:
    content = qfile.encode(
        message_from_bytes(b"From: a\n\nx\n"), {"_parsemsg": True}, text_form=True
    )
    held = qfile.decode(content, strict=False)
    held._content = (head + b"\n\nx\n").decode("ascii")
    began = time.thread_time()
    held.heads(NAMES)
    assert time.thread_time() - began < 0.5
