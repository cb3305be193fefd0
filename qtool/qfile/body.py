"""What of a message is shown to people: headers as text, and the body.

Everything here ends, whatever the message says of itself: parameters are read
from the beginning of a header only, an unknown character set or a bad encoding
is shown as well as it can be.
"""

from __future__ import annotations

import binascii
import quopri
import re
from email.message import Message
from typing import TYPE_CHECKING, Any

from qtool.msgdata import header_text
from qtool.qfile.charsets import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY_LIMIT = 1 << 20
"""How much of a body is shown, in bytes."""
HEADER_LIMIT = 10_000
"""How much of a header's value is shown, in characters."""
HEADERS = 1000
"""How many headers are shown."""

_PARTS = 200
_DEPTH = 30
_TYPE = re.compile(r"\s*([\w.+-]{1,60}/[\w.+-]{1,60})")
_CHARSET = re.compile(r"""[;\s]charset\s*=\s*["']?([^\s"';]{1,60})""", re.IGNORECASE)


def headers_of(message: Message, limit: int = HEADER_LIMIT) -> list[tuple[str, str]]:
    """Return names and values of the headers, in order, as untrusted text."""
    held: list[tuple[Any, Any]] = message._headers  # type: ignore[attr-defined]
    return [(str(name)[:limit], _value(value, limit)) for name, value in held[:HEADERS]]


def _value(value: Any, limit: int) -> str:
    if isinstance(value, str):
        return _readable(value[:limit])
    return header_text(value)[:limit]


def _readable(text: str) -> str:
    """Return text whose escaped bytes are shown as UTF-8 where they are that."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        return text


def body_text(message: Message, limit: int = BODY_LIMIT) -> tuple[str, int]:
    """Return at most ``limit`` bytes of the body as text, and the bytes there are.

    Parts that are not text are named in a line; all parts count.
    """
    if not isinstance(message._payload, list):  # type: ignore[attr-defined]
        content = _content(message)
        return _text(message, content[:limit]), len(content)
    texts: list[str] = []
    total = shown = 0
    for part in _leaves(message):
        content = _content(part)
        total += len(content)
        kind = _type_of(part)
        texts.append(f"[{kind}, {len(content)} bytes]\n")
        if kind.startswith(("text/", "message/")) and shown < limit:
            texts.append(f"{_text(part, content[: limit - shown])}\n")
            shown += len(content)
    return "\n".join(texts), total


def _leaves(message: Message) -> Iterator[Message]:
    waiting: list[tuple[Any, int]] = [(message, 0)]
    found = 0
    while waiting and found < _PARTS:
        part, depth = waiting.pop()
        if not isinstance(part, Message):
            continue
        payload = part._payload  # type: ignore[attr-defined]
        if isinstance(payload, list) and depth < _DEPTH:
            waiting.extend((inner, depth + 1) for inner in reversed(payload[:_PARTS]))
        else:
            found += 1
            yield part


def _first(message: Message, name: str) -> str:
    for held, value in message._headers:  # type: ignore[attr-defined]
        if isinstance(held, str) and held.lower() == name:
            return _value(value, 1000)
    return ""


def _type_of(message: Message) -> str:
    match = _TYPE.match(_first(message, "content-type"))
    return match[1].lower() if match else "text/plain"


def _content(message: Message) -> bytes:
    """Return the body of a part as bytes, its transfer encoding undone."""
    payload = message._payload  # type: ignore[attr-defined]
    if not isinstance(payload, str):
        return b""
    try:
        content = payload.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return payload.encode("utf-8", "surrogatepass")
    encoding = _first(message, "content-transfer-encoding").strip().lower()
    if encoding == "base64":
        return _from_base64(content)
    if encoding == "quoted-printable":
        return quopri.decodestring(content)
    return content


def _from_base64(content: bytes) -> bytes:
    try:
        return binascii.a2b_base64(content)
    except ValueError:
        return content  # shown as it stands


def _text(message: Message, content: bytes) -> str:
    match = _CHARSET.search(_first(message, "content-type"))
    charset = match[1] if match else "utf-8"
    text = decoded(content, charset) if content else ""
    if text is None:
        text = content.decode("utf-8", "replace")
    return text
