"""A message is outlined for what the file has paid for, however it shares parts."""

from __future__ import annotations

import pickle
from email.header import Header
from email.message import Message
from typing import Any

import pytest

from qtool.errors import UnsafeQFile
from qtool.qfile import decode, headers_of
from qtool.qfile.outline import MAX_HEADERS
from qtool.qfile.outliner import MAX_STRANGE
from tests.qfile.assemble import (
    MESSAGE,
    METADATA,
    STATE,
    Raw,
    called,
    message,
    named,
    new,
    old_instance,
    old_value,
    pickled,
    qfile,
    value,
)

LARGE = "grün" * 30_000
ONCE, OFTEN = 2, 100


def written(**fields: Any) -> bytes:
    """Return a file of a message with these fields, as a pickler shares them."""
    held = Message()
    vars(held).update(fields)
    return pickle.dumps(held, 4) + pickle.dumps(METADATA, 4)


def refused(content: bytes) -> None:
    """Assert that the file is refused for what it asks for, by who looks as well."""
    for strict in (True, False):
        with pytest.raises(UnsafeQFile, match="more values"):
            decode(content, strict=strict)


def test_a_header_is_not_made_again_and_again() -> None:
    for large in (LARGE, "a" * len(LARGE), "\udcff" * len(LARGE)):
        once = written(_headers=[("Subject", large)] * ONCE)
        assert vars(decode(once, strict=True).message)["_headers"][1][1] == large
        refused(written(_headers=[("Subject", large)] * OFTEN))


def test_the_chunks_of_a_header_are_not_made_again_and_again() -> None:
    header = Header("green", "utf-8")
    for number in range(50):
        header.append("green", "utf-8" if number % 2 else "us-ascii")
    once = written(_headers=[("Subject", header)] * ONCE)
    assert "green" in str(decode(once, strict=True).message["subject"])
    refused(written(_headers=[("Subject", header)] * OFTEN))


def test_a_part_is_not_made_again_and_again() -> None:
    part = Message()
    vars(part)["_headers"] = [("A", str(number)) for number in range(1000)]
    once = written(_payload=[part] * ONCE)
    assert len(decode(once, strict=True).message.get_payload()) == ONCE
    refused(written(_payload=[part] * OFTEN))
    empty = Message()
    refused(written(_payload=[empty] * 10 * OFTEN))


def test_the_headers_of_a_part_are_not_made_again_and_again() -> None:
    parts = [Message() for _ in range(OFTEN)]
    shared = [("", "")] * 1000
    for part in parts:
        vars(part)["_headers"] = shared
    refused(written(_payload=parts))


def test_byte_strings_of_python_2_are_not_decoded_again_and_again() -> None:
    shared = old_value(b"a" * 100_000) + b"q\x01"
    for times in (1, 20):
        headers = Raw(
            b"](" + b"(" + shared + b"h\x01t" + b"(h\x01h\x01t" * times + b"e"
        )
        state = {b"_headers": headers, b"_payload": b"x"}
        first = pickled(old_instance("email.Message", "Message", state), 1)
        content = first + pickled(value(METADATA))
        if not times:
            assert len(decode(content, strict=True).message.keys()) == 1
        else:
            refused(content)


def test_absurdly_many_headers_are_refused() -> None:
    headers = [("A", f"{number:40}") for number in range(MAX_HEADERS + 1)]
    fewer = written(_headers=headers[1:])
    assert decode(fewer, strict=True).message["a"] == headers[1][1]
    with pytest.raises(UnsafeQFile, match="too many headers"):
        decode(written(_headers=headers), strict=True)


def test_what_is_no_text_is_shown_a_hundred_times() -> None:
    headers = [("A", [number]) for number in range(MAX_STRANGE + 5)]
    held = decode(qfile(message(_headers=headers)), strict=False)
    shown = [text for _, text in headers_of(held.message)]
    assert shown == [f"[{number}]" for number in range(MAX_STRANGE)] + ["…"] * 5


def test_a_header_may_be_an_attribute_besides() -> None:
    header = Header("grün", "utf-8")
    part = Message()
    vars(part).update(_headers=[("Subject", header)], mark=header)
    outer = written(_payload=[part], _headers=[("X", "y")], mark=header)
    read: Any = decode(outer, strict=True).message
    assert isinstance(read.mark, Header)
    assert str(read.mark) == str(read.get_payload(0)["subject"]) == "grün"
    assert isinstance(read.get_payload(0).mark, Header)


def test_fields_that_hold_themselves_are_shown() -> None:
    state = {**STATE, "_charset": Raw(b"h\x04"), "mark": called(named("a", "b"))}
    state["preamble"] = called(named("datetime", "timedelta"), 1)
    held = decode(qfile(new(MESSAGE, state)), strict=False)
    assert held.message["subject"] == "a message"
