"""The audit log: who did what to which files, and from where; a line of JSON each.

``.qtool/audit.jsonl`` is only ever added to. An act has a line before it is done and
one of the same ``id`` after it, so what was cut off has only the first. A line is one
write to the end of the file, which is opened for it: several processes may write at
once, and others may rotate the file. It is read by ``qtool.control.audit.records``.
"""

from __future__ import annotations

import inspect
import logging
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from qtool.control.acting import acting_as, asked_by, this_process
from qtool.control.audit.lines import (
    MOST_FILES,
    MOST_ITEMS,
    append,
    argument,
    bounded,
    line_of,
    told,
)
from qtool.errors import Refused
from qtool.queues import durable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from qtool.control.part import Part

FILE = "audit.jsonl"
"""Its name in the state folder."""
BEGIN, END, READ = "begin", "end", "read"
"""What a line tells: that an act begins, how it ended, that mail was looked at."""
_MISSED = ("skipped", "failed")
"""Fields of results that are only counted."""

log = logging.getLogger("qtool.control")


class Record:
    """What is put on record of one act, while it is done.

    Args:
        part: Who does it.
        method: The call.
        args, kwargs: What it was given.
    """

    def __init__(
        self,
        part: Part,
        method: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> None:
        given = inspect.signature(method).bind(part, *args, **kwargs).arguments
        self.actor = asked_by() or part.actor or this_process()
        self._part = part
        self._act = method.__name__
        self._id = os.urandom(8).hex()
        self._given = {n: given[n] for n in given if n != "self"}
        self._files: list[str] = []
        self._count = 0
        self._ending: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        """Numbers for the last line, beside those that the result has."""
        one, many = given.get("filebase"), given.get("filebases")
        self.name_files([one] if isinstance(one, str) else many or ())

    @property
    def path(self) -> Path:
        """The file that it is written to."""
        return self._part.configuration.state_directory / FILE

    def name_files(self, names: Iterable[str]) -> None:
        """Have the next line name these files, and only these."""
        self._files, self._count = [], 0
        for name in names:
            self._count += 1
            if self._count <= MOST_FILES:
                self._files.append(name)

    def number(self, number: int) -> None:
        """Have the last line tell the number of the act in the journal."""
        self._ending["number"] = number

    def write(self, kind: str) -> None:
        """Write the line that tells who does what.

        Raises:
            OSError: It cannot be written.
        """
        why = self._given.get("why") or self._given.get("reason") or ""
        self._append(
            {
                **self._head(kind),
                **told(self.actor),
                "arguments": {n: argument(n, v) for n, v in self._given.items()},
                "files": self._files,
                "count": self._count,
                "why": bounded(why),
            }
        )

    def returned(self, result: object) -> None:
        """Take what the act returned, for the last line."""
        if isinstance(result, str):
            self._ending["said"] = bounded(result)
        elif isinstance(result, list | tuple):
            self._ending["said"] = bounded("; ".join(map(str, result[:MOST_ITEMS])))
        elif is_dataclass(result):
            counts: dict[str, Any] = {**self.counts}
            for each in fields(result):
                value = getattr(result, each.name)
                if each.name == "number" and isinstance(value, int):
                    self.number(value)
                elif each.name == "filebase" and isinstance(value, str):
                    self.name_files([value])
                elif each.name == "done" and isinstance(value, tuple):
                    self.name_files(value)
                elif isinstance(value, Enum):
                    counts[each.name] = value.value
                elif isinstance(value, int):
                    counts[each.name] = value
                elif each.name in _MISSED and isinstance(value, tuple):
                    counts[each.name] = len(value)
            self._ending["counts"] = counts

    def end(self, error: BaseException | None) -> None:
        """Write how it ended; where that cannot be, the log says so."""
        facts = {**self._head(END), "result": "failed" if error else "done"}
        if error is not None:
            facts["error"] = bounded(line_of(error))
        try:
            self._append(
                {**facts, "files": self._files, "count": self._count, **self._ending}
            )
        except OSError as problem:
            _warn(self.path, problem, f"the end of {self._act}")

    def _head(self, kind: str) -> dict[str, Any]:
        at = self._part.clock()
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
        return {
            "id": self._id,
            "is": kind,
            "at": at,
            "time": f"{when}.{int(at % 1 * 1000):03}Z",
            "act": self._act,
        }

    def _append(self, facts: dict[str, Any]) -> None:
        append(self.path, facts)


_OPEN: ContextVar[Record | None] = ContextVar("record", default=None)


def is_recording() -> bool:
    """Return whether this thread does an act that is on record."""
    return _OPEN.get() is not None


def noted(
    *,
    files: Iterable[str] | None = None,
    number: int | None = None,
    undoes: int | None = None,
) -> None:
    """Add to the record of the act that this thread does; nothing outside of one.

    Args:
        files: Filebases that it is done to: the first of them are named, and all
            counted. Without it they are those that the act was called with, or that
            its result has as ``filebase`` or ``done``.
        number: The number of the act in the journal; without it ``number`` of its
            result, if that has one.
        undoes: The number of the act that it takes back.
    """
    record = _OPEN.get()
    if record is not None and files is not None:
        record.name_files(files)
    if record is not None and number is not None:
        record.number(number)
    if record is not None and undoes is not None:
        record.counts["undoes"] = undoes


@contextmanager
def begun(
    part: Part,
    method: Callable[..., object],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
) -> Iterator[Record]:
    """Put an act on record, before it is done and after.

    On a full disk it is done without: discarding must be possible there.

    Raises:
        Refused: It cannot be put on record for another reason.
    """
    record = Record(part, method, args, kwargs)
    try:
        record.write(BEGIN)
    except OSError as error:
        if error.errno not in durable.NO_ROOM:
            raise _refusal(record.path, error) from error
        _warn(record.path, error, method.__name__)
    token = _OPEN.set(record)
    try:
        with acting_as(record.actor):
            yield record
    except BaseException as error:
        record.end(error)
        raise
    else:
        record.end(None)
    finally:
        _OPEN.reset(token)


def reading(
    part: Part,
    method: Callable[..., object],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
) -> None:
    """Put on record that somebody looks at mail, before it is shown.

    The site asks for that, so it is done also for who asked to change nothing.

    Raises:
        Refused: It cannot be, though there is room.
    """
    record = Record(part, method, args, kwargs)
    reason = part.configuration.writable_reason()
    if reason:
        raise Refused(f"[audit] reads: yes, and this look cannot be recorded: {reason}")
    try:
        record.write(READ)
    except OSError as error:
        if error.errno not in durable.NO_ROOM:
            raise _refusal(record.path, error) from error
        _warn(record.path, error, method.__name__)


# --- Behind the scenes


def _refusal(path: Path, error: OSError) -> Refused:
    told = f"{path}: {error.strerror}" if error.strerror else str(error)
    return Refused(f"{told}: nothing is done that cannot be recorded")


def _warn(path: Path, error: OSError, what: str) -> None:
    log.warning("%s: %s: %s is not on record", path, error.strerror or error, what)
