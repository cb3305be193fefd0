"""Why Mailman shunted or preserved a message, as its log says.

Mailman keeps no reason with the message. It logs the traceback, and then, from the
same process, a line with the name under which the message was put aside.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.control.shunts.log_files import Budget, files_of, pieces
from qtool.control.shunts.tracebacks import BEGINS
from qtool.engine.mailman_logs import pid_and_text, time_of
from qtool.engine.shunting import bounded
from qtool.queues.filebase import FILEBASE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_NEAR = 300.0
"""Seconds: as exact as clocks of one machine are, and writing takes."""
_FAR = 26 * 3600.0
"""Seconds: the log's clock may be that of another zone."""
_MOST_BYTES = 512 << 20
"""Bytes that one search reads at most."""
_LONGEST_LINE = 500
_LONGEST_MATCHED = 2000

_ASIDE = re.compile(rb": (%s)[ \t\r]*$" % FILEBASE.encode(), re.MULTILINE)
_UNKNOWN = b" shunting message for missing list: "
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
    logs: Sequence[Path], sought: Sequence[Sought], *, everywhere: bool = False
) -> Search:
    """Look for messages in logs, their rotated files included.

    First about the moment of each, then, for those not found, a day around it,
    and at last from the first to the last moment of each, or everywhere.
    """
    files, budget = files_of(logs), Budget(_MOST_BYTES)
    found: dict[str, Joined] = {}
    troubles: dict[Path, str] = {}
    read: list[tuple[float, float]] = []
    for slack, whole in ((_NEAR, False), (_FAR, False), (_FAR, True)):
        missing = [each for each in sought if each.filebase not in found]
        before, read = read, _windows(missing, slack, whole=whole)
        if everywhere and whole and missing:
            read = [(-math.inf, math.inf)]
        for start, end in read if read != before else ():
            for path in files:
                try:
                    for piece in pieces(path, start, end, budget):
                        _join(piece, path, missing, found)
                except OSError as error:
                    troubles[path] = error.strerror or str(error)
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
    spans = sorted(
        (first - slack, last + slack)
        for each in sought
        for first, last in (
            [(min(each.moments), max(each.moments))]
            if whole
            else [(moment, moment) for moment in each.moments]
        )
    )
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _join(
    piece: bytes, path: Path, missing: Sequence[Sought], found: dict[str, Joined]
) -> None:
    names = {each.filebase for each in missing}
    for hit in _ASIDE.finditer(piece):
        base = hit[1].decode("ascii")
        # The name says more than that of a list does.
        if base in names and (base not in found or found[base].runner):
            found[base] = _record(piece, hit.end(), path)
    at = piece.find(_UNKNOWN)
    named: dict[str, list[Sought]] = {}
    for each in missing if at >= 0 else ():
        named.setdefault(each.message_id, []).append(each)
    while at >= 0:
        start, end = piece.rfind(b"\n", 0, at) + 1, piece.find(b"\n", at)
        end = end if end >= 0 else len(piece)
        line = piece[start:end][:_LONGEST_MATCHED]
        _join_unknown(line.decode("utf-8", "replace"), path, named, found)
        at = piece.find(_UNKNOWN, end)


def _join_unknown(
    line: str,
    path: Path,
    named: Mapping[str, Sequence[Sought]],
    found: dict[str, Joined],
) -> None:
    """Join a line with those it may be about; ``named`` has them by Message-ID."""
    said, _, listed = line.rstrip().partition(_UNKNOWN.decode())
    before, _, runner = said.rpartition(' runner "')
    message_id = before.rpartition(" ")[2]
    for each in named.get(message_id, ()) if message_id else ():
        # Given a posting address Mailman prints an object, and not the name.
        same_list = listed == each.list_id or listed.startswith("<")
        if same_list and each.filebase not in found:
            found[each.filebase] = Joined(
                when=time_of(line),
                line=f"no such list: {each.list_id or listed}"[:_LONGEST_LINE],
                runner=runner.rstrip('"'),
                file=str(path),
            )


def _record(piece: bytes, end: int, path: Path) -> Joined:
    """Return the reason in the record whose last line ends there."""
    for context in _CONTEXTS:
        start = max(0, end - context)
        lines = piece[start:end].decode("utf-8", "replace").split("\n")
        last = lines.pop()
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
