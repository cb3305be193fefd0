"""Pickles put together opcode by opcode, as no pickler would write them."""

from __future__ import annotations

import struct
from typing import Any

STOP = b"."
MEMOIZE = b"\x94"


class Raw(bytes):
    """Opcodes that stand where a value is expected."""

    __slots__ = ()


def text(value: str) -> Raw:
    """Return the opcodes of a text, as protocol 4 writes it."""
    content = value.encode("utf-8", "surrogatepass")
    if len(content) < 256:
        return Raw(b"\x8c" + bytes([len(content)]) + content + MEMOIZE)
    return Raw(b"X" + struct.pack("<I", len(content)) + content + MEMOIZE)


def content(value: bytes) -> Raw:
    """Return the opcodes of a byte string."""
    if len(value) < 256:
        return Raw(b"C" + bytes([len(value)]) + value + MEMOIZE)
    return Raw(b"B" + struct.pack("<I", len(value)) + value + MEMOIZE)


def number(value: int | float) -> Raw:  # mypy tells them apart
    """Return the opcodes of a number, a truth value among them."""
    if isinstance(value, bool):
        return Raw(b"\x88" if value else b"\x89")
    if isinstance(value, float):
        return Raw(b"G" + struct.pack(">d", value))
    if 0 <= value < 256:
        return Raw(b"K" + bytes([value]))
    if -(1 << 31) <= value < 1 << 31:
        return Raw(b"J" + struct.pack("<i", value))
    size = value.bit_length() // 8 + 1
    return Raw(b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True))


def value(plain: Any) -> Raw:
    """Return the opcodes of a plain value; ``Raw`` ones in it stand as they are."""
    if isinstance(plain, Raw):
        return plain
    if plain is None:
        return Raw(b"N")
    if isinstance(plain, str):
        return text(plain)
    if isinstance(plain, bytes):
        return content(plain)
    if isinstance(plain, int | float):
        return number(plain)
    if isinstance(plain, dict):
        pairs = b"".join(value(key) + value(item) for key, item in plain.items())
        return Raw(b"}" + MEMOIZE + b"(" + pairs + b"u")
    items = b"".join(value(item) for item in plain)
    if isinstance(plain, list):
        return Raw(b"]" + MEMOIZE + b"(" + items + b"e")
    if isinstance(plain, set):
        return Raw(b"\x8f" + MEMOIZE + b"(" + items + b"\x90")
    return Raw(b"(" + items + b"t" + MEMOIZE if plain else b")")


def named(module: str, name: str) -> Raw:
    """Return the opcodes that name a class, as protocol 4 does."""
    return Raw(text(module) + text(name) + b"\x93" + MEMOIZE)


def named_in_text(module: str, name: str) -> Raw:
    """Return the opcode that names a class, as older protocols do."""
    return Raw(f"c{module}\n{name}\n".encode("utf-8", "surrogatepass"))


def called(kind: bytes, *args: Any) -> Raw:
    """Return the opcodes that call what ``kind`` names."""
    return Raw(kind + value(args) + b"R" + MEMOIZE)


def new(kind: bytes, state: Any = None) -> Raw:
    """Return the opcodes of an instance with that state."""
    made = kind + b")\x81" + MEMOIZE
    return Raw(made if state is None else made + value(state) + b"b")


def pickled(opcodes: bytes, protocol: int = 4) -> bytes:
    """Return a whole pickle of these opcodes."""
    if protocol < 2:
        return opcodes + STOP
    return b"\x80" + bytes([protocol]) + opcodes + STOP


POLICY = new(named("email._policybase", "Compat32"))
MESSAGE = named("email.message", "Message")
STATE: dict[Any, Any] = {
    "policy": POLICY,
    "_headers": [
        ("From", "anne@example.com"),
        ("To", "test@example.com"),
        ("Subject", "a message"),
    ],
    "_unixfrom": None,
    "_payload": "Hello\n",
    "_charset": None,
    "preamble": None,
    "epilogue": None,
    "defects": [],
    "_default_type": "text/plain",
}
METADATA: dict[Any, Any] = {
    "listid": "test.example.com",
    "version": 3,
    "_parsemsg": False,
}


def message(**fields: Any) -> Raw:
    """Return the opcodes of a message, with some of its fields changed."""
    return new(MESSAGE, {**STATE, **fields})


def qfile(
    first: bytes | None = None, metadata: Any = None, *, second: bytes | None = None
) -> bytes:
    """Return a file of a message's opcodes and of metadata, sound by default."""
    whole = value(METADATA if metadata is None else metadata)
    return pickled(message() if first is None else first) + pickled(
        whole if second is None else second
    )


def with_metadata(**extra: Any) -> bytes:
    """Return a file whose metadata has these keys besides."""
    return qfile(metadata={**METADATA, **extra})


def as_text(whole: str) -> bytes:
    """Return a file in the text form."""
    return pickled(text(whole)) + pickled(value({**METADATA, "_parsemsg": True}))


# --- As Python 2 wrote ------------------------------------------------------


def old_text(value: bytes) -> Raw:
    """Return the opcode of a byte string of Python 2, in protocol 1."""
    if len(value) < 256:
        return Raw(b"U" + bytes([len(value)]) + value)
    return Raw(b"T" + struct.pack("<i", len(value)) + value)


def old_value(plain: Any) -> Raw:
    """Return the opcodes of a plain value as Python 2 wrote it in protocol 1."""
    if isinstance(plain, Raw):
        return plain
    if isinstance(plain, bytes):
        return old_text(plain)
    if isinstance(plain, str):
        content = plain.encode("utf-8", "surrogatepass")
        return Raw(b"X" + struct.pack("<I", len(content)) + content)
    if isinstance(plain, bool):
        return Raw(b"I01\n" if plain else b"I00\n")
    if isinstance(plain, dict):
        pairs = b"".join(old_value(k) + old_value(v) for k, v in plain.items())
        return Raw(b"}(" + pairs + b"u")
    if isinstance(plain, list):
        return Raw(b"](" + b"".join(map(old_value, plain)) + b"e")
    if isinstance(plain, tuple):
        return Raw(b"(" + b"".join(map(old_value, plain)) + b"t")
    return value(plain)


def old_instance(module: str, name: str, state: Any) -> Raw:
    """Return the opcodes of an old-style instance, in protocol 1."""
    return Raw(b"(" + named_in_text(module, name) + b"o" + old_value(state) + b"b")
