"""The lines below the board: the selected row's full figures, and its evidence."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.cells import cell_len

from qtool import render
from qtool.control.models import State, VerdictKind
from qtool.tui.widgets.ink import fitted
from qtool.tui.widgets.words import (
    condition,
    gone_line,
    held_back,
    is_gone,
    is_startable,
    number,
    rate_of,
)
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import Board, Cell, QueueRow
    from qtool.tui.widgets.ink import Line

_FILEBASE = re.compile(r"\b(\d+\.\d\d?)\d*\+([0-9a-f]{6})[0-9a-f]{34}\b")
_MIXTURE = re.compile(r"^(slice \d+:\d+|\d+ slices of \d+) [^:;]+(?=: )")
"""How the slices of a runner differ, before what is said of the sickest."""
_WHICH = re.compile(r"^slice \d+:\d+: ")
"""What is left of that; the cells are marked."""
_LONGEST_NOTE = 2_000
_NEWS = frozenset(
    {
        VerdictKind.DRAINING,
        VerdictKind.FALLING_BEHIND,
        VerdictKind.WAITS_LONG,
        VerdictKind.STALLED,
        VerdictKind.SHUNTED,
        VerdictKind.STALE,
    }
)
"""Verdicts that say more than the state, the note and the figures do."""
_WHY = "e"
"""The key that opens all of the evidence: the last that goes for want of room."""


def detail_lines(
    board: Board, row: QueueRow | None, at_slice: int | None, width: int
) -> list[Line]:
    """Return the selected row's full figures, and its evidence below.

    Args:
        board: The latest.
        row: The one under the cursor, if any.
        at_slice: Number of the selected cell, if any.
        width: Cells that a line has.
    """
    if row is None:
        return [[], _gone(board)] if is_gone(board.site) else [[], []]
    name = ("accent", visible(row.name))
    if is_gone(board.site):
        seen = [("depth", f"{render.depth(row)}, as last seen")]
        return [[name, *_pairs(seen)], _gone(board)]
    cell = None if at_slice is None else row.cells[at_slice : at_slice + 1]
    if cell:
        figures = _slice_figures(board, row, at_slice or 0)
        state = cell[0].state
    else:
        room = width - cell_len(name[1]) - 2  # a margin at both ends
        figures, state = _pairs(_fitting(_row_figures(board, row), room)), row.state
    return [[name, *figures], evidence(board, row, state, width)]


def _gone(board: Board) -> Line:
    """Return that what is shown was seen before, and since when."""
    since = render.moment(board.at)[:19]
    return [("warning", "○ "), ("", f"{gone_line(board.site)}, since {since}")]


def _pairs(pairs: Sequence[tuple[str, str]]) -> Line:
    line: Line = []
    for label, value in pairs:
        line += [("muted", f"  {label} "), ("", value)]
    return line


def _fitting(pairs: list[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """Return as many of the first as have room: half of one says nothing."""
    lengths = accumulate(len(label) + cell_len(value) + 3 for label, value in pairs)
    return pairs[: sum(length <= width for length in lengths)]


def _row_figures(board: Board, row: QueueRow) -> list[tuple[str, str]]:
    """Return the figures of a queue; first those that somebody may have to see to."""
    fixed = " (fixed)" if row.snooze_fixed else ""
    aside = (("held", row.held), ("preserved", row.preserved), ("foreign", row.foreign))
    pairs = [
        ("depth", render.depth(row)),
        ("fly", number(row.in_flight) if row.has_queue else render.NONE),
        _oldest(board, row, row),
        *((label, str(count)) for label, count in aside if count),
        ("in", rate_of(row.rate_in, row)),
        ("out", rate_of(row.rate_out, row)),
        ("snooze", render.duration(row.snooze_seconds) + fixed),
    ]
    if row.runner_slices > 1:
        pairs.append(("slices", str(row.runner_slices)))
    return pairs + _costs(row)


def _costs(row: QueueRow) -> list[tuple[str, str]]:
    """Return what a runner costs, once that is a second of a processor."""
    seconds = sum(each.cpu_seconds for each in row.running)
    if seconds < 1:
        return []
    first = row.running[0]
    memory = first.memory_bytes
    return [
        ("cpu", render.duration(round(seconds))),
        ("memory", render.UNKNOWN if memory is None else render.size(memory)),
        ("pid", str(first.pid)),
    ]


def _oldest(board: Board, row: QueueRow, part: QueueRow | Cell) -> tuple[str, str]:
    value = render.oldest(part, board.at, honours_due=row.honours_due)
    return ("next" if row.honours_due else "oldest"), value


def _slice_figures(board: Board, row: QueueRow, at_slice: int) -> Line:
    cell: Cell = row.cells[at_slice]
    whose = f"slice {at_slice}:{len(row.cells)}"
    if row.runner_slices and row.runner_slices != len(row.cells):
        whose += f", runner slice {cell.owner}:{row.runner_slices}"
    depth, fly = ("depth", str(cell.depth)), ("fly", str(cell.in_flight))
    figures = _pairs([depth, fly, _oldest(board, row, cell)])
    return [("title", f"  {whose}"), *figures]


# --- Why it is as it is


def evidence(board: Board, row: QueueRow, state: State, width: int) -> Line:
    """Return one line of why: the state, the note, the keys that help.

    The note gets what room there is; keys that have none go, but for the one
    that opens all of it.

    Args:
        board: The latest.
        row: Whose evidence.
        state: Its own, or that of its selected slice.
        width: Cells that the line has.
    """
    ink, named = condition(row, board.at, state)
    text, keys = _told(row, board.at, state), _helping(board, row, state)
    room = width - cell_len(named) - 4  # a margin at both ends, and the gap
    for pattern, shorter in (
        (_FILEBASE, r"\1+\2…"), (_MIXTURE, r"\1"), (_WHICH, "")
    ):  # fmt: skip
        if cell_len(text) > room - _cells(keys[:1]):
            text = pattern.sub(shorter, text)
    if cell_len(text) > room and not row.traceback:
        keys.insert(0, (_WHY, "all of it"))
    while keys and cell_len(text) + _cells(keys) > room and keys[-1][0] != _WHY:
        keys.pop()
    left = max(0, room - _cells(keys))
    if cell_len(text) > left:
        text = _cut(text, left) if _has_news(row) else fitted(text, left)
    line: Line = [(ink, named), ("", f"  {text}" if text else "")]
    for key, what in keys:
        line += [("key", f"  {key}"), ("muted", f" {what}")]
    return line


def _has_news(row: QueueRow) -> bool:
    return row.verdict is not None and row.verdict.kind in _NEWS


def _cut(text: str, width: int) -> str:
    """Return the beginning of a text, to the end of a part of it if much of it is."""
    cut = fitted(text, width)
    whole = cut[:-1].rpartition("; ")[0]
    return f"{whole}; …" if cell_len(whole) > width // 2 else cut


def why(row: QueueRow, at: float) -> str:
    """Return all that is known of why a row is as it is, safe to be shown."""
    return _told(row, at, row.state)


def _told(row: QueueRow, at: float, state: State) -> str:
    note = row.note or held_back(row, at)
    if state is State.PAUSED:
        note = note.removeprefix("paused").removeprefix(":").lstrip()
    if row.refusal and row.refusal not in note:
        note = f"{note}; {row.refusal}" if note else row.refusal
    found = row.verdict
    if found is not None and _has_news(row):
        note = "; ".join(filter(None, (f"{found.words}: {found.evidence}", note)))
    return visible(note, _LONGEST_NOTE)


def _cells(keys: Sequence[tuple[str, str]]) -> int:
    return sum(len(key) + len(what) + 3 for key, what in keys)


def _helping(board: Board, row: QueueRow, state: State) -> list[tuple[str, str]]:
    what = "stack" if is_stack(row.traceback) else "traceback"
    keys = [(_WHY, what)] if row.traceback else []
    if board.site.read_only or row.refusal:
        return keys
    if state is State.FAILED:
        return [*keys, ("s", "starts it again")]
    if state is State.RESTARTING:
        return [*keys, ("s", "starts it now"), ("x", "stops it")]
    if state is State.STOPPED and is_startable(row):
        return [*keys, ("s", "starts it"), ("t", "steps one file")]
    return keys


def is_stack(traceback: str) -> bool:
    """Whether it is where a thread stands, and not what was raised."""
    return traceback.startswith("Stack")
