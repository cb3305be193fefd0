"""What passes between the widgets and the terminal.

Untrusted text is made harmless where it enters a widget; this is the second
net. The same net serves terminals that show neither colour nor Unicode.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter, NoColor

if TYPE_CHECKING:
    from textual.color import Color

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)

_ASCII = str.maketrans(
    {
        "▌": ">", "►": ">", "●": "*", "○": "o", "■": "#", "‖": "=", "◌": "~",
        "◆": "@", "✗": "x", "⊗": "!", "↻": "r", "◷": "w", "·": ".", "…": "~",
        "░": ".", "▒": ":", "▓": "%", "█": "#", "▁": "_", "▂": ".", "▃": "-",
        "▄": "=", "▅": "+", "▆": "*", "▇": "%", "─": "-", "│": "|", "╭": "+",
        "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+",
        "▔": "-", "▎": "|", "▊": "|", "▏": "|", "▕": "|", "━": "-", "┃": "|",
    }
)  # fmt: skip
"""Stand-ins of the same width for what the app itself draws."""


class Scrub(LineFilter):
    """Lets no control character through, whatever widget it came from."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the interface's
        """Replace them without changing the width of the line."""
        return [
            segment
            if segment.control or not _CONTROL.search(segment.text)
            else Segment(
                _CONTROL.sub(lambda m: "?" * cell_len(m[0]), segment.text),
                segment.style,
            )
            for segment in segments
        ]


class Ascii(LineFilter):
    """Writes ASCII where the terminal's encoding has nothing else."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the interface's
        """Replace what is not ASCII by stand-ins of the same width."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(_to_ascii(segment.text), segment.style)
            for segment in segments
        ]


def _to_ascii(text: str) -> str:
    known = text.translate(_ASCII)
    return "".join(c if c.isascii() else "?" * cell_len(c) for c in known)


def speaks_unicode() -> bool:
    """Whether the terminal's stream can carry the glyphs."""
    encoding = getattr(sys.__stderr__, "encoding", None) or ""
    return encoding.lower().replace("-", "").startswith("utf")


def line_filters(*, plain: bool) -> list[LineFilter]:
    """Return the filters that this terminal needs.

    Args:
        plain: No colour is wanted.
    """
    filters: list[LineFilter] = [Scrub()]
    if plain:
        filters.append(NoColor())
    if not speaks_unicode():
        filters.append(Ascii())
    return filters
