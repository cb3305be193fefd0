"""The one boundary for text that came from a message, a file name or a log.

Control characters could drive the operator's terminal, bidirectional and
zero-width ones could hide or reorder what is shown. Both are shown as escapes
and never sent. Nothing here reads markup: callers hand the result to a widget
or a stream that takes literal text.
"""

from __future__ import annotations

import re

_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: object, limit: int = 500) -> str:
    """Return at most ``limit`` characters of ``text`` as one harmless line."""
    whole = str(text)
    shown = _UNSHOWABLE.sub(_escape, whole[:limit])
    return f"{shown}…" if len(whole) > limit else shown


def visible_block(text: str, limit: int = 1 << 20, width: int | None = None) -> str:
    """Return ``text`` as harmless lines: line ends kept, tabs expanded.

    Args:
        text: The untrusted text.
        limit: How many characters of it to show, at most.
        width: Where to cut a line, in characters; None keeps lines whole.
    """
    lines = text[:limit].replace("\r\n", "\n").expandtabs(8).split("\n")
    return "\n".join(_UNSHOWABLE.sub(_escape, line[:width]) for line in lines)
