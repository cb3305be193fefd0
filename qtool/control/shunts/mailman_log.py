"""Why Mailman shunted or preserved a message, as its log says.

Mailman keeps no reason with the message. It logs the traceback, and then, from the
same process, a line with the name under which the message was put aside.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from qtool.control.shunts.log_files import Budget, files_of, merged
from qtool.control.shunts.log_index import LONGEST_LINE, unknown_list
from qtool.control.shunts.tracebacks import BEGINS
from qtool.engine.mailman_logs import pid_and_text, time_of
from qtool.engine.shunting import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from qtool.control.shunts.log_index import LogFile, LogIndex

_NEAR = 300.0
"""Seconds: as exact as clocks of one machine are, and writing takes."""
_FAR = 26 * 3600.0
"""Seconds: the log's clock may be that of another zone."""
_MOST_BYTES = 512 << 20
"""Bytes that one search reads at most."""
_LONGEST_LINE = 500
_CONTEXTS = (8 << 10, 64 << 10, 256 << 10)
"""Bytes before a name in which its record is looked for; long ones are rare."""
_BEFORE = ("SHUNTING", "runner started.", "reserving ", "runner exiting.")
"""In lines that end something else: what stands before them is no reason."""
_UNCAUGHT = re.compile(r"(?:Uncaught runner|Unpickling \.bak) exception: ?(.*)", re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A message that Mailman put aside."""

    filebase: str
    moments: tuple[float, ...]
    """When that may have been, in epoch seconds: by its name, and by its file."""
    message_id: str = ""
    list_id: str = ""
    """Of the message. A log names these where the list was unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What a log says about one of them."""

    when: float | None
    """In epoch seconds, by the log's clock."""
    line: str
    """The reason in a line, where there is no traceback."""
    traceback: str = ""
    runner: str = ""
    """Who put it aside, where the log names it."""
    file: str = ""
    """Path of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was found, and where it was looked for."""

    found: Mapping[str, Joined]
    """By filebase."""
    looked: str
    """In words."""


def search(
    index: LogIndex,
    logs: Sequence[Path],
    sought: Sequence[Sought],
    *,
    everywhere: bool = False,
) -> Search:
    """Look for messages in logs, their rotated files included.

    First about the moment of each, then, for those not found, a day around it,
    and at last from the first to the last moment of each, or everywhere. What the
    index knows is not read again.
    """
    files, budget = files_of(logs), Budget(_MOST_BYTES)
    found: dict[str, Joined] = {}
    troubles: dict[Path, str] = {}
    for slack, whole in ((_NEAR, False), (_FAR, False), (_FAR, True)):
        missing = [each for each in sought if each.filebase not in found]
        if not missing:
            break
        windows = _windows(missing, slack, whole=whole)
        if everywhere and whole:
            windows = [(-math.inf, math.inf)]
        looking = _Looking(missing)
        for path in files:
            try:
                with index.lock, index.opened(path) as log:
                    looking.through(log, path, windows, budget)
                    if log.limit:
                        troubles[path] = log.limit
            except OSError as error:
                troubles[path] = error.strerror or str(error)
        found.update(looking.found)
    return Search(found=found, looked=_looked(logs, files, troubles, budget))


def _looked(
    logs: Sequence[Path], files: Sequence[Path], troubles: Mapping[Path, str],
    budget: Budget,
) -> str:  # fmt: skip
    if not logs:
        return "no log is known here: name it with --log FILE"
    if not files:
        return f"there is no {', '.join(map(str, logs))}"
    told = [str(files[0])]
    if len(files) > 1:
        told.append(f"{len(files) - 1} older ones beside it" if len(logs) == 1
                    else f"{len(files) - 1} more")  # fmt: skip
    notes = [f"{path}: {trouble}" for path, trouble in troubles.items()]
    if budget.left < 0:
        notes.append(f"no more than {_MOST_BYTES >> 20} MB were read")
    return "; ".join([f"looked in {' and '.join(told)}", *notes])


def _windows(
    sought: Sequence[Sought], slack: float, *, whole: bool
) -> list[tuple[float, float]]:
    """Return when to look, each moment once."""
    return merged(
        (first - slack, last + slack)
        for each in sought
        for first, last in (
            [(min(each.moments), max(each.moments))]
            if whole
            else [(moment, moment) for moment in each.moments]
        )
    )


class _Looking:
    """Looks for some messages, log by log."""

    def __init__(self, sought: Sequence[Sought]) -> None:
        self._sought = sought
        self._named: dict[str, Joined] = {}
        """By filebase, what was found by the name: it says more than a list's does."""
        self._listed: dict[str, tuple[float, Joined]] = {}
        """What was found by Message-ID and list, and how far in time that is."""

    @property
    def found(self) -> dict[str, Joined]:
        """What was found, by filebase."""
        return {base: near[1] for base, near in self._listed.items()} | self._named

    def through(
        self,
        log: LogFile,
        path: Path,
        windows: Sequence[tuple[float, float]],
        budget: Budget,
    ) -> None:
        """Read what has not been read of a log, and look up what it says."""
        for start, end in windows:
            log.cover(start, end, budget)
        named = []
        for each in self._sought:
            end_at = log.aside(each.filebase)
            if end_at is not None and each.filebase not in self._named:
                named.append((end_at, each))
        for end_at, each in sorted(named, key=itemgetter(0)):  # read in one direction
            joined = _record(log, end_at, each.filebase, path)
            if joined is not None:
                self._named[each.filebase] = joined
        for each in self._sought:
            for start_at in log.unknown(each.message_id):
                self._join_unknown(log, start_at, each, path)

    def _join_unknown(self, log: LogFile, at: int, each: Sought, path: Path) -> None:
        line = log.read(at, LONGEST_LINE).partition(b"\n")[0]
        message_id, runner, listed = unknown_list(line)
        # Given a posting address Mailman prints an object, and not the name.
        same_list = listed == each.list_id or listed.startswith("<")
        if message_id != each.message_id or not same_list:
            return
        when = time_of(line[:_LONGEST_LINE].decode("utf-8", "replace"))
        far = math.inf if when is None else min(abs(when - m) for m in each.moments)
        before = self._listed.get(each.filebase)
        if before is None or far < before[0]:
            joined = Joined(
                when=when,
                line=f"no such list: {each.list_id or listed}"[:_LONGEST_LINE],
                runner=runner,
                file=str(path),
            )
            self._listed[each.filebase] = far, joined


def _record(log: LogFile, end: int, filebase: str, path: Path) -> Joined | None:
    """Return the reason in the record that ends with a name; None: it is another."""
    for context in _CONTEXTS:
        start = max(0, end - context)
        lines = log.read(start, end - start).decode("utf-8", "replace").split("\n")
        last = lines.pop()
        if not last.endswith(f": {filebase}"):
            return None
        pid, said = pid_and_text(last)
        line, traceback, is_whole = _reason(_records_of(lines, pid))
        if is_whole or start == 0:
            break
    return Joined(
        when=time_of(last),
        line=(line or said.rpartition(": ")[0])[:_LONGEST_LINE],
        traceback=sys.intern(traceback),  # many fail alike
        file=str(path),
    )


def _reason(records: Iterator[str]) -> tuple[str, str, bool]:
    """Return a line, a traceback, and whether all of the record was there."""
    traceback = ""
    for record in records:
        uncaught = _UNCAUGHT.search(record)
        if uncaught is not None:
            return uncaught[1].strip().partition("\n")[0], traceback, True
        if BEGINS in record:
            traceback = traceback or bounded(record[record.index(BEGINS) :].rstrip())
        elif any(word in record for word in _BEFORE):
            return "", traceback, True
    return "", traceback, False


def _records_of(lines: Sequence[str], pid: int | None) -> Iterator[str]:
    """Return what a process has logged, the latest first.

    A line that does not begin as those of a log do is a part of what stands before.
    """
    more: list[str] = []
    for line in reversed(lines):
        named, text = pid_and_text(line)
        if named is None and time_of(line) is None:
            more.append(line)
            continue
        if named == pid:
            yield "\n".join([text, *reversed(more)])
        more = []
