"""Our reading of a message's text is the standard library's, in bounded time."""

from __future__ import annotations

import email
from email.message import EmailMessage, Message
from email.parser import Parser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qtool.errors import UnsafeQFile
from qtool.qfile import message_bytes_of, message_from_bytes, message_from_string
from qtool.qfile.outline import MAX_HEADERS

lines = st.sampled_from(
    [
        "Subject: a", "From: b", "X-A:", "X: \t c ", " folded", "\tfolded", " ", "",
        "no header", "From someone Mon", ": none", "X Y: z", "A: \udce9",
        "Content-Type: text/plain; charset=utf-8", "Content-Type: multipart/mixed",
        'Content-Type: multipart/mixed; boundary="b"', "Content-Type: message/rfc822",
        "Content-Type:", " multipart/mixed; boundary=b", "--b", "--b--", "--b ",
        "content-type: MULTIPART/digest;", " boundary=b", "body", ">From x", ".",
        "Content-Type: message/delivery-status", "Content-Transfer-Encoding: base64",
    ]
)  # fmt: skip
ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
texts = st.lists(st.tuples(lines, ends)).map(
    lambda pairs: "".join(line + end for line, end in pairs)
)


def outline(message: Message) -> Any:
    payload = message.get_payload()
    inside = list(map(outline, payload)) if isinstance(payload, list) else payload
    return (
        message._headers,  # type: ignore[attr-defined]
        inside,
        message.preamble,
        message.epilogue,
        message.get_unixfrom(),
        message.get_default_type(),
        [type(defect) for defect in message.defects],
    )


@given(texts)
@example("Subject: a\n\n\nb")
@example("Subject: a")
@example("")
@example("\n")
def test_a_text_is_read_as_the_standard_library_reads_it(text: str) -> None:
    assert outline(message_from_string(text)) == outline(Parser().parsestr(text))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_as_the_standard_library_reads_it(text: str) -> None:
    assert outline(message_from_string(text)) == outline(Parser().parsestr(text))


def test_eight_bit_bytes_come_through() -> None:
    content = b"Subject: caf\xe9\nX: \xff\n\nna\xefve \x80\n"
    assert message_bytes_of(message_from_bytes(content)) == content


def test_a_message_is_of_the_class_that_is_asked_for() -> None:
    class Own(Message):
        pass

    flat = message_from_string("Subject: a\n\nb\n", Own)
    parts = message_from_string(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n", Own
    )
    assert type(flat) is Own
    assert [type(part) for part in parts.walk()] == [Own, Own]


def test_a_class_of_another_policy_is_parsed_too() -> None:
    message = message_from_string("Subject: a\n\nb\n", EmailMessage)
    assert message.get_payload() == "b\n"


def test_text_that_cannot_be_carried_is_made_so() -> None:
    message = message_from_string("Subject: é\udc80\ud800\n\nb\n")
    message_bytes_of(message)
    assert str(message["subject"])


def test_too_many_headers_are_refused() -> None:
    message_from_string("A: b\n" * MAX_HEADERS + "\n")
    with pytest.raises(UnsafeQFile, match="too many headers"):
        message_from_string("A: b\n" * (MAX_HEADERS + 1) + "\n")
    with pytest.raises(UnsafeQFile, match="too many headers"):
        message_from_string("no header\n" * (2 * MAX_HEADERS + 1))


def test_a_message_of_too_many_parts_keeps_its_body_in_one_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qtool.qfile.parse._PARTS", 500)
    head = "Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n"
    body = "".join(
        f"--b\nContent-Type: multipart/mixed; boundary=b{n}\n\n" for n in range(600)
    )
    message = message_from_string(head + body)
    assert message["subject"] == "a"
    assert message.get_payload() == body
    assert message_bytes_of(message) == (head + body).encode()


@pytest.mark.parametrize("odd", [";" * 200, ";x=" + '"' * 200, ";" + "x" * 5000])
def test_involved_parameters_are_not_looked_through(odd: str) -> None:
    text = f"Content-Type: multipart/mixed{odd}\n\n--b\n\nx\n"
    assert message_from_string(text).get_payload() == "--b\n\nx\n"


def test_parts_that_are_deeper_than_python_goes_stay_text() -> None:
    text = "Content-Type: message/rfc822\n\n" * 3000
    assert isinstance(message_from_string(text).get_payload(), str)


def test_an_ordinary_digest_is_taken_apart() -> None:
    part = "--b\n\nFrom: a\nContent-Type: multipart/alternative; boundary=i{0}\n\n" + (
        "--i{0}\n\ntext\n--i{0}\n\nhtml\n--i{0}--\n"
    )
    text = "Content-Type: multipart/digest; boundary=b\n\n" + "".join(
        part.format(n) for n in range(300)
    )
    message = message_from_string(text + "--b--\n")
    assert len(message.get_payload()) == 300
    assert outline(message) == outline(email.message_from_string(text + "--b--\n"))
