"""What takes several calls of ``Control``: all pages of a search, and one by name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.models import Severity
from qtool.errors import NoSuchEntry, ReadOnly, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from qtool.control.control import Control
    from qtool.control.models import (
        AuditPage,
        Examined,
        Failure,
        Finding,
        FixPreview,
        Found,
        Preview,
    )

PAGE = 1000
"""How many entries are asked for at a time."""

_FAILURES, _FAILURES_SECONDS = 200, 1.0
_READING_SECONDS = 3.0
_RECORDS = 500
_TELLING_NAME, _MOST_TOLD = 30, 3
SHORTEST_BEGINNING = 8
"""So much of an entry's name has to be typed."""
_FIRST_SECONDS, _SECONDS = 0.002, 0.05
# So long a page is read for, about: hits are to come soon, and progress to be shown.
_WHOLE = re.compile(r".+\+[0-9a-f]{40}")
_SUFFIXES = (".pck", ".bak", ".psv")


def pages(
    control: Control,
    queue: str,
    where: str,
    number: int = PAGE,
    *,
    names_only: bool = False,
) -> Iterator[Found]:
    """Yield the pages of a search until nothing is left; see ``Control.find``."""
    after, seconds = "", _FIRST_SECONDS
    while True:
        found = control.find(queue, where, after, number, seconds, names_only)
        yield found
        if found.complete:
            return
        after, seconds = found.after, _SECONDS


def previewed(
    control: Control,
    verb: str,
    queue: str,
    where: str = "",
    filebases: tuple[str, ...] = (),
    to: str = "",
) -> Preview:
    """Return the preview of an act; where nothing may be changed, a rehearsal of it.

    See ``Control.preview`` and ``Control.rehearse``.
    """
    try:
        return control.preview(verb, queue, where, filebases, to)
    except ReadOnly as error:
        seen = control.rehearse(verb, queue, where, filebases, to)
        return seen if seen.refusal else replace(seen, refusal=str(error))


def previewed_fix(control: Control, kind: str, queue: str) -> FixPreview:
    """Return the same of a fix; see ``Control.fix_preview``."""
    try:
        return control.fix_preview(kind, queue)
    except ReadOnly as error:
        return replace(control.rehearse_fix(kind, queue), refusal=str(error))


def failure_pages(
    control: Control, queue: str, where: str, log: str
) -> Iterator[list[Failure]]:
    """Yield why entries were put aside, by pages; see ``Control.reasons``."""
    after = ""
    while True:
        found = control.find(queue, where, after, _FAILURES, _FAILURES_SECONDS, True)
        bases = tuple(entry.filebase for entry in found.entries)
        if bases:
            yield control.reasons(queue, bases, log)
        if found.complete:
            return
        after = found.after


def records(
    control: Control,
    number: int,
    since: float,
    until: float,
    who: str,
    act: str,
    file: str,
    text: str,
) -> Iterator[AuditPage]:
    """Yield the newest ``number`` acts on record, by pages; see ``Control.audit``."""
    after = ""
    while number > 0:
        most = min(number, _RECORDS)
        page = control.audit(since, until, who, act, file, text, most, after)
        yield page
        number -= len(page.records)
        after = page.after
        if not after:
            return


def readings(control: Control, queue: str) -> Iterator[Examined]:
    """Yield what opening a queue's entries shows; see ``Control.examine_entries``."""
    after = ""
    while True:
        page = control.examine_entries(queue, after, _READING_SECONDS)
        yield page
        if page.complete or not page.read:
            return
        after = page.after


def findings(
    control: Control,
    queues: tuple[str, ...],
    read: Callable[[str], Iterable[Examined]] | None,
) -> list[Finding]:
    """Return what is wrong in queues, or everywhere; the gravest first.

    Args:
        control: The site.
        queues: Which; without any it is the whole site.
        read: Opens the entries of a queue, as ``readings`` does; None: none is opened.
    """
    found = list(control.examine(queues))
    if read is not None:
        from qtool.control.doctor.contents import merged  # a quick look needs none

        for name in queues or tuple(control.configuration.switchboards):
            found += merged(each for page in read(name) for each in page.findings)
    order = list(Severity)
    return sorted(found, key=lambda each: -order.index(each.severity))


def the_one(control: Control, queue: str, name: str) -> str:
    """Return the only filebase of a queue that begins with what was typed.

    Raises:
        NoSuchEntry: There is none, or there are several.
        Refused: That is too little to tell one from those that will come.
    """
    beginning = name
    for suffix in _SUFFIXES:
        beginning = beginning.removesuffix(suffix)
    if len(beginning) < SHORTEST_BEGINNING:
        raise Refused(
            f"{name} is too short: {SHORTEST_BEGINNING} characters of a name, or more"
        )
    found = control.named(queue, beginning)
    if not found:
        raise NoSuchEntry(f"{queue}: no entry's name begins with {name}")
    if len(found) > 1:
        first = ", ".join(base[:_TELLING_NAME] for base in found[:_MOST_TOLD])
        more = ", ..." if len(found) > _MOST_TOLD else ""
        raise NoSuchEntry(
            f"{queue}: the names of {_count(found)} entries begin with {name}:"
            f" {first}{more}"
        )
    return found[0]


def the_file(control: Control, queue: str, name: str) -> str:
    """Return the same for who tells of an entry that has gone: a whole name may do."""
    whole = name.removesuffix(_SUFFIXES[0])
    return whole if _WHOLE.fullmatch(whole) else the_one(control, queue, name)


def _count(found: Sequence[str]) -> str:
    from qtool.control.desk.desk import MOST_NAMED

    return f"{len(found):,}{' or more' * (len(found) >= MOST_NAMED)}"
