"""The second net between widgets and terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color

from qtool import render
from qtool.control.models import State
from qtool.tui.filters import Ascii, Scrub

_BLACK = Color(0, 0, 0)


@given(st.text())
def test_no_control_character_passes(text: str) -> None:
    (shown,) = Scrub().apply([Segment(text)], _BLACK)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in shown.text)
    assert Segment(text).cell_length == shown.cell_length


@given(st.text())
def test_a_terminal_without_unicode_gets_ascii_of_the_same_width(text: str) -> None:
    (scrubbed,) = Scrub().apply([Segment(text)], _BLACK)
    (shown,) = Ascii().apply([scrubbed], _BLACK)
    assert shown.text.isascii()
    assert shown.cell_length == scrubbed.cell_length


def test_states_differ_without_unicode_too() -> None:
    glyphs = [Segment(render.state_glyph(state)) for state in State]
    shown = [segment.text for segment in Ascii().apply(glyphs, _BLACK)]
    told_apart = {
        State.RUNNING,
        State.STOPPED,
        State.PAUSED,
        State.FAILED,
        State.CLAIMED,
    }
    known = [
        text for text, state in zip(shown, State, strict=True) if state in told_apart
    ]
    assert len(set(known)) == len(told_apart)
    assert "?" not in known
