"""The pictures: what the app draws, their font has."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from qtool import render, tui
from qtool.control.models import State
from qtool.tui.filters import _ASCII

FONTS = Path(__file__).parents[2] / "screenshots" / "font"
SOURCES = [Path(render.__file__), *Path(tui.__file__).parent.rglob("*.py")]


def characters(font: Path) -> set[int]:
    """Return what a TrueType font has glyphs for, by its table of segments."""
    data = font.read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    records = (struct.unpack_from(">4s4xII", data, 12 + 16 * n) for n in range(count))
    start, length = next((at, size) for tag, at, size in records if tag == b"cmap")
    cmap = data[start : start + length]
    found: set[int] = set()
    for number in range(struct.unpack_from(">H", cmap, 2)[0]):
        (at,) = struct.unpack_from(">I", cmap, 8 + 8 * number)
        if struct.unpack_from(">H", cmap, at)[0] == 12:
            for group in range(struct.unpack_from(">I", cmap, at + 12)[0]):
                first, last = struct.unpack_from(">II", cmap, at + 16 + 12 * group)
                found.update(range(first, last + 1))
    return found


@pytest.mark.parametrize("name", ["DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"])
def test_every_character_of_the_app_is_in_the_font_of_the_pictures(name: str) -> None:
    drawn = {c for path in SOURCES for c in path.read_text("utf-8") if not c.isascii()}
    assert {render.state_glyph(state) for state in State} - drawn <= {"?"}
    has = characters(FONTS / name)
    assert ord("A") in has
    assert {c for c in drawn if ord(c) not in has} == set()


def test_every_state_has_a_stand_in_where_there_is_ascii_alone() -> None:
    for state in State:
        glyph = render.state_glyph(state)
        plain = render.state_glyph(state, ascii_only=True)
        if state not in (State.MAILMAN, State.MAILMAN_STOPPED):
            assert glyph.translate(_ASCII) == plain
