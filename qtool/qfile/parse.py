"""Messages out of text, in time that its length bounds.

The standard library's parser goes line by line, and does so for the body too.
Most messages are not made of parts: their headers are found by one expression,
and the body is the rest as it stands. The others go through that parser, within
limits; a message that oversteps them keeps its body in one piece.
"""

from __future__ import annotations

import re
from email.feedparser import FeedParser
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from typing import TYPE_CHECKING

from qtool.errors import UnsafeQFile
from qtool.qfile.charsets import carriable
from qtool.qfile.outline import MAX_HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable

_LINES = 50_000
_LINE_BYTES = 20
# A text with more lines is taken apart only where they are longer on average:
# base64 has 77 characters, and it is the number of lines that costs.
_LINES_BY_DEPTH = 3_000_000
# Each line is compared with the boundary of every part that it is inside.
_PARTS = 5000
# Each has a boundary to be compiled.

_HEADERS = re.compile(r"(?:[!-9;-~]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*+)*+(\r?\n)?")
_HEADER = re.compile(r"[!-9;-~]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*+")
_BLANK = re.compile(r"\n\r?\n|\r\r")
_COMPOSITE = re.compile(
    r"^content-type:(?:[^\r\n]|\r?\n[ \t])*?(?:multipart|message)",
    re.IGNORECASE | re.MULTILINE,
)
_INVOLVED = re.compile(
    r"""(?:^|\r)content-type:(?:(?:[^;"\r\n]|\r?\n[ \t]){0,500}+[;"]){41}"""
    r"""|(?:^|\r)content-type:(?:[^\r\n]|\r?\n[ \t]){2000}""",
    re.IGNORECASE | re.MULTILINE,
)
# Looking for a boundary among parameters takes the square of their number.


def message_from_bytes(
    content: bytes, message_class: type[Message] = Message
) -> Message:
    """Return the message of these bytes."""
    return message_from_string(
        content.decode("ascii", "surrogateescape"), message_class
    )


def message_from_string(text: str, message_class: type[Message] = Message) -> Message:
    """Return the message of that text, 8-bit bytes as surrogate escapes.

    Raises:
        UnsafeQFile: It has absurdly many headers.
    """
    text = carriable(text)
    match = _HEADERS.match(text)
    if match is None or match[1] is None:
        return _parsed(text, message_class)
    head = text[: match.start(1)]
    if head.count("\n") > MAX_HEADERS:
        raise UnsafeQFile("its message has too many headers")
    message = message_class()
    if message.policy is not compat32 or _COMPOSITE.search(head):
        return _parsed(text, message_class)
    for raw in _HEADER.findall(head):
        message.set_raw(*compat32.header_source_parse([raw]))
    message.set_payload(text[match.end() :])
    return message


def _parsed(text: str, message_class: type[Message]) -> Message:
    """Return what the standard library's parser makes of the text."""
    blank = _BLANK.search(text)
    body = blank.end() if blank else len(text)
    if text.count("\n", 0, body) + text.count("\r", 0, body) > 2 * MAX_HEADERS:
        raise UnsafeQFile("its message has too many headers")
    lines = text.count("\n") + text.count("\r")
    if (lines <= _LINES or lines * _LINE_BYTES <= len(text)) and not _INVOLVED.search(
        text
    ):
        try:
            return _in_parts(text, message_class, lines)
        except (RecursionError, _TooManyPartsError):
            pass
    message = HeaderParser(message_class).parsestr(text[:body])
    message.set_payload(text[body:])
    return message


class _TooManyPartsError(Exception):
    """The message has more parts, or deeper ones, than its length can pay for."""


def _in_parts(text: str, message_class: type[Message], lines: int) -> Message:
    parser = FeedParser(message_class)
    source = parser._input  # type: ignore[attr-defined]  # no other way to count
    push: Callable[[Callable[[str], object]], None] = source.push_eof_matcher
    left = _PARTS

    def push_counted(matcher: Callable[[str], object]) -> None:
        nonlocal left
        left -= 1
        if left < 0 or len(source._eofstack) * lines > _LINES_BY_DEPTH:
            raise _TooManyPartsError
        push(matcher)

    source.push_eof_matcher = push_counted
    parser.feed(text)
    return parser.close()
