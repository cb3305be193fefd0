"""The guard lets real pickles pass, and tells where they end."""

from __future__ import annotations

import pickle
import pickletools
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.errors import CorruptQFile, QFileError, UnsafeQFile
from qtool.qfile import guard
from qtool.qfile.kinds import HASHED_ODDITIES, LONG_BYTES, LONG_KEYS, MARKS
from tests.qfile.assemble import (
    MESSAGE,
    METADATA,
    Raw,
    called,
    message,
    named,
    new,
    pickled,
    text,
    value,
)
from tests.qfile.hostile_shape import SOUND

PROTOCOLS = (0, 1, 2, 4, 5)

atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(UTC))
)
keys = st.text() | st.integers(0, 1000) | st.binary()
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(keys, inner)
        | st.sets(keys)
        | st.frozensets(st.text(), max_size=10)
        | st.tuples(inner, inner)
        | st.lists(inner).map(tuple)
    ),
    max_leaves=30,
)


@given(values, st.sampled_from(PROTOCOLS), st.binary(), st.integers(1, 60))
def test_what_a_pickler_writes_passes_to_its_last_byte_wherever_a_chunk_ends(
    plain: Any, protocol: int, behind: bytes, chunk: int
) -> None:
    written = pickle.dumps(plain, protocol)
    passed = guard.scan(written + behind, 0)
    assert passed.end == len(written)
    assert passed.protocol == (protocol if protocol > 1 else 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "_CHUNK", chunk)
        assert guard.scan(written, 0).end == len(written)


@given(st.sampled_from(list(SOUND.values())), st.integers(1, 40), st.data())
def test_a_verdict_does_not_depend_on_where_a_chunk_ends(
    whole: bytes, chunk: int, data: st.DataObject
) -> None:
    changed = bytearray(whole)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed[place] = data.draw(st.integers(0, 255))
    verdicts: list[int | None] = []
    for size in (chunk, 8192):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(guard, "_CHUNK", size)
            try:
                verdicts.append(guard.scan(bytes(changed), 0).end)
            except QFileError:
                verdicts.append(None)
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize("opcode", b"0\x96r\x8b")
def test_no_opcode_is_passed_over_at_the_end_of_a_chunk(opcode: int) -> None:
    for behind in range(40):
        head = b"\x80\x04](" + b"N" * (8192 - 2 - behind)
        moment = b"C\x0a.........." + bytes([opcode])
        with pytest.raises(UnsafeQFile, match=f"0x{opcode:02x}|memo index"):
            guard.scan(head + moment + b"KKKKe.", 0)


fragments = st.sampled_from(
    [
        b"N", b"(", b")", b"]", b"}", b"\x8f", b"\x94", b"a", b"e", b"s", b"u", b"b",
        b"t", b"l", b"d", b"o", b"R", b"\x81", b"\x85", b"\x86", b"\x87", b"\x90",
        b"\x91", b"\x93", b"\x88", b"K\x2e", b"M\x94\x2e", b"J....", b"G\x8c......\x94",
        b"h\x00", b"h\x01", b"q\x00", b"q\x01", b"p0\n", b"g1\n", b"I01\n", b"F1.5\n",
        b"L5L\n", b"S'a.'\n", b"V(a\n", b"\x8c\x04\xe2\x86\x94.", b"U\x02h.", b"C\x01.",
        b"C\x0a..........", b"\x8a\x02..", b"\x95\0\0\0\0\0\0\0\0",
        b"X\x04\0\0\0\xe2\x86\x94.",
        b"cemail.message\nMessage\n", text("email.message"), text("Message"),
    ]
)  # fmt: skip


heads = st.sampled_from([b"", b"\x80\x02", b"\x80\x04"])


@given(st.lists(fragments, max_size=40), heads)
def test_it_finds_the_opcodes_that_the_unpickler_finds(
    parts: list[bytes], head: bytes
) -> None:
    content = head + b"".join(parts) + b"." + b"..."
    try:
        passed = guard.scan(content, 0)
    except QFileError:
        return
    *_, (last, _, position) = pickletools.genops(content)
    assert last.name == "STOP"
    assert position == passed.end - 1


@given(st.binary(max_size=200), heads)
def test_any_bytes_pass_or_are_refused(content: bytes, head: bytes) -> None:
    try:
        passed = guard.scan(head + content, 0)
    except QFileError:
        return
    assert 0 < passed.end <= len(head + content)


def test_the_second_pickle_is_found_behind_the_first() -> None:
    for whole in SOUND.values():
        first = guard.scan(whole, 0)
        second = guard.scan(whole, first.end)
        assert (second.start, second.end) == (first.end, len(whole))


@pytest.mark.parametrize("opcode", b"201PQ\x82\x83\x84\x8b\x8d\x8e\x92\x96\x97\x98")
def test_opcodes_that_no_mail_queue_needs_are_refused(opcode: int) -> None:
    content = pickled(b"N" + bytes([opcode]) + bytes(30))
    with pytest.raises(UnsafeQFile, match=f"0x{opcode:02x}"):
        guard.scan(content, 0)


def refused(opcodes: bytes, protocol: int = 4) -> str:
    with pytest.raises(UnsafeQFile) as error:
        guard.scan(pickled(opcodes, protocol), 0)
    return error.value.reason


