"""Opening every waiting entry of a queue, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.doctor.found import Names, finding
from qtool.control.models import Examined, Severity
from qtool.errors import NoSuchEntry, QFileError, QToolError, UnreadableQFile
from qtool.queues.filebase import WAITING, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qtool.control.models import Finding
    from qtool.queues.switchboard import Switchboard

_MOST_READ = 10_000
DAMAGED, UNSAFE, CLOSED = "damaged", "unsafe", "closed"


def verdict(queue: Switchboard, name: str) -> tuple[str, str]:
    """Return which kind of finding an entry is, and why; twice empty for none.

    Raises:
        NoSuchEntry: It is not there any more.
    """
    try:
        held = queue.peek(name)
    except NoSuchEntry:
        raise
    except UnreadableQFile as error:
        return CLOSED, error.reason
    except QFileError as error:
        return DAMAGED, error.reason
    except (QToolError, OSError) as error:
        return CLOSED, str(error)
    if held.opaque:
        return UNSAFE, f"it names {', '.join(held.opaque[:3])}"
    return "", ""


def read(
    queue: Switchboard, after: str, seconds: float, ticks: Callable[[], float]
) -> Examined:
    """Open the entries behind one, for some seconds; at least one of them."""
    until = ticks() + seconds
    try:
        page = queue.page(after, _MOST_READ)
    except PermissionError:  # which looking at the folder tells
        return Examined(findings=(), read=0, total=0, after=after, complete=True)
    kinds: defaultdict[str, Names] = defaultdict(Names)
    count = 0
    for count, name in enumerate(page.names, 1):  # noqa: B007 - read after it
        parsed = parse(name)
        if parsed is None:
            continue
        after = parsed.filebase
        kind = _kind(queue, after) if parsed.suffix == WAITING else ""
        if kind:
            kinds[kind].add(after)
        if ticks() >= until:
            break
    return Examined(
        findings=tuple(_findings(queue.name, kinds)),
        read=count,
        total=page.total,
        after=after,
        complete=count == len(page.names) and not page.more,
    )


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return what several readings of one queue showed, those of a kind as one."""
    kinds: defaultdict[str, Names] = defaultdict(Names)
    fixable = dict[str, bool]()
    queue = ""
    for each in findings:
        queue, fixable[each.kind] = each.queue, each.fixable
        kinds[each.kind].take(each.names, each.count)
    whole = _findings(queue, kinds)
    return [replace(each, fixable=fixable[each.kind]) for each in whole]


def _kind(queue: Switchboard, name: str) -> str:
    try:
        return verdict(queue, name)[0]
    except NoSuchEntry:
        return ""


def _findings(queue: str, kinds: defaultdict[str, Names]) -> list[Finding]:
    return [
        *finding(
            DAMAGED, Severity.CRITICAL, kinds[DAMAGED],
            "{n} entr{ies} that cannot be read: truncated, damaged, or no queue"
            " file{s} at all", "set {them} aside in bad, unchanged", queue=queue,
            fixable=True,
        ),
        *finding(
            UNSAFE, Severity.CRITICAL, kinds[UNSAFE],
            "{n} entr{ies} with classes or values that a mail queue never needs: qtool"
            " runs none of it, and another program might",
            "set {them} aside in bad, unchanged", queue=queue, fixable=True,
        ),
        *finding(
            CLOSED, Severity.WARNING, kinds[CLOSED],
            "{n} entr{ies} that you may not open, or that the system fails to read",
            "look at the rights of {them}, and at the disk", queue=queue,
        ),
    ]  # fmt: skip
