"""The headers that a list of messages shows, without making the messages.

Of a text form only the head is looked at, and nothing here needs the ``email``
package, unless a value is in encoded words.
"""

from __future__ import annotations

import re

from qtool.qfile.charsets import decoded
from qtool.qfile.outline import HeaderOutline, Outline

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from qtool.qfile.codec import Content

_HEAD_LIMIT = 1 << 18
# How much of a text form is searched for headers, in characters.
_FIELD = re.compile(
    r"([!-9;-~]{1,100}+):([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*+)(?:\r?\n|\Z)"
)
_UNIXFROM = re.compile(r">?From [^\r\n]*\r?\n")
_MOST_HEADERS = 2000


def first_heads(content: Content, names: Collection[str], limit: int) -> dict[str, str]:
    """Return the first header of each name that there is, in one line of text.

    Args:
        content: What a file holds of its message.
        names: Which headers, in lower case.
        limit: How many characters of a value, at most.
    """
    found: dict[str, str] = {}
    for name, value in _pairs(content):
        lower = name.lower()
        if lower in names and lower not in found:
            found[lower] = _one_line(value, limit)
            if len(found) == len(names):
                break
    return found


def _pairs(content: Content) -> Iterable[tuple[str, str | HeaderOutline]]:
    if isinstance(content, dict):
        pairs: list[tuple[str, str]] = content["_headers"]
        return pairs[:_MOST_HEADERS]
    if isinstance(content, Outline):
        return content.headers[:_MOST_HEADERS]
    return _of_text(content)


def _of_text(text: str) -> Iterable[tuple[str, str]]:
    start = _UNIXFROM.match(text, 0, _HEAD_LIMIT)
    at = start.end() if start else 0
    for _ in range(_MOST_HEADERS):
        field = _FIELD.match(text, at, _HEAD_LIMIT)
        if field is None:
            return
        at = field.end()
        yield field[1], field[2]


def _one_line(value: str | HeaderOutline, limit: int) -> str:
    text = value if isinstance(value, str) else _of_chunks(value, limit)
    if "=?" in text[:limit] and text.isascii():
        text = _without_encoded_words(text[:limit])
    return one_line(text, limit)


def one_line(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of a text in one line, fit to be kept.

    Bytes that were escaped are UTF-8 where they can be, and shown as such where not.
    """
    text = text[:limit]
    if not text.isascii():
        try:
            raw = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raw = text.encode("utf-8", "surrogatepass")
        text = raw.decode("utf-8", "backslashreplace")[:limit]
    return " ".join(text.split())


def _of_chunks(outline: HeaderOutline, limit: int) -> str:
    texts = []
    for chunk, charset in outline.chunks[:limit]:
        part = chunk[:limit]
        if isinstance(part, bytes):
            names = charset.names
            codec = names.get("output_codec") or names.get("input_charset")
            whole = decoded(part, codec)
            part = part.decode("ascii", "surrogateescape") if whole is None else whole
        texts.append(part)
    return " ".join(texts)


def _without_encoded_words(text: str) -> str:
    """Return what encoded words say; as it stands where that cannot be told."""
    from email.errors import HeaderParseError
    from email.header import decode_header  # dear to import, and few need it

    try:
        chunks = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    texts = []
    for chunk, charset in chunks:
        if isinstance(chunk, str):
            texts.append(chunk)
            continue
        part = decoded(chunk, charset)
        texts.append(chunk.decode("utf-8", "replace") if part is None else part)
    return "".join(texts)
