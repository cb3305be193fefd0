"""The usual halves of a qfile, read by their grammar: no unpickler has to run.

Picklers write the same opcodes in the same order for the same shape of object, and
most files have one shape: a message with one body and ASCII headers, and metadata of
plain values, each in one frame. A few compiled expressions know it. What they know is
taken from the bytes as it stands, and is what the unpickler would make of it; of
anything else they know nothing, and the guard and the unpickler have to read it.
"""

from __future__ import annotations

import re
from struct import Struct

from qtool.errors import CorruptQFile
from qtool.qfile.guard import Pickle
from qtool.qfile.standard import MAKERS

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any

_LARGEST = 1 << 16
# A longer half has more frames than one.
_FRAME = Struct("<2sBQ").unpack_from
_FRAME_SIZE = 11
_BEGINNINGS = (b"\x80\x04", b"\x80\x05")
_FRAME_OPCODE = 0x95

_BEFORE_HEADERS: list[str | None] = [None] * 12
_BEFORE_ITEMS: list[str | None] = [None]
_MADE_FOR_MOMENT: list[str | None] = [None] * 6
# What is memoized before the first header, before the first item, and for a moment:
# nothing that would be somewhere else again.
_SHARED = 1 << 20
# So many characters of headers may be one that is shared again and again.


class UsualMessage:
    """The first half of a usual file."""

    __slots__ = ("fields", "is_mailmans", "part")

    def __init__(self, part: Pickle, is_mailmans: bool, fields: dict[str, Any]) -> None:
        self.part = part
        self.is_mailmans = is_mailmans
        """Whether its class is Mailman's; else it is the standard library's."""
        self.fields = fields
        """What the message holds, but for its policy."""


class _UnusualError(Exception):
    """The half of a file is not what its beginning looks like."""


def usual_message(data: bytes) -> UsualMessage | None:
    """Return what the first half of a file holds; None where it is not usual."""
    part = _framed(data, 0)
    if part is None:
        return None
    text = str(data[_FRAME_SIZE : part.end], "latin-1")
    head = _HEAD.match(text)
    if head is None:
        return None
    is_mailmans = head[1] is not None
    try:
        return UsualMessage(part, is_mailmans, _fields(text, head))
    except (_UnusualError, UnicodeDecodeError, IndexError):
        return None


def usual_msgdata(data: bytes, start: int) -> tuple[Pickle, dict[str, Any]] | None:
    """Return the second half, from ``start`` on; None where it is not usual."""
    part = _framed(data, start)
    if part is None:
        return None
    items = _ITEMS.fullmatch(str(data[start + _FRAME_SIZE : part.end], "latin-1"))
    if items is None:
        return None
    try:
        return part, _msgdata(items[1])
    except (_UnusualError, CorruptQFile, IndexError):
        return None


def _framed(data: bytes, start: int) -> Pickle | None:
    """Return a pickle of one frame, as far as its first bytes and its last tell."""
    if len(data) < start + _FRAME_SIZE:
        return None
    beginning, opcode, size = _FRAME(data, start)
    end = start + _FRAME_SIZE + size
    if (
        beginning not in _BEGINNINGS
        or opcode != _FRAME_OPCODE
        or size > _LARGEST
        or end > len(data)
    ):
        return None
    return Pickle(start, end, beginning[1])


def _fields(text: str, head: re.Match[str]) -> dict[str, Any]:
    _, block, from_length, from_text, from_index, short, long = head.groups()
    memo = [*_BEFORE_HEADERS]
    headers = _headers(block, memo)
    memo.append(None)  # the name of the next field
    unixfrom = None
    if from_length or from_index:
        unixfrom = _text(from_length, from_text, from_index, memo)
    begin = head.end()
    end = begin + (ord(short) if short else _number(long))
    tail = _TAIL.fullmatch(text, end)
    if tail is None:
        raise _UnusualError
    payload = text[begin:end]
    if not payload.isascii():
        payload = payload.encode("latin-1").decode("utf-8", "surrogatepass")
    fields: dict[str, Any] = {
        "_headers": headers, "_unixfrom": unixfrom, "_payload": payload,
        "_charset": None, "preamble": None, "epilogue": None, "defects": [],
        "_default_type": "text/plain",
    }  # fmt: skip
    if tail[1]:
        fields["original_size"] = _integer(tail[1])
    return fields


def _headers(block: str, memo: list[str | None]) -> list[tuple[str, str]]:
    headers, total = [], 0
    for size, name, short, value, long, long_value, index in _HEADER.findall(block):
        if ord(size) != len(name):
            raise _UnusualError
        memo.append(name)
        if long:
            if _number(long) != len(long_value):
                raise _UnusualError
            memo.append(long_value)
            value = long_value
        else:
            value = _text(short, value, index, memo)
        memo.append(None)  # the pair
        headers.append((name, value))
        total += len(value)
    if total > _SHARED:
        raise _UnusualError
    return headers


