"""A plain message is taken as it stands, and is what the long way makes of it."""

from __future__ import annotations

from email.header import Header
from email.message import Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.qfile import decode
from qtool.qfile.construct import construct
from qtool.qfile.guard import scan
from qtool.qfile.outliner import Outliner
from qtool.qfile.plain import is_plain
from qtool.qfile.unpickle import load
from qtool.qfile.values import Values
from tests.qfile.assemble import STATE, named, new, qfile

KIND = named("mailman.email.message", "Message")

text = st.text(st.characters(max_codepoint=127), max_size=20)
headers = st.lists(st.tuples(text, text), max_size=8)


def the_long_way(content: bytes) -> Message:
    pickle = content[: scan(content, 0).end]
    held = load(pickle, strict=True, allowed=frozenset(), unknown=[])
    values = Values(len(pickle), byte_strings=False, strict=True)
    return construct(Outliner(values, strict=True).outline(held), Message)


@given(headers=headers, payload=text | st.none(), size=st.integers(0, 1 << 40))
def test_both_ways_make_the_same_message(
    headers: list[tuple[str, str]], payload: str | None, size: int
) -> None:
    state = {
        **STATE, "_headers": headers, "_payload": payload, "original_size": size,
    }  # fmt: skip
    assert is_plain(state)
    content = qfile(new(KIND, state))
    read = decode(content, strict=True).message
    assert vars(read) == vars(the_long_way(content))
    assert vars(read)["_headers"] == headers


@pytest.mark.parametrize(
    "change",
    [
        {"_headers": [("Subject", "gr\udcfcn")]},
        {"_headers": [("Subject", Header("green"))]},
        {"_headers": [("Subject",)]},
        {"_headers": ["ab"]},
        {"_headers": (("Subject", "green"),)},
        {"_payload": []},
        {"_charset": "us-ascii"},
        {"_default_type": None},
        {"defects": ["a defect"]},
        {"defects": ()},
        {"preamble": 1},
        {"original_size": "7"},
        {"postamble": None},
        {"_headers": [("Subject", "a" * 60_000)] * 20},
        {"_headers": [("Subject", "a")] * 2000},
    ],
)
def test_what_needs_a_second_look_is_not_plain(change: dict[str, Any]) -> None:
    assert is_plain(STATE)
    assert not is_plain({**STATE, **change})


@pytest.mark.parametrize("field", sorted(STATE))
def test_a_message_without_one_of_its_fields_is_not_plain(field: str) -> None:
    assert not is_plain({key: STATE[key] for key in STATE if key != field})
