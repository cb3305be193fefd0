"""The one boundary for text that came from a message, a file name or a log.

Control characters could drive the operator's terminal, bidirectional and
zero-width ones could hide or reorder what is shown. Both are shown as escapes
and never sent. Nothing here reads markup: callers hand the result to a widget
or a stream that takes literal text.
"""

from __future__ import annotations

import re
from functools import cache

_UNSHOWABLE = (
    (0x00, 0x09), (0x0B, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F),
    (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xD800, 0xDFFF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
# First and last code points: controls, and what Unicode calls ignorable by default.
# A line end is kept in a block and shown in a line.

_BYTES = range(0xDC80, 0xDD00)
# How Python carries bytes that are no text: ``surrogateescape``.

_CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _UNSHOWABLE)
_IN_BLOCK = re.compile(f"[{_CLASS}]")

_PIECE = 1 << 16
# Characters of a block that are made visible at a time: each escape is an object
# of its own until they are joined.


def _escape(match: re.Match[str]) -> str:
    return _escaped(ord(match[0]))


def _escaped(code: int) -> str:
    if code in _BYTES:  # what was no text is carried so
        code -= _BYTES.start - 0x80
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@cache
def _escapes() -> dict[int, str]:
    """Return the escape of each character that is shown as one, by code point."""
    return {
        code: _escaped(code)
        for first, last in _UNSHOWABLE
        for code in range(first, last + 1)
    }


def visible(text: object, limit: int = 500) -> str:
    """Return at most ``limit`` characters of ``text`` as one harmless line."""
    whole = str(text)
    shown = _IN_BLOCK.sub(_escape, whole[:limit]).replace("\n", "\\x0a")
    return f"{shown}…" if len(whole) > limit else shown


def visible_block(text: str, limit: int = 1 << 20, width: int | None = None) -> str:
    """Return ``text`` as harmless lines: line ends kept, tabs expanded.

    Args:
        text: The untrusted text.
        limit: How many characters of it to show, at most.
        width: Where to cut a line, in characters; None keeps lines whole.
    """
    whole = text[:limit].replace("\r\n", "\n")
    if width is not None:
        lines = _without_tabs(whole).split("\n")
        whole = "\n".join([line[:width] for line in lines])
    if _IN_BLOCK.search(whole) is None:
        return whole
    # Tabs reach from column to column, so they go before what widens a line.
    whole = _without_tabs(whole)
    pieces = (whole[at : at + _PIECE] for at in range(0, len(whole), _PIECE))
    return "".join([_made_visible(piece) for piece in pieces])


def _without_tabs(text: str) -> str:
    # A text of tabs alone would become eight times as long.
    many = len(text) > _PIECE and text.count("\t") > len(text) // 8
    return text.expandtabs(1 if many else 8)


def _made_visible(piece: str) -> str:
    if _IN_BLOCK.search(piece) is None:
        return piece
    return piece.translate(_escapes())
