"""What commands share: tables, JSON lines, progress and questions."""

from __future__ import annotations

import io
import json
import os
import pty
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.commands.asking import confirmed
from qtool.commands.output import put, put_json, tell
from qtool.commands.progress import Progress
from qtool.commands.tables import Column, Styled, Table, cut, width_of
from qtool.control.models import EntryView
from qtool.errors import Refused
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COLUMNS = (Column("QUEUE", most=8), Column("N", right=True), Column("SUBJECT"))

texts = st.text(st.characters(codec="utf-8"), max_size=30)


def shown(table: Table, *rows: tuple[Styled | str | int | None, ...]) -> list[str]:
    return ["".join(text for _, text in line) for line in table.lines(rows)]


def test_a_table_is_aligned_and_its_parts_fit_together() -> None:
    table = Table(*COLUMNS)
    assert shown(table, ("in", 7, "hello"), ("shunt", 12345, None)) == [
        "QUEUE      N  SUBJECT",
        "in         7  hello",
        "shunt  12345  -",
    ]
    assert shown(table, ("out", 1, "x\x1b[2Jy")) == ["out        1  x\\x1b[2Jy"]


def test_a_table_in_a_terminal_is_cut() -> None:
    table = Table(*COLUMNS, width=20)
    assert shown(table, ("a-long-name", 3, "a long subject")) == [
        "QUEUE     N  SUBJECT",
        "a-long-…  3  a long…",
    ]


def test_rows_of_later_parts_stand_below_those_of_the_first_as_far_as_is_known() -> (
    None
):
    columns = (Column("SIZE", right=True, least=6), *COLUMNS[::2])
    table = Table(*columns, width=40)
    table.reserve()
    assert shown(table, ("1 B", "in", "one")) == [
        "  SIZE  QUEUE  SUBJECT",
        "   1 B  in     one",
    ]
    assert shown(table, ("1.1 KB", "out", "two")) == ["1.1 KB  out    two"]


def test_what_is_very_long_moves_only_its_own_line() -> None:
    lines = shown(Table(*COLUMNS), ("x" * 900, 1, "a"), ("y", 2, "b"))
    assert lines[1:] == [f"{'x' * 900}  1  a", f"{'y':60}  2  b"]


@settings(max_examples=60)
@given(texts, texts, st.integers(1, 60))
def test_no_line_is_wider_than_the_terminal(one: str, two: str, width: int) -> None:
    table = Table(*COLUMNS, Column("END", right=True), width=width)
    for line in shown(table, (one, 1, two, 2), (two, 10**9, one, 3)):
        assert width_of(line) <= width
        assert visible(line) == line


@settings(max_examples=60)
@given(texts, st.integers(0, 30))
def test_what_fits_is_not_cut(text: str, width: int) -> None:
    if width_of(text) <= width:
        assert cut(text, width) == text
    else:
        assert width_of(cut(text, width)) <= max(1, width)


def test_a_model_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    view = EntryView(
        queue="in", filebase="1+a", suffix=".pck", path="p", size=3, body="\u202e\n",
        msgdata={"at": datetime(2026, 1, 2), "raw": b"\xff", "set": {1}},  # noqa: DTZ001
    )  # fmt: skip
    put_json(view)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isascii()
    assert json.loads(line)["body"] == view.body
    assert json.loads(line)["msgdata"]["set"] == {"$set": [1]}


# --- Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_at_a_terminal_now_and_then_and_removed() -> None:
    clock, terminal = iter([0.0, 0.1, 1.0, 1.01, 2.0]), Terminal()
    with Progress("moved", 2000, ticks=lambda: next(clock), stream=terminal) as moving:
        moving.at(1)  # too soon
        moving.at(1000, "3\x07")
        moving.at(1001)  # too soon again
        moving.at(3000)
    assert terminal.getvalue() == (
        "\r\x1b[Kmoved 1,000 of 2,000 (50%) 3\\x07"
        "\r\x1b[Kmoved 3,000 of 2,000 (100%)\r\x1b[K"
    )


def test_progress_makes_way_for_what_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock, terminal = iter([0.0, 1.0, 2.0]), Terminal()
    with Progress("read", ticks=lambda: next(clock), stream=terminal) as reading:
        reading.at(1)
        put("data")
        assert terminal.getvalue().endswith("\r\x1b[K")
        reading.at(2)
        tell("talk")
        assert terminal.getvalue().endswith("\r\x1b[K")
    assert terminal.getvalue().count("\r\x1b[K") == 4
    assert capsys.readouterr() == ("data\n", "qtool: talk\n")


def test_progress_says_nothing_where_no_terminal_is() -> None:
    clock, stream = iter([0.0, 1.0]), io.StringIO()
    with Progress("read", ticks=lambda: next(clock), stream=stream) as reading:
        reading.at(1)
    assert stream.getvalue() == ""


# --- Questions


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Type something at the terminal that standard input is."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield lambda data: (os.write(ours, data), None)[1]
    os.close(ours)


@pytest.mark.parametrize(
    ("typed", "agrees"),
    [(b"all\n", True), (b"yes\n", False), (b"\n", False), (b"\x04", False)],
)  # fmt: skip
def test_only_the_word_confirms(
    typed: bytes,
    agrees: bool,
    typing: Callable[[bytes], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    typing(typed)
    assert confirmed("Discard 3 messages?\x1b", "all") is agrees
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Discard 3 messages?\\x1b Type all to do it: "


def test_where_nobody_can_be_asked_nothing_is_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    with pytest.raises(Refused, match=r"Step out\? .* --yes does it"):
        confirmed("Step out?", otherwise="--yes does it")
