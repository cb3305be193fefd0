"""The last log records, kept in memory for the log pane."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import ExitStack
from itertools import takewhile
from traceback import format_exception

from qtool.engine.hearing import HEARING
from qtool.engine.step import LogLine

_MOST_RECORDS = 2_000
_LONGEST_TEXT = 4_000
_LONGEST_TRACEBACK = 20_000
_LOGGER = "qtool"


class LogRing(logging.Handler):
    """Keeps the last records of everything in qtool, from ``open`` to ``close``."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=_MOST_RECORDS)
        self._number = 0
        self._ring_lock = threading.Lock()
        self._hearing = ExitStack()

    def open(self) -> None:
        """Begin to keep records."""
        self._hearing.enter_context(HEARING.listening())
        logging.getLogger(_LOGGER).addHandler(self)

    def close(self) -> None:
        """Keep no more; what was kept can still be read."""
        logging.getLogger(_LOGGER).removeHandler(self)
        self._hearing.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong log call must not end its caller
            text = str(record.msg)
        with self._ring_lock:
            self._number += 1
            self._lines.append(
                LogLine(
                    number=self._number,
                    when=record.created,
                    level=record.levelname,
                    source=record.name,
                    text=text[:_LONGEST_TEXT],
                    traceback=_traceback(record),
                )
            )

    def after(self, number: int) -> list[LogLine]:
        """Return the records that came after the one of that number."""
        with self._ring_lock:
            newest_first = reversed(self._lines)
            found = list(takewhile(lambda line: line.number > number, newest_first))
        found.reverse()
        return found


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info is None or record.exc_info[0] is None:
        return record.exc_text or ""
    whole = "".join(format_exception(*record.exc_info))
    # Its end says what happened.
    return whole[-_LONGEST_TRACEBACK:]
