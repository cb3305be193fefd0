"""What is written can be read by qtool and by GNU Mailman."""

from __future__ import annotations

import pickle
from datetime import datetime
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.errors import UnsafeQFile
from qtool.qfile import (
    Opaque,
    decode,
    encode,
    encode_message,
    encode_msgdata,
    message_bytes_of,
    message_from_bytes,
    writing,
)
from tests.qfile.test_guard import values

FORMS = pytest.mark.parametrize("text_form", [True, False])


def simple() -> Message:
    return message_from_bytes(b"Subject: a\n\nHello\n")


def read_back(message: Message, msgdata: dict[str, Any], *, text_form: bool) -> Any:
    return decode(encode(message, msgdata, text_form=text_form), strict=True)


@FORMS
def test_metadata_is_kept_as_a_queue_keeps_it(text_form: bool) -> None:
    msgdata = {"listid": "a.b", "_volatile": 1, "_parsemsg": "x", "version": 99}
    before = dict(msgdata)
    read = read_back(simple(), msgdata, text_form=text_form)
    assert read.msgdata == {"listid": "a.b", "version": 3, "_parsemsg": text_form}
    assert msgdata == before


@FORMS
@given(body=st.binary(), value=st.text(st.characters(exclude_characters="\r\n")))
def test_bytes_come_back_as_they_were(text_form: bool, body: bytes, value: str) -> None:
    head = value.encode("utf-8", "surrogatepass").strip()
    message = message_from_bytes(b"Subject: " + head + b"\n\n" + body)
    read = read_back(message, {}, text_form=text_form)
    assert message_bytes_of(read.message) == message_bytes_of(message)


@FORMS
@given(
    headers=st.lists(st.tuples(st.text(), st.text())),
    body=st.text() | st.none() | st.just("\udc80\ud800é"),
)
def test_any_message_can_be_kept(
    text_form: bool, headers: list[tuple[str, str]], body: str | None
) -> None:
    message = Message()
    message._headers = headers  # type: ignore[attr-defined]  # as a file may hold
    message._payload = body  # type: ignore[attr-defined]
    read = read_back(message, {}, text_form=text_form)
    assert read.msgdata["_parsemsg"] is text_form
    if not text_form:
        assert read.message._payload == body


@settings(max_examples=25)
@given(st.dictionaries(st.text(), values, max_size=4))
def test_plain_metadata_comes_back_equal(msgdata: dict[str, Any]) -> None:
    read = decode(
        encode_message(simple(), False)
        + encode_msgdata({**msgdata, "_parsemsg": False}),
        strict=True,
    )
    assert read.msgdata == {**msgdata, "_parsemsg": False}


def test_the_text_form_holds_bytes_as_mailman_decodes_them() -> None:
    content = b"Subject: caf\xe9\n\nna\xefve\n"
    written = encode_message(message_from_bytes(content), True)
    assert pickle.loads(written) == content.decode("ascii", "surrogateescape")


def test_the_object_form_names_classes_of_the_standard_library_alone() -> None:
    class Own(Message):
        pass

    message = Own()
    message["Subject"] = "a"
    message.set_payload("b")
    written = encode_message(message, False)
    assert type(pickle.loads(written)) is Message


def test_parts_keep_the_object_form() -> None:
    outer = MIMEMultipart(boundary="b")
    outer.add_header("Subject", "")
    outer.replace_header("Subject", Header("grüße", "utf-8"))  # type: ignore[arg-type]
    outer.attach(MIMEText("one", "plain", "utf-8"))
    outer.attach(MIMEText("<p>two", "html"))
    read = read_back(outer, {}, text_form=False)
    assert read.form == "qtool, object form"
    assert message_bytes_of(read.message) == message_bytes_of(outer)


def test_a_message_of_another_policy_becomes_text() -> None:
    message = EmailMessage()
    message["Subject"] = "grüße"
    message.set_content("naïve")
    read = read_back(message, {}, text_form=False)
    assert read.msgdata["_parsemsg"] is True
    assert read.form == "Mailman 3, text form"
    assert b"=?utf-8?" in message_bytes_of(read.message)


def test_a_message_with_an_attribute_that_no_queue_keeps_becomes_text() -> None:
    message = simple()
    message.handle = lambda: None  # type: ignore[attr-defined]
    read = read_back(message, {}, text_form=False)
    assert read.form == "Mailman 3, text form"


