"""What is on record of who did what, read from the end of the file."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qtool.control.audit.audit import BEGIN, END, FILE, READ
from qtool.control.models import AuditPage, AuditRecord
from qtool.msgdata import from_json
from qtool.queues import durable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_BLOCK = 1 << 16
_MOST_BYTES = 1 << 24
"""As much is read for one page: it takes some tenths of a second."""
_LONGEST_LINE = 1 << 20
_SLACK_SECONDS = 60.0
"""Lines of several processes are in the order of their times but for moments."""
_MOST_PENDING = 100


def page_of(folder: Path, wanted: Wanted, number: int, after: str) -> AuditPage:
    """Return a page of what is wanted; see ``History.audit``.

    Args:
        folder: Where the file is.
        wanted: What is looked for.
        number: As many at most.
        after: Where the page before ended.
    """
    path = folder / FILE
    try:
        descriptor = os.open(path, durable.READING)
    except FileNotFoundError:
        return AuditPage(records=(), broken=0, after="")
    try:
        return _Reading(path, descriptor).page(wanted, number, after)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; see ``History.audit``."""

    since: float
    until: float
    who: str
    act: str
    file: str
    text: str
    is_of: Callable[[int, str], bool]
    """Whether the act of that number in the journal is about a filebase that begins so;
    asked of acts that name only the first of theirs."""

    def are_over(self, record: AuditRecord) -> bool:
        """Return whether nothing that stands before it is wanted."""
        return record.at < self.since - _SLACK_SECONDS

    def has(self, record: AuditRecord) -> bool:
        """Return whether it is one of those."""
        people = (record.user, record.login, record.sudo, str(record.uid))
        return (
            record.at >= self.since
            and (not self.until or record.at < self.until)
            and (not self.who or self.who in people)
            and self.act in ("", record.act, _confirmed(record))
            and (not self.file or self._is_about(record))
            and (not self.text or self.text in _all_text(record))
        )

    def _is_about(self, record: AuditRecord) -> bool:
        if any(name.startswith(self.file) for name in record.files):
            return True
        has_more = bool(record.number) and record.count > len(record.files)
        return has_more and self.is_of(record.number, self.file)


def _confirmed(record: AuditRecord) -> object:
    """Return the act that was confirmed by its token; None for any other record."""
    return record.arguments.get("verb") if record.act == "confirm" else None


def _all_text(record: AuditRecord) -> str:
    values = (
        record.who, record.where, record.terminal, record.remote, record.host,
        record.act, *_texts(record.arguments), *record.files, record.why,
        record.error, record.said,
    )  # fmt: skip
    return "\n".join(values).casefold()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield str(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield str(value)


@dataclass(slots=True)
class _Reading:
    """One page's reading of the file."""

    path: Path
    descriptor: int
    ends: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    """Ends whose beginnings have not come yet, and where they stand, by their ids."""

    def page(self, wanted: Wanted, number: int, after: str) -> AuditPage:
        facts = os.fstat(self.descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise FileExistsError(f"{self.path} is no regular file")
        start = self._begin(facts, after)
        records: list[AuditRecord] = []
        broken = 0
        cursor = ""
        for offset, line in _lines_back(self.descriptor, start):
            try:
                record = self._read(offset, line) if line else None
            except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
                broken += 1
                record = None
            if record is not None and wanted.are_over(record):
                break
            if record is not None and wanted.has(record):
                records.append(record)
            if len(records) >= number or start - offset > _MOST_BYTES:
                cursor = self._cursor(facts.st_ino, offset)
                break
        return AuditPage(records=tuple(records), broken=broken, after=cursor)

    def _begin(self, facts: os.stat_result, after: str) -> int:
        """Return where to begin; 0 where the file of the page before is gone."""
        if not after:
            return facts.st_size
        try:
            inode, offset, *pending = map(int, after.split("."))
        except ValueError:
            return 0
        if inode != facts.st_ino or not 0 <= offset <= facts.st_size:
            return 0
        for place in pending[:_MOST_PENDING]:
            line = os.pread(self.descriptor, _LONGEST_LINE, place).partition(b"\n")[0]
            self._read(place, line)
        return offset

    def _cursor(self, inode: int, offset: int) -> str:
        pending = [place for place, _ in self.ends.values()][-_MOST_PENDING:]
        return ".".join(map(str, (inode, offset, *pending))) if offset else ""

    def _read(self, offset: int, line: bytes) -> AuditRecord | None:
        """Return the record that a line begins; None for the end of one.

        Raises:
            ValueError, TypeError, KeyError: It is no line of this file.
        """
        facts = json.loads(line)
        if facts["is"] == END:
            self.ends[str(facts["id"])] = (offset, facts)
            return None
        if facts["is"] not in (BEGIN, READ):
            raise ValueError(facts["is"])
        _, end = self.ends.pop(str(facts["id"]), (0, None))
        return _record(facts, end)


def _record(facts: dict[str, Any], end: dict[str, Any] | None) -> AuditRecord:
    is_read = facts["is"] == READ
    last = end or {}
    texts = ("user", "login", "sudo", "where", "terminal", "remote", "host", "act")
    return AuditRecord(
        id=str(facts["id"]),
        at=float(facts["at"]),
        ended=float(end["at"]) if end else None,
        uid=int(facts["uid"]),
        pid=int(facts["pid"]),
        is_read=is_read,
        arguments=from_json(facts["arguments"]),
        files=tuple(map(str, last.get("files") or facts["files"])),
        count=int(last.get("count", facts["count"])),
        number=int(last.get("number") or 0),
        why=str(facts["why"]),
        result="done" if is_read else str(last.get("result", "")),
        error=str(last.get("error", "")),
        said=str(last.get("said", "")),
        counts=dict(last.get("counts") or {}),
        **{name: str(facts[name]) for name in texts},
    )


def _lines_back(descriptor: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines before ``end``, the last first, and where each begins.

    After each block of the file comes an empty one: where to go on, reading before it.
    """
    rest, resume, is_cut = b"", end, False
    while end > 0:
        start = max(0, end - _BLOCK)
        first, *lines = (os.pread(descriptor, end - start, start) + rest).split(b"\n")
        if lines:
            place = resume = start + len(first) + 1
            is_cut, places = False, []
            for line in lines:
                places.append((place, line))
                place += len(line) + 1
            yield from (each for each in reversed(places) if each[1])
        if len(first) > _LONGEST_LINE:
            is_cut = True  # it is nobody's, and what stays of it is no JSON
        if is_cut:
            first, resume = b"!", start
        yield resume, b""
        rest, end = first, start
    if rest:
        yield 0, rest
