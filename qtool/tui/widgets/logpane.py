"""What was logged: its tail under the board, and all of it on a screen."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from qtool.tui.widgets.pager import Pager
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.models import LogLine
    from qtool.render import Span

_INKS = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}
_MOST_RECORDS = 2_000


class LogPager(Pager):
    """Every record with its traceback; it follows the end unless scrolled away."""

    def __init__(self) -> None:
        super().__init__()
        # As spans, for turning thousands of records into them takes a while.
        self._records: deque[list[Span]] = deque(maxlen=_MOST_RECORDS)
        self._last_number = -1

    def spans_of(self, record: LogLine) -> list[Span]:
        """Return one record as lines."""
        return [log_span(record), *traceback_spans(record)]

    def show_log(self, records: Sequence[LogLine]) -> None:
        """Put up what has been logged, if that is news."""
        last = records[-1].number if records else 0
        if last == self._last_number:
            return
        news = [one for one in records if one.number > self._last_number]
        self._records.extend(self.spans_of(one) for one in news)
        self._last_number = last
        shown = [span for spans in self._records for span in spans]
        self.show(shown or [("muted", "Nothing logged yet.")], stay_at_end=True)


class LogPane(LogPager, can_focus=False):
    """What the runners say, a record a line: the keys stay with the board."""

    def spans_of(self, record: LogLine) -> list[Span]:
        ink, text = log_span(record)
        return [(ink, f"{text}  (L: traceback)" if record.traceback else text)]


def log_span(line: LogLine) -> Span:
    """Return one record as a line."""
    clock = datetime.fromtimestamp(line.when, UTC).astimezone().strftime("%H:%M:%S")
    source = visible(line.source).removeprefix("qtool.").removeprefix("runner.")
    text = f"{clock}  {source:10} {visible(line.text, 1000)}"
    return _INKS.get(line.level, "muted"), text


def traceback_spans(line: LogLine) -> list[Span]:
    """Return the traceback of a record, in from the margin; nothing without one."""
    shown = visible_block(line.traceback.rstrip("\n"), width=500)
    return [("", f"    {text}") for text in shown.split("\n")] if shown else []
