"""Messages as bytes: in the flat form of the wire, and pickled.

The standard library's generator writes lines anew: it changes lone carriage
returns, folds headers again and fails on text that no mail can carry. A message
without parts is therefore written here, as it is held.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.generator import BytesGenerator
from email.message import Message
from email.policy import Compat32, compat32
from io import BytesIO
from typing import Any

from qtool.msgdata import header_text

_TORN = re.compile(r"\r\n(?![ \t])|\r(?!\n)|(?<!\r)\n(?![ \t])")
_LINE_END = re.compile(r"[\r\n]")
_FAILURES = (
    AssertionError,
    AttributeError,
    LookupError,
    MessageError,
    RecursionError,
    TypeError,
    ValueError,
)
_ENCODED, _ALL_ENCODED = 1000, 50_000
# Characters of one header, and of all, that are encoded: the standard library
# takes the square of a header's length for it.


def message_bytes_of(message: Message) -> bytes:
    """Return the flat form of a message, 8-bit bytes as they came.

    Text that no mail can carry as it stands (a queue of Python 2 may hold any)
    is written in UTF-8.
    """
    payload = message._payload  # type: ignore[attr-defined]  # as it is held
    if payload is None or isinstance(payload, str):
        return _flat(message, payload or "")
    out = BytesIO()
    try:
        # No line of a body is escaped.
        policy = _AsHeld(headers=_Headers())  # type: ignore[call-arg]  # our own setting
        BytesGenerator(out, mangle_from_=False, policy=policy).flatten(message)
    except _FAILURES:
        return _flat(message, _inside(payload))
    return out.getvalue()


def _inside(payload: Any) -> str:
    """Return the bodies of parts that the generator cannot write."""
    texts = []
    waiting = [payload]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(reversed(part))
        elif isinstance(part, Message):
            waiting.append(part._payload)  # type: ignore[attr-defined]
        elif isinstance(part, str):
            texts.append(part)
    return "\n".join(texts)


def _flat(message: Message, body: str) -> bytes:
    headers = _Headers()
    lines = [headers.line(*header) for header in message._headers]  # type: ignore[attr-defined]
    return b"".join([*lines, b"\n", _bytes(body)])


class _Headers:
    """Writes the headers of one message and of its parts, as long as they are."""

    def __init__(self) -> None:
        self._left = _ALL_ENCODED

    def line(self, name: str, value: Any) -> bytes:
        """Return a header as it is held, or encoded where it is not ASCII."""
        name = _LINE_END.sub("?", name)
        if isinstance(value, str):
            line = f"{name}: {value}"
            if line.isascii() or _escapes_only(line):
                if "\n" in line or "\r" in line:
                    line = _TORN.sub("\n ", line)
                return _bytes(line) + b"\n"
        try:
            if self._may_encode(value):
                return _ENCODING.fold_binary(name, value)
        except _FAILURES:
            pass
        return _bytes(_TORN.sub("\n ", f"{name}: {header_text(value)}")) + b"\n"

    def _may_encode(self, value: Any) -> bool:
        texts = [value] if isinstance(value, str) else [c[0] for c in value._chunks]
        cost = 20 * len(texts) + sum(map(len, texts))
        self._left -= min(cost, _ENCODED)
        return cost <= _ENCODED and self._left >= 0


_ENCODING = compat32.clone(max_line_length=0)


class _AsHeld(Compat32):
    """Lets the generator write headers in the same way."""

    headers: Any = None  # policies take only settings that have a default

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return a header line."""
        line: bytes = self.headers.line(name, value)
        return line


def _escapes_only(text: str) -> bool:
    try:
        text.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _bytes(text: str) -> bytes:
    try:
        return text.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
