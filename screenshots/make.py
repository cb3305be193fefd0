"""Draws the pictures of the README from the app itself, over a site that stands still.

Run it from the top of a checkout, with the extra ``pictures`` installed::

    python screenshots/make.py

It fails if the cells of the board hold no ink, and so a picture says nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from draw import Cell, cells_of, picture

from qtool.commands.top import lines_of
from qtool.control.opening import open_fixed
from qtool.demo.fixed import NOW
from qtool.tui import filters
from qtool.tui.app import QToolApp
from qtool.tui.theme import HEAT, NIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.pilot import Pilot

    from qtool.control.models import Board
    from qtool.render import Span

HERE = Path(__file__).parent
TOLD_WIDTH = 100
SMALL, LARGE, WIDE = (80, 24), (120, 36), (140, 32)
SPOOL, SOURCE = "/var/spool/qtool", "/etc/qtool/qtool.cfg"
_PATIENCE_SECONDS = 20.0


LOG = (
    ("pipeline", "<82daf36b@example.org> accepted for ant-users@example.com"),
    ("out", "mx1.example.net: delivered to 24"),
    ("archive", "<82daf36b@example.org> archived"),
    ("out", "mx2.example.net: delivered to 36"),
    ("out", "slow.example.net: 451 try again later, 19 left"),
    ("in", "<5a0f11c2@example.net> from kofi@example.net"),
    ("out", "mx.example.org: delivered to 33"),
)
"""What runners that pretend would have said."""


class Posing(QToolApp):
    """The app, saying of its scratch folder what an operator would read."""

    def _watched(self, board: Board) -> None:
        """Rename the spool."""
        site = replace(board.site, spool=SPOOL, source=SOURCE, watching="events")
        super()._watched(replace(board, site=site))


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    ready: Callable[[str], bool] = bool
    """Whether the text on the screen is what the picture is of."""
    slices: int | None = None


_TO_OUT = ("down", "down")
SHOTS = (
    Shot("board", WIDE, _TO_OUT),
    Shot("board-80x24", SMALL, _TO_OUT),
    Shot("board-120x36", LARGE, _TO_OUT),
    Shot("large-80x24", SMALL, (), slices=64),
    Shot("large-120x36", LARGE, (), slices=64),
    Shot("slice-120x36", LARGE, (*_TO_OUT, *["right"] * 11)),
    Shot("entries-80x24", SMALL, (*_TO_OUT, "enter"), lambda text: " of " in text),
    Shot("entry-80x24", SMALL, (*_TO_OUT, "enter", "enter"),
         lambda text: "Headers" in text),
    Shot("help-120x36", LARGE, ("question_mark",), lambda text: "Keys" in text),
    Shot("palette-80x24", SMALL, ("ctrl+p", *"out"), lambda text: "Open out" in text),
)  # fmt: skip


@contextmanager
def still_log() -> Iterator[None]:
    """Let all that is logged meanwhile be logged at times that stand still."""
    made = logging.getLogRecordFactory()
    counted = itertools.count()

    def still(*args: object, **options: object) -> logging.LogRecord:
        record = made(*args, **options)  # type: ignore[arg-type] # as they came
        record.created = NOW - 10 + next(counted)
        return record

    logging.setLogRecordFactory(still)
    try:
        yield
    finally:
        logging.setLogRecordFactory(made)


def text_of(app: QToolApp) -> str:
    """Return the screen as text."""
    return "\n".join("".join(cell.text for cell in line) for line in cells_of(app))


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Let the app go on until something holds."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"never came to be:\n{text_of(pilot.app)}")  # type: ignore[arg-type] # Posing
        await pilot.pause(0.05)
    await pilot.pause(0.1)


async def screen_of(shot: Shot) -> list[list[Cell]]:
    """Return the cells of one screen."""
    # Its path is in the pictures of entries.
    directory = Path(tempfile.gettempdir()) / "spool"
    directory.mkdir()
    try:
        with still_log():
            control = open_fixed(directory, shot.slices)
            for runner, text in LOG if shot.slices is None else ():
                logging.getLogger(f"qtool.runner.{runner}").info(text)
        app = Posing(control)
        app.animation_level = "none"
        try:
            async with app.run_test(size=shot.size) as pilot:
                await until(pilot, lambda: app.board is not None)
                for key in shot.keys:
                    await pilot.press(key)
                    await pilot.pause(0.2)
                await until(pilot, lambda: shot.ready(text_of(app)))
                return cells_of(app)
        finally:
            control.close()
    finally:
        shutil.rmtree(directory)


def check_ink(name: str, cells: list[list[Cell]]) -> None:
    """Fail unless the heat map is there: shades of several levels."""
    shades = {_pixel(colour) for colour in HEAT[1:]}
    seen = {cell.paper for line in cells for cell in line} & shades
    if len(seen) < 3:
        sys.exit(f"{name}: the cells of the board hold no ink")


def _pixel(colour: str) -> tuple[int, int, int]:
    number = int(colour[1:], 16)
    return number >> 16, number >> 8 & 0xFF, number & 0xFF


def cells_of_lines(lines: list[list[Span]], width: int) -> list[list[Cell]]:
    """Return what a command prints, in the colours of the app."""
    theme = NIGHT.variables | {
        name: getattr(NIGHT, name) for name in ("warning", "error", "success", "accent")
    }
    ink, paper = _pixel(str(NIGHT.foreground)), _pixel(str(NIGHT.background))
    drawn = []
    for line in lines:
        cells = [
            Cell(character, _pixel(theme[style]) if style in theme else ink, paper,
                 style in ("title", "error"))
            for style, text in line
            for character in text
        ]  # fmt: skip
        space = Cell(" ", ink, paper, bold=False)
        drawn.append(cells + [space] * (width - len(cells)))
    return drawn


def told_by_top() -> list[list[Cell]]:
    """Return what ``qtool top --once`` prints of the site."""
    with tempfile.TemporaryDirectory() as directory, still_log():
        control = open_fixed(Path(directory), None)
        try:
            board = control.scan()
        finally:
            control.close()
    site = replace(board.site, spool=SPOOL, source=SOURCE)
    lines = lines_of(replace(board, site=site), wrap=TOLD_WIDTH)
    return cells_of_lines(lines, TOLD_WIDTH)


def main() -> None:
    """Make every picture anew, on the same terminal and clock everywhere."""
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TZ="UTC")
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    filters.speaks_unicode = lambda: True
    wanted = set(sys.argv[1:])
    for shot in SHOTS:
        if wanted and shot.name not in wanted:
            continue
        cells = asyncio.run(screen_of(shot))
        if shot.name.startswith(("board", "large", "slice")):
            check_ink(shot.name, cells)
        save(shot.name, cells)
    if not wanted or "top" in wanted:
        save("top", told_by_top())


def save(name: str, cells: list[list[Cell]]) -> None:
    """Draw a picture of cells."""
    picture(cells).save(HERE / f"{name}.png", optimize=True)
    sys.stdout.write(f"{name}.png\n")


if __name__ == "__main__":
    main()