def test_a_class_cannot_be_changed() -> None:
    assert "changes a class" in refused(MESSAGE + value({"a": 1}) + b"b")
    assert "changes a class" in refused(MESSAGE + value((None, {"a": 1})) + b"b")


def test_a_class_is_no_state() -> None:
    assert "changes a class" in refused(new(MESSAGE) + MESSAGE + b"b")


def test_only_lists_dictionaries_and_sets_are_filled() -> None:
    for fill in (b"Na", b"(Ne", b"NNs", b"(NNu", b"(N\x90"):
        assert "cannot be filled" in refused(new(MESSAGE) + fill)


def test_only_classes_are_called() -> None:
    assert "calls what is no class" in refused(text("os") + b")R")
    assert "calls what is no class" in refused(called(named("a", "b")) + b")R")
    assert "calls what is no class" in refused(b"(" + text("os") + b"o")


def test_the_name_of_a_class_is_written_and_not_made() -> None:
    made = called(named("a", "b"))
    assert "computes the name" in refused(made + text("c") + b"\x93")


def test_keys_must_be_cheap_to_hash() -> None:
    deep = b")" + b"\x85" * 5
    assert "unfit keys" in refused(b"}" + deep + b"Ns")
    wide = value(tuple(range(17)))
    assert "unfit keys" in refused(b"}" + wide + b"Ns")
    assert "unfit keys" in refused(b"\x8f(" + deep + b"\x90")
    assert "unfit keys" in refused(b"(" + deep + b"\x91")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_few_keys_are_long(protocol: int) -> None:
    long = ["a" * (LONG_BYTES + number) for number in range(1, LONG_KEYS + 2)]
    guard.scan(pickle.dumps(dict.fromkeys(long[:-1]), protocol), 0)
    with pytest.raises(UnsafeQFile, match="unfit keys"):
        guard.scan(pickle.dumps(dict.fromkeys(long), protocol), 0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_long_text_is_no_part_of_a_key(protocol: int) -> None:
    short, long = "a" * (LONG_BYTES - 2), "a" * (LONG_BYTES + 3)
    guard.scan(pickle.dumps({(short, 1): long}, protocol), 0)
    with pytest.raises(UnsafeQFile, match="unfit keys"):
        guard.scan(pickle.dumps({(long, 1): short}, protocol), 0)


def test_a_short_tuple_may_be_a_key() -> None:
    guard.scan(pickled(value({("a", 1): "b"})), 0)


def test_few_keys_may_be_numbers() -> None:
    many = dict.fromkeys(range(HASHED_ODDITIES))
    guard.scan(pickled(value(many)), 0)
    assert "unfit keys" in refused(value({**many, -1: None}))


def test_indices_of_the_memo_follow_one_another() -> None:
    assert "memo index" in refused(b"]r\xff\xff\xff\x7f", protocol=2)
    assert "memo index" in refused(b"]q\xff", protocol=2)
    assert "memo index" in refused(b"]p77\n", protocol=0)


def test_protocols_do_not_mix_their_memos() -> None:
    assert "memo index" in refused(b"]q\x00")
    assert "opcode" in refused(b"]\x94", protocol=2)


def test_nesting_is_counted() -> None:
    guard.scan(pickled(b"(" * MARKS + b"t" * MARKS), 0)
    assert "too deep" in refused(b"(" * (MARKS + 1) + b"t" * (MARKS + 1))


@pytest.mark.parametrize("size", [2, 100, 70_000])
def test_what_is_announced_must_be_there(size: int) -> None:
    for opcode in (b"X", b"T", b"B"):
        content = pickled(opcode + size.to_bytes(4, "little"))
        with pytest.raises(CorruptQFile, match="more is announced"):
            guard.scan(content, 0)


def test_a_truncated_pickle_is_called_that() -> None:
    with pytest.raises(CorruptQFile, match="truncated"):
        guard.scan(pickled(message())[:-1], 0)


def test_a_file_of_a_megabyte_does_not_become_a_gigabyte() -> None:
    for opcode in (b"}", b"]", b"\x8f", b")\x85"):
        assert "larger in memory" in refused(b"](" + opcode * 1_000_000 + b"e")


def test_a_hundred_thousand_recipients_are_no_bomb() -> None:
    many = {f"member-{number}@lists.example.com" for number in range(100_000)}
    written = pickle.dumps({**METADATA, "recipients": many}, 4)
    assert guard.scan(written, 0).end == len(written)


def test_text_is_skipped_whatever_it_looks_like() -> None:
    for looks in ("\x86\x94" * 50, ".", "\u2194" * 60, string.printable, "(" * 99):
        written = pickle.dumps({"x": looks, "y": [looks, looks]}, 4)
        assert guard.scan(written, 0).end == len(written)


def test_zones_and_moments_pass() -> None:
    zone = timezone(timedelta(hours=2), "here")
    moments = [datetime(2024, 1, 1, tzinfo=zone), datetime(2024, 1, 1, tzinfo=UTC)]
    for protocol in PROTOCOLS:
        guard.scan(pickle.dumps(moments, protocol), 0)


def test_a_class_may_be_called_by_an_older_opcode() -> None:
    old = Raw(b"(cemail.message\nMessage\no}b")
    assert guard.scan(pickled(old, 1), 0).protocol == 0
