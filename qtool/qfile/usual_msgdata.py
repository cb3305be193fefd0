"""Usual metadata, read by its grammar: plain values, moments, and texts in a row."""

from __future__ import annotations

import re
from struct import Struct

from qtool.errors import CorruptQFile
from qtool.qfile.standard import MAKERS
from qtool.qfile.terms import (
    INTEGER,
    SHORT,
    SHORT_KEPT,
    UnusualError,
    frame,
    integer,
    strings,
    text_of,
)

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any

    from qtool.qfile.guard import Pickle
    from qtool.qfile.terms import Memo

_SIMPLE = rf"[N\x88\x89]|{INTEGER}|G.{{8}}"
_ANY = rf"(?:{SHORT}|h.)"
_ROW = rf"]\x94(?:\({_ANY}+e|{_ANY}a)?|\x8f\x94(?:\({_ANY}+\x90)?"
_BEFORE_MOMENT = re.escape(f"{strings('datetime', 'datetime')}\x93\x94C\x0a")
_AFTER_MOMENT = re.escape("\x94\x85\x94R\x94")

_TEXT = re.compile(rf"{SHORT_KEPT}|h(.)", re.DOTALL)
_ITEM = re.compile(
    rf"{SHORT_KEPT}(?:{_BEFORE_MOMENT}(.{{10}}){_AFTER_MOMENT}|{SHORT_KEPT}"
    rf"|({_SIMPLE})|h(.)|({_ROW}))",
    re.DOTALL,
)
_ITEMS = re.compile(
    rf"}}\x94\(((?:{SHORT}(?:{_BEFORE_MOMENT}.{{10}}{_AFTER_MOMENT}|{SHORT}"
    rf"|{_SIMPLE}|h.|{_ROW}))+)u\.",
    re.DOTALL,
)
# Groups within what is repeated are better not asked for: Python 3.11 errs there.

_SIMPLE_VALUES = {"N": None, "\x88": True, "\x89": False}
_DOUBLE = Struct(">d").unpack
_MEMO: Memo = [None]
_MADE_FOR_MOMENT: Memo = [None] * 6
# What is memoized before the first item, and for a moment.


def usual_msgdata(data: bytes, start: int) -> tuple[Pickle, dict[str, Any]] | None:
    """Return the second half of a file; None where it is not usual.

    Args:
        data: The whole file.
        start: Offset of the second half.
    """
    found = frame(data, start)
    if found is None:
        return None
    part, opcodes = found
    items = _ITEMS.fullmatch(opcodes)
    if items is None:
        return None
    try:
        return part, _msgdata(items[1])
    except (UnusualError, CorruptQFile, IndexError):
        return None


def _msgdata(items: str) -> dict[str, Any]:
    msgdata: dict[str, Any] = {}
    memo = [*_MEMO]
    for size, key, moment, length, text, simple, index, row in _ITEM.findall(items):
        if ord(size) != len(key):
            raise UnusualError
        memo.append(key)
        if simple:
            msgdata[key] = _simple(simple)
        elif row:
            msgdata[key] = _row(row, memo)
        elif moment:
            msgdata[key] = MAKERS["datetime.datetime"]((moment.encode("latin-1"),))
            memo += _MADE_FOR_MOMENT
        else:
            msgdata[key] = text_of(length, text, index, memo)
    return msgdata


def _row(opcodes: str, memo: Memo) -> list[str] | set[str]:
    """Return the list or the set of texts that opcodes make."""
    memo.append(None)  # what they are put into
    texts = [
        text_of(length, text, index, memo)
        for length, text, index in _TEXT.findall(opcodes)
    ]
    return texts if opcodes[0] == "]" else set(texts)


def _simple(opcode: str) -> Any:
    if opcode in _SIMPLE_VALUES:
        return _SIMPLE_VALUES[opcode]
    if opcode[0] == "G":
        return _DOUBLE(opcode[1:].encode("latin-1"))[0]
    return integer(opcode)
