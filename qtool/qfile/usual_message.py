"""A usual message, read by its grammar: headers in ASCII, and a body or parts.

The message of a file, and each part of it, has the same fields in the same order.
What it says is what the unpickler would make of it; of anything else the grammar
knows nothing, and the guard and the unpickler have to read that.
"""

from __future__ import annotations

import re
from itertools import chain

from qtool.errors import UnsafeQFile
from qtool.qfile.outliner import ITEM_COST, PART_COST
from qtool.qfile.terms import (
    INTEGER,
    SHORT,
    SHORT_KEPT,
    UnusualError,
    frame,
    integer,
    strings,
    text_of,
    unsigned,
)
from qtool.qfile.values import Values

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from qtool.qfile.guard import Pickle
    from qtool.qfile.terms import Memo

    Fields: TypeAlias = dict[str, Any]
    """What a message holds, but for its policy; its parts are held the same way."""

_LONG, _LONG_KEPT = r"X..\0\0[\0-\x7f]*\x94", r"X(..)\0\0([\0-\x7f]*)\x94"
_NEW = "\x93\x94)\x81\x94"
_BEGINNING = (
    f"{strings('Message')}{_NEW}}}\x94({strings('policy')}"
    f"{strings('email._policybase', 'Compat32')}{_NEW}{strings('_headers')}"
)
_OF_STANDARD = strings("email.message") + _BEGINNING
_OF_MAILMAN = strings("mailman.email.message") + _BEGINNING
_MEMO: Memo = [None] * 11
# No text that is memoized there stands somewhere else again.
_OF_PART = "h\x02)\x81\x94}\x94(h\x05h\x09h\x0a"
# The class, the names of the first fields and the policy are known by then.
_MADE_FOR_PART: Memo = [None] * 2
_DEEPEST = 20
_POLICY = 1
# A field that is not read, for it says nothing.


def _named(name: str) -> str:
    """Return an expression for a field's name, new or in the memo."""
    return rf"(?:{re.escape(strings(name))}|h(.))"


def _text_or_none(before: str) -> str:
    return rf"{before}(?:N|{SHORT_KEPT}|h(.))"


_PAIR = rf"{SHORT}(?:{SHORT}|{_LONG}|h.)\x86\x94"
_HEADER = re.compile(
    rf"{SHORT_KEPT}(?:{SHORT_KEPT}|{_LONG_KEPT}|h(.))\x86\x94", re.DOTALL
)
_BEFORE_PAYLOAD = re.compile(
    rf"]\x94(?:\(((?:{_PAIR})+)e|({_PAIR})a)?"
    rf"{_text_or_none(_named('_unixfrom'))}{_named('_payload')}",
    re.DOTALL,
)
_AFTER_PAYLOAD = re.compile(
    rf"{_named('_charset')}N{_text_or_none(_named('preamble'))}"
    rf"{_text_or_none(_named('epilogue'))}{_named('defects')}]\x94"
    rf"{_named('_default_type')}(?:{SHORT_KEPT}|h(.))",
    re.DOTALL,
)
_NOTHING_SPECIAL = (
    f"{strings('_charset')}N{strings('preamble')}N{strings('epilogue')}N"
    f"{strings('defects')}]\x94{strings('_default_type', 'text/plain')}"
)
# What the same is in most files: where no part has named the fields before.
_MEMO_OF_NOTHING: Memo = [
    "_charset", "preamble", "epilogue", "defects", None, "_default_type", "text/plain",
]  # fmt: skip
_END = re.compile(
    rf"(?:{re.escape(strings('original_size'))}({INTEGER}))?ub", re.DOTALL
)


class UsualMessage:
    """The first half of a usual file."""

    __slots__ = ("fields", "is_mailmans", "part")

    def __init__(self, part: Pickle, is_mailmans: bool, fields: Fields) -> None:
        self.part = part
        self.is_mailmans = is_mailmans
        """Whether its class is Mailman's; else it is the standard library's."""
        self.fields = fields


def usual_message(data: bytes) -> UsualMessage | None:
    """Return what the first half of a file holds; None where it is not usual.

    Args:
        data: The whole file.
    """
    found = frame(data, 0)
    if found is None:
        return None
    part, opcodes = found
    is_mailmans = opcodes.startswith(_OF_MAILMAN)
    if not is_mailmans and not opcodes.startswith(_OF_STANDARD):
        return None
    begin = len(_OF_MAILMAN if is_mailmans else _OF_STANDARD)
    try:
        fields, end = _Reading(opcodes).fields(begin)
    except (UnusualError, UnsafeQFile, UnicodeDecodeError, IndexError):
        return None
    if opcodes[end:] != ".":
        return None
    return UsualMessage(part, is_mailmans, fields)