def _msgdata(block: str) -> dict[str, Any]:
    msgdata: dict[str, Any] = {}
    memo = [*_BEFORE_ITEMS]
    for size, key, moment, length, text, simple, index, many in _ITEM.findall(block):
        if ord(size) != len(key):
            raise _UnusualError
        memo.append(key)
        if simple:
            msgdata[key] = _simple(simple)
        elif many:
            msgdata[key] = _texts(many, memo)
        elif moment:
            msgdata[key] = MAKERS["datetime.datetime"]((moment.encode("latin-1"),))
            memo += _MADE_FOR_MOMENT
        else:
            msgdata[key] = _text(length, text, index, memo)
    return msgdata


def _texts(opcodes: str, memo: list[str | None]) -> list[str] | set[str]:
    """Return the list or the set of texts that opcodes make."""
    memo.append(None)  # what they are put into
    texts = [
        _text(length, text, index, memo)
        for length, text, index in _TEXT.findall(opcodes)
    ]
    return texts if opcodes[0] == "]" else set(texts)


def _text(length: str, text: str, index: str, memo: list[str | None]) -> str:
    """Return a text that is new, or one that was there before."""
    if index:
        known = memo[ord(index)]
        if known is None:
            raise _UnusualError
        return known
    if ord(length) != len(text):
        raise _UnusualError
    memo.append(text)
    return text


def _simple(opcode: str) -> Any:
    if opcode in _SIMPLE_VALUES:
        return _SIMPLE_VALUES[opcode]
    if opcode[0] == "G":
        return _DOUBLE(opcode[1:].encode("latin-1"))[0]
    return _integer(opcode)


_SIMPLE_VALUES = {"N": None, "\x88": True, "\x89": False}
_DOUBLE = Struct(">d").unpack


def _integer(opcode: str) -> int:
    number = _number(opcode[1:])
    return number - (1 << 32) if opcode[0] == "J" and number >> 31 else number


def _number(digits: str) -> int:
    return int.from_bytes(digits.encode("latin-1"), "little")


# --- The expressions; they work on the bytes as characters, of which ASCII is text


def _strings(*texts: str) -> str:
    return "".join(re.escape(f"\x8c{chr(len(text))}{text}\x94") for text in texts)


# Text ends where it is memoized, as that opcode is not ASCII; its length is compared.
_SHORT, _SHORT_KEPT = r"\x8c.[\0-\x7f]*\x94", r"\x8c(.)([\0-\x7f]*)\x94"
_LONG, _LONG_KEPT = r"X..\0\0[\0-\x7f]*\x94", r"X(..)\0\0([\0-\x7f]*)\x94"
_NEW = re.escape("\x93\x94)\x81\x94")
_INTEGER = r"K.|M..|J.{4}"

_HEADER = re.compile(
    rf"{_SHORT_KEPT}(?:{_SHORT_KEPT}|{_LONG_KEPT}|h(.))\x86\x94", re.DOTALL
)
_HEAD = re.compile(
    f"(?:{_strings('email.message')}|({_strings('mailman.email.message')}))"
    rf"{_strings('Message')}{_NEW}}}\x94\({_strings('policy')}"
    f"{_strings('email._policybase', 'Compat32')}{_NEW}"
    rf"{_strings('_headers')}]\x94\(((?:{_SHORT}(?:{_SHORT}|{_LONG}|h.)\x86\x94)+)e"
    rf"{_strings('_unixfrom')}(?:N|{_SHORT_KEPT}|h(.)){_strings('_payload')}(?:\x8c(.)|X(....))",
    re.DOTALL,
)
_TAIL = re.compile(
    rf"\x94{_strings('_charset')}N{_strings('preamble')}N{_strings('epilogue')}N"
    rf"{_strings('defects')}]\x94{_strings('_default_type', 'text/plain')}"
    rf"(?:{_strings('original_size')}({_INTEGER}))?ub\.",
    re.DOTALL,
)

_TEXT = re.compile(rf"{_SHORT_KEPT}|h(.)", re.DOTALL)
_SIMPLE = rf"[N\x88\x89]|{_INTEGER}|G.{{8}}"
_ANY = rf"(?:{_SHORT}|h.)"
_MANY = rf"]\x94(?:\({_ANY}+e|{_ANY}a)?|\x8f\x94(?:\({_ANY}+\x90)?"
_BEFORE_MOMENT = rf"{_strings('datetime', 'datetime')}\x93\x94C\x0a"
_AFTER_MOMENT = r"\x94\x85\x94R\x94"
_ITEM = re.compile(
    rf"{_SHORT_KEPT}(?:{_BEFORE_MOMENT}(.{{10}}){_AFTER_MOMENT}|{_SHORT_KEPT}"
    rf"|({_SIMPLE})|h(.)|({_MANY}))",
    re.DOTALL,
)
_ITEMS = re.compile(
    rf"}}\x94\(((?:{_SHORT}(?:{_BEFORE_MOMENT}.{{10}}{_AFTER_MOMENT}|{_SHORT}"
    rf"|{_SIMPLE}|h.|{_MANY}))+)u\.",
    re.DOTALL,
)
