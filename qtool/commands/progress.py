"""How far long work is, in one line at the terminal that does not stay."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from qtool.commands.output import erase, tell_passing
from qtool.commands.tables import cut
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_PATIENCE_SECONDS = 0.3
"""What is done sooner says nothing."""
_EVERY_SECONDS = 0.1
_WIDTH = 78


class Progress:
    """Shows how far work is while it is entered, if standard error is a terminal.

    Args:
        what: What is done, before the numbers: ``moved``.
        total: How many there are; None where that is not known.
        ticks: Seconds that never go back.
        stream: Where it is shown.
    """

    def __init__(
        self,
        what: str,
        total: int | None = None,
        *,
        ticks: Callable[[], float] = time.monotonic,
        stream: TextIO | None = None,
    ) -> None:
        self._what, self._total, self._ticks = what, total, ticks
        self._stream = stream or sys.stderr
        self._is_shown = self._stream.isatty()
        self._next = ticks() + _PATIENCE_SECONDS

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        erase()

    def at(self, count: int, note: str = "", total: int | None = None) -> None:
        """Show that ``count`` are done, some times a second at most.

        Args:
            count: How many are done.
            note: What else there is to say: which one is next.
            total: How many there are, where that is known only now.
        """
        self._total = self._total if total is None else total
        now = self._ticks()
        if not self._is_shown or now < self._next:
            return
        self._next = now + _EVERY_SECONDS
        tell_passing(self._stream, cut(visible(self._line(count, note)), _WIDTH))

    def _line(self, count: int, note: str) -> str:
        line = f"{self._what} {count:,}"
        if self._total:
            line += f" of {self._total:,} ({min(100, 100 * count // self._total)}%)"
        return f"{line} {note}" if note else line