@pytest.mark.parametrize("field", ["_payload", "_unixfrom", "preamble", "epilogue"])
def test_a_message_with_a_field_of_a_wrong_kind_becomes_text(field: str) -> None:
    message = simple()
    setattr(message, field, 5)
    read = read_back(message, {}, text_form=False)
    assert read.form == "Mailman 3, text form"


def test_attributes_of_plain_values_are_kept() -> None:
    message = simple()
    message.original_size = 7  # type: ignore[attr-defined]
    message.recipients = {"a"}  # type: ignore[attr-defined]
    read = read_back(message, {}, text_form=False)
    assert read.message.original_size == 7
    assert read.message.recipients == {"a"}


def test_metadata_that_no_queue_can_keep_is_refused_by_its_key() -> None:
    class Colour(Enum):
        RED = 1

    for odd in (Colour.RED, object(), lambda: None, simple(), Exception("x")):
        with pytest.raises(UnsafeQFile, match="metadata key 'odd' holds a"):
            encode(simple(), {"fine": 1, "odd": odd}, text_form=False)


def test_metadata_that_is_nested_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(UnsafeQFile, match="'deep' holds a list"):
        encode(simple(), {"x": 1, "deep": deep}, text_form=False)


def test_keys_must_be_text() -> None:
    with pytest.raises(UnsafeQFile, match="no text"):
        encode_msgdata({1: 2})  # type: ignore[dict-item]


def test_opaque_values_are_written_as_they_were_read() -> None:
    kept = {
        "action": Opaque("mailman.interfaces.action.Action", (4,)),
        "nested": [Opaque("mailman.interfaces.action.Action", (2,))],
        "when": datetime(2024, 1, 1),  # noqa: DTZ001  # Mailman's have no zone
    }
    read = read_back(simple(), kept, text_form=False)
    assert {key: read.msgdata[key] for key in kept} == kept


def test_opaque_values_of_other_classes_are_not_written() -> None:
    with pytest.raises(UnsafeQFile):
        encode_msgdata({"x": Opaque("os.system", ("true",)), "y": 1})


def test_opaque_values_of_classes_that_are_allowed_are_written() -> None:
    kept = {"x": Opaque("site.Colour", ("red",)), "y": 1}
    allowed = frozenset(["site.Colour"])
    written = encode(simple(), kept, text_form=False, allowed=allowed)
    read = decode(written, strict=True, allowed=allowed)
    assert kept.items() <= read.msgdata.items()


@pytest.mark.parametrize("odd", [10**700, -(10**700), {("a" * 2000,)}, {10**700: 1}])
def test_values_that_could_not_be_read_again_are_refused(odd: Any) -> None:
    with pytest.raises(UnsafeQFile, match="'odd' holds"):
        encode(simple(), {"x": 1, "odd": odd}, text_form=False)


@pytest.mark.parametrize("number", [1 << 63, -(1 << 64), 10**400])
def test_large_numbers_can_be_read_again(number: int) -> None:
    assert read_back(simple(), {"x": number}, text_form=False).msgdata["x"] == number


def test_many_long_keys_could_not_be_read_again() -> None:
    keys = ["é" * (501 + number) for number in range(21)]
    kept = dict.fromkeys(keys[:20], 1)
    assert kept.items() <= read_back(simple(), kept, text_form=False).msgdata.items()
    with pytest.raises(UnsafeQFile):
        encode(simple(), dict.fromkeys(keys, 1), text_form=False)


def test_a_message_with_a_huge_number_becomes_text() -> None:
    message = simple()
    message.original_size = 10**700  # type: ignore[attr-defined]
    read = read_back(message, {}, text_form=False)
    assert read.form == "Mailman 3, text form"


def test_what_would_be_too_large_to_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "MAX_SIZE", 1000)
    assert encode(simple(), {}, text_form=True)
    with pytest.raises(UnsafeQFile, match="larger than any"):
        encode(simple(), {"x": "a" * 1000}, text_form=True)


def test_values_are_shared_in_the_file_as_they_were() -> None:
    shared = ["a" * 1000]
    assert len(encode_msgdata({"x": shared, "y": shared})) < 1500


def test_every_key_is_written_when_metadata_is_rewritten() -> None:
    kept = {"_bak_count": 2, "_parsemsg": True, "version": 3}
    assert pickle.loads(encode_msgdata(kept)) == kept
