"""Values are rebuilt for what the file has paid for, however it shares them."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from qtool.errors import CorruptQFile, UnsafeQFile
from qtool.qfile import Opaque, decode
from qtool.qfile.kinds import HASHED_ODDITIES, LONG_BYTES
from tests.qfile.assemble import (
    MEMOIZE,
    Raw,
    called,
    named,
    old_text,
    old_value,
    pickled,
    qfile,
    text,
    value,
)

MANY = 1000
LARGE = 100_000
SET = named("builtins", "set")


def metadata_of(opcodes: bytes, *, strict: bool = True) -> Any:
    """Return the value that those opcodes make; their first memo index is 2."""
    second = Raw(b"}" + MEMOIZE + b"(" + text("x") + opcodes + b"u")
    return decode(qfile(second=second), strict=strict).msgdata["x"]


def test_a_list_is_not_made_into_sets_again_and_again() -> None:
    shared = value([f"{number}@example.com" for number in range(MANY)])
    # The list is memoized under 2, each address behind it, and then the class.
    index = struct.pack("<I", 2 + 1 + MANY + 2)
    calls = SET + (b"j" + index + b"h\x02\x85R") * MANY
    with pytest.raises(UnsafeQFile, match="more values"):
        metadata_of(b"(" + shared + calls + b"l", strict=False)


def test_two_sets_may_be_made_of_one_list() -> None:
    shared = value(["anne@example.com"])
    set_of_it = b"h\x06h\x02\x85R"
    made = metadata_of(
        b"(" + shared + SET + b"\x85" + set_of_it * 2 + b"l", strict=False
    )
    assert made[2:] == [{"anne@example.com"}] * 2


def test_numbers_in_all_sets_together_are_few() -> None:
    few = list(range(HASHED_ODDITIES // 2))
    whole = [called(SET, few), called(SET, few)]
    assert metadata_of(value(whole)) == [set(few), set(few)]
    with pytest.raises(UnsafeQFile, match="unfit keys"):
        metadata_of(value([*whole, called(SET, [1])]))


@pytest.mark.parametrize("element", ["a" * (LONG_BYTES + 1), ("a" * 2000, "b")])
def test_long_text_is_no_element_of_a_set(element: object) -> None:
    with pytest.raises(UnsafeQFile, match="unfit keys"):
        metadata_of(called(SET, [element]))


@pytest.mark.parametrize(
    ("module", "name", "content"),
    [
        ("builtins", "bytearray", b"B" + struct.pack("<I", LARGE) + b"a" * LARGE),
        ("_codecs", "encode", b"X" + struct.pack("<I", LARGE) + b"a" * LARGE),
    ],
)
def test_bytes_are_not_copied_again_and_again(
    module: str, name: str, content: bytes
) -> None:
    kind = named(module, name)
    whole = b"(" + content + MEMOIZE + kind + b"h\x05h\x02\x85R" * 20 + b"l"
    with pytest.raises(UnsafeQFile, match="more values"):
        metadata_of(whole, strict=False)


def test_byte_strings_of_python_2_are_not_decoded_again_and_again() -> None:
    shared = old_text(b"a" * LARGE) + b"q\x01"
    first = pickled(old_value("x"), 1)
    for times in (1, 20):
        second = pickled(
            b"}(" + old_text(b"_parsemsg") + b"I01\n" + old_text(b"x")
            + b"](" + shared + b"h\x01" * times + b"eu",
            1,
        )  # fmt: skip
        if times == 1:
            read = decode(first + second, strict=True)
            assert read.msgdata["x"] == ["a" * LARGE] * 2
        else:
            with pytest.raises(UnsafeQFile, match="more values"):
                decode(first + second, strict=True)


def test_a_class_that_is_named_often_is_one_stand_in() -> None:
    names = text("site") + text("Colour") + b"h\x02h\x03\x93" * MANY
    made = metadata_of(b"(" + names + b"l", strict=False)
    assert made[2:] == [Opaque("class site.Colour")] * MANY


def test_few_defects_have_names_of_their_own() -> None:
    names = b"".join(named("email.errors", f"X{number}Defect") for number in range(100))
    with pytest.raises(UnsafeQFile, match="unknown classes"):
        metadata_of(b"(" + names + b"l", strict=False)


def test_a_set_of_nothing_listed_is_malformed() -> None:
    with pytest.raises(CorruptQFile, match="malformed set"):
        metadata_of(called(SET, "abc"))
