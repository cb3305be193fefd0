"""Hostile files that ask for much memory or time."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.qfile.assemble import (
    MEMOIZE,
    MESSAGE,
    METADATA,
    Raw,
    as_text,
    called,
    message,
    named,
    named_in_text,
    new,
    old_value,
    pickled,
    qfile,
    text,
    value,
    with_metadata,
)
from tests.qfile.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator


def bombs() -> Iterator[Hostile]:
    """Yield small files that ask for much memory or time."""
    announcing = {b"X": 4, b"B": 4, b"T": 4, b"\x8b": 4, b"\x8d": 8, b"\x8e": 8,
                  b"\x96": 8, b"\x95": 8}  # fmt: skip
    for opcode, width in announcing.items():
        bits = 8 * width
        for size in sorted({1 << 30, (1 << 31) - 1, (1 << bits) - 1, 1 << bits - 3}):
            announced = size.to_bytes(width, "little")
            yield _bomb(f"{opcode.hex()}-{size}", opcode + announced + b"abc")
    for letter in ("r", "j"):
        for index in (1 << 20, (1 << 31) - 1, (1 << 32) - 1):
            packed = letter.encode() + struct.pack("<I", index)
            yield _bomb(f"memo-{letter}-{index}", b"]" + packed, protocol=2)
            yield _bomb(f"memo-{letter}-{index}-4", b"]" + packed)
    for number in ("99999999", "9" * 20, "-1", "1e9", ""):
        yield _bomb(f"put-{number}", f"]p{number}\n".encode(), protocol=0)
        yield _bomb(f"get-{number}", f"]g{number}\n".encode(), protocol=0)
    yield _bomb("long-integer", b"L" + b"9" * 100_000 + b"L\n", protocol=0)
    yield _bomb("long-float", b"F" + b"9" * 100_000 + b"\n", protocol=0)
    yield from _deep()
    yield from _shared()
    yield from _colliding()


def _bomb(name: str, opcodes: bytes, protocol: int = 4) -> Hostile:
    metadata = pickled(value(METADATA))
    return Hostile(
        id=f"bombs/{name}",
        expect="reject",
        content=pickled(opcodes, protocol) + metadata,
    )


def _deep() -> Iterator[Hostile]:
    depth = 50_000
    nests = {
        "lists": Raw(b"]" * depth + b"a" * (depth - 1)),
        "dicts": Raw((b"}" + text("a")) * depth + b"N" + b"s" * depth),
        "tuples": Raw(b")" + b"\x85" * depth),
        "tuples-of-marks": Raw(b"(" * depth + b"t" * depth),
        "lists-of-marks": Raw(b"(" * depth + b"l" * depth),
        "calls": Raw(named("builtins", "set") * depth + b")" + b"R\x85" * depth),
        "states": Raw(new(MESSAGE) * 1000 + b"}" + b"b" * 1000),
    }
    for name, opcodes in nests.items():
        yield Hostile(
            id=f"bombs/deep-{name}", expect="survive", content=with_metadata(x=opcodes)
        )
        yield Hostile(
            id=f"bombs/deep-{name}-first", expect="survive", content=qfile(opcodes)
        )
    yield Hostile(
        id="bombs/deep-tuple-as-key",
        expect="reject",
        content=with_metadata(x=Raw(b"})" + b"\x85" * depth + b"Ns")),
    )
    part = message(_payload="x")
    for _ in range(1500):
        part = new(MESSAGE, {"_headers": [], "_payload": Raw(b"]" + part + b"a")})
    yield Hostile(id="bombs/deep-parts", expect="survive", content=qfile(part))
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(2000)
    )
    yield Hostile(id="bombs/deep-text", expect="survive", content=as_text(nested))
    forwarded = "Content-Type: message/rfc822\n\n" * 3000
    yield Hostile(id="bombs/deep-rfc822", expect="survive", content=as_text(forwarded))


def _shared() -> Iterator[Hostile]:
    levels = 60
    # Level n is made of level n - 1 twice, which the memo holds under n - 1.
    pairs = b"".join(
        b"h" + bytes([level]) + b"h" + bytes([level]) + b"\x86" + MEMOIZE
        for level in range(levels)
    )
    tuples = Raw(b"(" + text("a") + pairs + b"t")
    key = Raw(b"}(" + text("a") + pairs + b"Nu")
    lists = b"".join(
        b"]" + MEMOIZE + b"(" + (b"h" + bytes([level])) * 2 + b"e"
        for level in range(levels)
    )
    yield Hostile(
        id="bombs/shared-tuples",
        expect="survive",
        content=qfile(second=Raw(b"}" + text("x") + tuples + b"s")),
    )
    yield Hostile(
        id="bombs/shared-tuples-key", expect="reject", content=qfile(second=key)
    )
    yield Hostile(
        id="bombs/shared-lists",
        expect="survive",
        content=qfile(second=Raw(b"(" + text("x") + b"(" + lists + b"ld")),
    )
    yield Hostile(
        id="bombs/shared-parts", expect="survive", content=_old(_doubled_parts(60))
    )
    cycle = _old_message(Raw(b"](h\x00e"), put=0)
    yield Hostile(id="bombs/cycle", expect="survive", content=_old(cycle))
    metadata_cycle = Raw(b"}" + MEMOIZE + text("x") + b"h\x00s")
    yield Hostile(
        id="bombs/metadata-cycle",
        expect="survive",
        content=qfile(second=metadata_cycle),
    )
    list_cycle = Raw(b"]" + MEMOIZE + b"h\x00a")
    yield Hostile(
        id="bombs/list-cycle",
        expect="survive",
        content=qfile(second=Raw(b"(" + text("x") + list_cycle + b"d")),
    )


def _old(first: bytes) -> bytes:
    return pickled(first, 1) + pickled(value(METADATA))


def _old_message(payload: Raw, put: int) -> Raw:
    """Return a message of Python 2 that can be found again within itself."""
    kind = b"(" + named_in_text("email.message", "Message") + b"o"
    state = {b"_headers": [], b"_payload": payload}
    return Raw(kind + b"q" + bytes([put]) + old_value(state) + b"b")


def _doubled_parts(levels: int) -> Raw:
    part = _old_message(old_value(b"x"), put=0)
    for level in range(1, levels):
        twice = Raw(b"](" + part + b"h" + bytes([level - 1]) + b"e")
        part = _old_message(twice, put=level)
    return part


def _colliding() -> Iterator[Hostile]:
    modulus = (1 << 61) - 1
    for count in (1000, 20_000):
        # Put together by hand: a set of them would take as long to make here.
        numbers = [value(modulus * n) for n in range(1, count)]
        kinds = {
            "set": Raw(b"\x8f(" + b"".join(numbers) + b"\x90"),
            "dict": Raw(b"}(" + b"N".join(numbers) + b"Nu"),
            "call": called(named("builtins", "set"), numbers),
            "tuples": Raw(b"\x8f(" + b"\x85".join(numbers) + b"\x85\x90"),
        }
        for name, opcodes in kinds.items():
            yield Hostile(
                id=f"bombs/colliding-{name}-{count}",
                expect="survive",
                content=with_metadata(x=opcodes),
            )
    yield Hostile(
        id="bombs/escapes",
        expect="survive",
        content=pickled(b"V" + b"\\U0010ffff" * 20_000 + b"\n", 0)
        + pickled(value({**METADATA, "_parsemsg": True})),
    )
