"""Draws the screen of a running app as a picture, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len
from rich.color import Color

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.segment import Segment
    from rich.style import Style
    from textual.app import App

FONTS = Path(__file__).with_name("font")
SIZE = 28
"""Of the font in pixels; pictures are shown at half size, for fine screens."""
MARGIN = 24
Pixel = tuple[int, int, int]


class Cell(NamedTuple):
    """What stands at one place of the terminal."""

    text: str
    ink: Pixel
    paper: Pixel
    bold: bool


def cells_of(app: App[int]) -> list[list[Cell]]:
    """Return the screen as the app would send it to a terminal."""
    # There is no public way to the finished lines; an SVG would lose the cells.
    strips = app.screen._compositor.render_strips()
    return [list(_cells(strip)) for strip in strips]


def _cells(segments: Sequence[Segment]) -> Iterator[Cell]:
    for segment in segments:
        if segment.control or segment.style is None:
            continue
        ink, paper, bold = _colours(segment.style)
        for character in segment.text:
            width = cell_len(character)
            if width:
                yield Cell(character, ink, paper, bold)
            yield from (Cell("", ink, paper, bold) for _ in range(width - 1))


def _colours(style: Style) -> tuple[Pixel, Pixel, bool]:
    ink = _pixel(style.color, (204, 213, 224))
    paper = _pixel(style.bgcolor, (14, 19, 27))
    if style.reverse:
        ink, paper = paper, ink
    return ink, paper, bool(style.bold)


def _pixel(color: Color | None, default: Pixel) -> Pixel:
    if color is None or color.is_default:
        return default
    red, green, blue = color.get_truecolor()
    return red, green, blue


def picture(cells: list[list[Cell]]) -> Image.Image:
    """Return the picture of a screen of cells."""
    fonts = {
        bold: ImageFont.truetype(FONTS / f"DejaVuSansMono{name}.ttf", SIZE)
        for bold, name in ((False, ""), (True, "-Bold"))
    }
    width = round(fonts[False].getlength("M"))
    ascent, descent = fonts[False].getmetrics()
    height = ascent + descent
    paper = cells[0][0].paper if cells and cells[0] else (0, 0, 0)
    paper = cells[-2][0].paper if len(cells) > 1 else paper
    columns = max(len(line) for line in cells)
    image = Image.new(
        "RGB", (columns * width + 2 * MARGIN, len(cells) * height + 2 * MARGIN), paper
    )
    draw = ImageDraw.Draw(image)
    for y, line in enumerate(cells):
        for x, cell in enumerate(line):
            left, top = MARGIN + x * width, MARGIN + y * height
            box = (left, top, left + width - 1, top + height - 1)
            if cell.paper != paper:
                draw.rectangle(box, fill=cell.paper)
    for y, line in enumerate(cells):
        for x, cell in enumerate(line):
            left, top = MARGIN + x * width, MARGIN + y * height
            if cell.text in _BLOCKS:
                _block(draw, cell, (left, top, width, height))
            elif cell.text.strip():
                draw.text((left, top), cell.text, font=fonts[cell.bold], fill=cell.ink)
    return image


_BLOCKS = {"▌", *"▁▂▃▄▅▆▇█"}


def _block(
    draw: ImageDraw.ImageDraw, cell: Cell, place: tuple[int, int, int, int]
) -> None:
    """Draw a block element to the edges of its cell, as terminals do."""
    left, top, width, height = place
    if cell.text == "▌":
        box = (left, top, left + width // 2 - 1, top + height - 1)
    else:
        eighths = "▁▂▃▄▅▆▇█".index(cell.text) + 1
        box = (left, top + height - height * eighths // 8, left + width - 1,
               top + height - 1)  # fmt: skip
    draw.rectangle(box, fill=cell.ink)
