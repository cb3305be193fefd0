"""The tail of the log, under the board."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from qtool.tui.widgets.pager import Pager
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import LogLine
    from qtool.render import Span

_INKS = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}


class LogPane(Pager):
    """What the runners say; it follows the end unless scrolled away from it."""

    def __init__(self) -> None:
        super().__init__()
        self._last_number = -1

    def show_log(self, lines: Sequence[LogLine]) -> None:
        """Put up what has been logged, if that is news."""
        last = lines[-1].number if lines else 0
        if last != self._last_number:
            self._last_number = last
            shown = [log_span(line) for line in lines]
            self.show(shown or [("muted", "Nothing logged yet.")], stay_at_end=True)


def log_span(line: LogLine) -> Span:
    """Return one record as a line."""
    clock = datetime.fromtimestamp(line.when, UTC).astimezone().strftime("%H:%M:%S")
    source = visible(line.source).removeprefix("qtool.").removeprefix("runner.")
    text = f"{clock}  {source:10} {visible(line.text, 1000)}"
    return _INKS.get(line.level, "muted"), text