class _Reading:
    """One reading of one message, from the front to the end."""

    __slots__ = ("_depth", "_is_shared", "_memo", "_opcodes", "_values")

    def __init__(self, opcodes: str) -> None:
        self._opcodes = opcodes
        self._memo = [*_MEMO]
        self._depth = 0
        self._values: Values | None = None
        self._is_shared = False
        """Whether something in it is there more than once."""

    def fields(self, at: int) -> tuple[Fields, int]:
        """Return the fields of a message from its headers on, and where it ends."""
        before = _BEFORE_PAYLOAD.match(self._opcodes, at)
        if before is None:
            raise UnusualError
        many, one, unixfrom_name, length, text, index, payload_name = before.groups()
        self._memo.append(None)  # the list of headers
        headers = self._headers(many or one or "")
        self._name("_unixfrom", unixfrom_name)
        unixfrom = self._text(length, text, index)
        self._name("_payload", payload_name)
        payload, at = self._payload(before.end())
        fields = {"_headers": headers, "_unixfrom": unixfrom, "_payload": payload}
        end = _END.match(self._opcodes, self._after_payload(at, fields))
        if end is None:
            raise UnusualError
        if end[1]:
            self._memo.append(None)  # its name
            fields["original_size"] = integer(end[1])
        if self._is_shared:
            self._spend(fields)
        return fields, end.end()

    def _spend(self, fields: Fields) -> None:
        """Pay what the outliner would for a message: a memo shares without end."""
        if self._values is None:
            size = len(self._opcodes)
            self._values = Values(size, byte_strings=False, strict=True)
        headers = fields["_headers"]
        texts = [text for text in fields.values() if type(text) is str]
        self._values.spend(
            PART_COST
            + ITEM_COST * (_POLICY + len(fields) + len(headers))
            + sum(map(len, texts))
            + sum(map(len, chain.from_iterable(headers)))
        )

    def _after_payload(self, at: int, fields: Fields) -> int:
        """Add the fields behind the payload, and return where they end."""
        if self._opcodes.startswith(_NOTHING_SPECIAL, at):
            self._memo += _MEMO_OF_NOTHING
            fields.update(_charset=None, preamble=None, epilogue=None, defects=[])
            fields["_default_type"] = "text/plain"
            return at + len(_NOTHING_SPECIAL)
        match = _AFTER_PAYLOAD.match(self._opcodes, at)
        if match is None:
            raise UnusualError
        found = match.groups()
        fields["_charset"] = None
        self._name("_charset", found[0])
        self._name("preamble", found[1])
        fields["preamble"] = self._text(*found[2:5])
        self._name("epilogue", found[5])
        fields["epilogue"] = self._text(*found[6:9])
        self._name("defects", found[9])
        fields["defects"] = []
        self._memo.append(None)  # the list of defects
        self._name("_default_type", found[10])
        fields["_default_type"] = self._text(*found[11:14]) or "text/plain"
        return match.end()

    def _name(self, name: str, index: str | None) -> None:
        if index is None:
            self._memo.append(name)
        elif self._memo[ord(index)] != name:
            raise UnusualError

    def _text(
        self, length: str | None, text: str | None, index: str | None
    ) -> str | None:
        if index:
            self._is_shared = True
        elif length is None:
            return None
        return text_of(length or "", text or "", index or "", self._memo)

    def _headers(self, opcodes: str) -> list[tuple[str, str]]:
        headers, memo = [], self._memo
        for size, name, short, text, long, long_text, index in _HEADER.findall(opcodes):
            if ord(size) != len(name):
                raise UnusualError
            memo.append(name)
            if long:
                if unsigned(long) != len(long_text):
                    raise UnusualError
                memo.append(long_text)
                value = long_text
            else:
                value = text_of(short, text, index, memo)
                if index:
                    self._is_shared = True
                    if not value.isascii():  # the body of a part
                        raise UnusualError
            memo.append(None)  # the pair
            headers.append((name, value))
        return headers

    def _payload(self, at: int) -> tuple[Any, int]:
        """Return a body, or the fields of parts, and where that ends."""
        opcodes = self._opcodes
        opcode = opcodes[at]
        if opcode == "]":
            return self._parts(at)
        if opcode == "N":
            return None, at + 1
        if opcode == "h":
            self._is_shared = True
            return text_of("", "", opcodes[at + 1], self._memo), at + 2
        if opcode == "\x8c":
            begin = at + 2
            end = begin + ord(opcodes[at + 1])
        elif opcode == "X":
            begin = at + 5
            end = begin + unsigned(opcodes[at + 1 : begin])
        else:
            raise UnusualError
        if opcodes[end] != "\x94":
            raise UnusualError
        body = opcodes[begin:end]
        if not body.isascii():
            body = body.encode("latin-1").decode("utf-8", "surrogatepass")
        self._memo.append(body)
        return body, end + 1

    def _parts(self, at: int) -> tuple[list[Fields], int]:
        opcodes, parts = self._opcodes, []
        if self._depth > _DEEPEST or opcodes[at + 1] != "\x94":
            raise UnusualError
        self._memo.append(None)  # the list of parts
        is_many = opcodes[at + 2] == "("
        at += 2 + is_many
        self._depth += 1
        self._is_shared = True  # their class, the names of their fields
        while opcodes.startswith(_OF_PART, at):
            self._memo += _MADE_FOR_PART
            fields, at = self.fields(at + len(_OF_PART))
            parts.append(fields)
            if not is_many:
                break
        self._depth -= 1
        if not parts or opcodes[at] != ("e" if is_many else "a"):
            raise UnusualError
        return parts, at + 1
