"""What is recorded while one file is processed, for the step's report.

Only a step pays for this; the loop processes without a recording.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING, Any

from qtool.engine.hearing import HEARING
from qtool.engine.shunting import traceback_text
from qtool.engine.step import LogLine, Outcome, StepReport
from qtool.queues.switchboard import Enqueued, recorded_enqueues
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_MOST_LINES = 1000
_LONGEST_LINE = 4000
_MOST_VALUES = 20_000
_LONGEST_TEXT = 64 << 10
_DEEPEST = 12

_PLAIN = (bool, int, float, complex, type(None), date, datetime, clock_time, timedelta)


class Recording:
    """A context in which the calling thread's doings are recorded."""

    def __init__(self) -> None:
        self.outcome = Outcome.NOTHING
        self.note = ""
        self._before: dict[str, Any] | None = None
        self._after: dict[str, Any] | None = None
        self._traceback = ""
        self._enqueued: list[Enqueued] = []
        self._log = _ThreadLog()
        self._contexts = ExitStack()
        self._started = self._ended = 0.0

    def __enter__(self) -> Recording:
        self._enqueued = self._contexts.enter_context(recorded_enqueues())
        # What runners say is part of the report.
        self._contexts.enter_context(HEARING.listening())
        logging.getLogger().addHandler(self._log)
        self._contexts.callback(logging.getLogger().removeHandler, self._log)
        self._started = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = time.monotonic()
        self._contexts.close()

    def see_before(self, msgdata: dict[str, Any]) -> None:
        """Keep a copy of the metadata as the file held it."""
        self._before = bounded_copy(msgdata)

    def see_after(self, msgdata: dict[str, Any], failure: BaseException | None) -> None:
        """Keep a copy of the metadata as processing left it, and how it failed."""
        self._after = bounded_copy(msgdata)
        if failure is not None:
            self._traceback = traceback_text(failure)

    def fail(self, error: BaseException) -> None:
        """Keep the traceback of a failure outside ``_dispose``."""
        self._traceback = self._traceback or traceback_text(error)
        self.note = self.note or visible(error)

    def report(self, *, runner: str, queue: str, filebase: str | None) -> StepReport:
        """Return all that was recorded."""
        return StepReport(
            runner=runner,
            queue=queue,
            filebase=filebase,
            outcome=self.outcome,
            before=self._before,
            after=self._after,
            enqueued=tuple(self._enqueued),
            log=tuple(self._log.lines),
            traceback=self._traceback,
            seconds=self._ended - self._started,
            note=self.note,
        )


class _ThreadLog(logging.Handler):
    """Keeps what one thread logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[LogLine] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread or len(self.lines) >= _MOST_LINES:
            return
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong log call must not end processing
            text = str(record.msg)
        self.lines.append(
            LogLine(
                number=len(self.lines),
                when=record.created,
                level=record.levelname,
                source=record.name,
                text=text[:_LONGEST_LINE],
                traceback=_logged_traceback(record),
            )
        )


def _logged_traceback(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return traceback_text(error) if error is not None else ""


def bounded_copy(msgdata: dict[str, Any]) -> dict[str, Any]:
    """Return a deep copy of metadata, of which the excess is described in words."""
    copy = _Copier().copy(msgdata)
    return copy if isinstance(copy, dict) else {}


class _Copier:
    """Copies plain values; counts them, since shared lists can nest without end."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def copy(self, value: object, depth: int = 0) -> object:
        self._left -= 1
        if isinstance(value, str | bytes):
            return value[:_LONGEST_TEXT]
        if isinstance(value, _PLAIN):
            return value
        if depth >= _DEEPEST or self._left <= 0:
            return f"<{type(value).__name__}, not copied>"
        if isinstance(value, dict):
            pairs = list(value.items())
            return {
                self._hashable(key, depth): self.copy(item, depth + 1)
                for key, item in pairs[: max(self._left, 0)]
            }
        if isinstance(value, set | frozenset):
            return frozenset(self._hashable(item, depth) for item in self._some(value))
        if isinstance(value, list | tuple):
            items = [self.copy(item, depth + 1) for item in self._some(value)]
            return tuple(items) if isinstance(value, tuple) else items
        return visible(_repr(value))

    def _some(self, values: Iterable[object]) -> list[object]:
        return list(values)[: max(self._left, 0)]

    def _hashable(self, value: object, depth: int) -> object:
        copy = self.copy(value, depth + 1)
        return copy if not isinstance(copy, list | dict) else visible(_repr(copy))


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - anything may be wrong with a stranger's class
        return f"<{type(value).__name__}>"
