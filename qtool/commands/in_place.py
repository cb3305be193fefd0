"""Text that is drawn over itself on a terminal, until a key or a signal ends it."""

from __future__ import annotations

import os
import signal
import sys
import termios
import tty
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from qtool.commands.tables import is_in_colour, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qtool.commands.top import News
    from qtool.control.models import Board
    from qtool.render import Span

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
"""A screen of its own, no cursor, no wrapping; and back."""
_HOME, _REST, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_FIRST_SECONDS, _PATIENCE_SECONDS = 1.0, 3600.0
"""Until the first board, and until another: each has to come."""


def show(
    news: News, screen_of: Callable[[Board, int, int], list[list[Span]]], waiting: str
) -> None:
    """Draw each board over the one before until ``q``, Ctrl-C or a signal.

    Args:
        news: Where boards come from.
        screen_of: Makes lines of a board, for so many columns and rows.
        waiting: What is shown until the first has come, where that takes a while.
    """
    ended: list[int] = []

    def end(number: int, _frame: object) -> None:
        ended.append(number)
        news.ring()

    with _handled(end, news), _screen() as keyboard:
        try:
            while not ended:
                patience = _FIRST_SECONDS if news.board is None else _PATIENCE_SECONDS
                pressed = news.wait(patience, *keyboard)
                if any(map(_is_quit, pressed)):
                    return
                if not ended:
                    _draw(news.board, screen_of, waiting)
        except KeyboardInterrupt:
            return


def _is_quit(keyboard: int) -> bool:
    keys = os.read(keyboard, 1 << 10)
    return not keys or b"q" in keys or b"Q" in keys  # none: the terminal is gone


def _draw(
    board: Board | None,
    screen_of: Callable[[Board, int, int], list[list[Span]]],
    waiting: str,
) -> None:
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    lines: list[list[Span]] = [[("muted", f"{waiting}   q ends"[:columns])]]
    if board is not None:
        lines = screen_of(board, columns, rows)
    text = "\n".join(_drawn(line, columns) for line in lines)
    rest = f"\n{_BELOW}" if len(lines) < rows else ""
    text = f"{_HOME}{text}{rest}"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _drawn(line: Sequence[Span], columns: int) -> str:
    """Return a line that leaves nothing of the one that it is drawn over."""
    is_full = sum(width_of(text) for _, text in line) >= columns
    # The cursor stays on the last column, which would be erased.
    return _painted(line) + ("" if is_full else _REST)


def _painted(line: Sequence[Span]) -> str:
    if not is_in_colour():
        return "".join(text for _, text in line)
    return "".join(_paint(style).replace("\0", text) for style, text in line)


@cache
def _paint(style: str) -> str:
    """Return a null character as a style shows it."""
    from rich.color import ColorSystem
    from rich.style import Style

    from qtool import render

    ink = Style.parse(render.STYLES[style] or "none")
    return ink.render("\0", color_system=ColorSystem.STANDARD)


@contextmanager
def _screen() -> Iterator[list[int]]:
    """Have the terminal, and give it back as it was; yield what keys come from."""
    keyboard = [sys.stdin.fileno()] if sys.stdin.isatty() else []
    before = [termios.tcgetattr(each) for each in keyboard]
    sys.stdout.write(_ENTER)
    sys.stdout.flush()
    try:
        for each in keyboard:
            tty.setcbreak(each)
        yield keyboard
    finally:
        for each, mode in zip(keyboard, before, strict=True):
            termios.tcsetattr(each, termios.TCSADRAIN, mode)
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()


@contextmanager
def _handled(end: Callable[[int, object], None], news: News) -> Iterator[None]:
    """Have signals end it, and a resized window be drawn anew."""
    handlers = dict.fromkeys(_ENDINGS, end)
    handlers[signal.SIGWINCH] = lambda _number, _frame: news.ring()
    former = {number: signal.signal(number, what) for number, what in handlers.items()}
    try:
        yield
    finally:
        for number, what in former.items():
            signal.signal(number, what)
