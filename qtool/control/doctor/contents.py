"""Opening every waiting entry of a queue, a page at a time."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from qtool.control.doctor.found import Names, finding
from qtool.control.models import Examined, Severity
from qtool.errors import NoSuchEntry, QFileError, QToolError, UnreadableQFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.models import Finding
    from qtool.queues.switchboard import Switchboard

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
    try:
        names = queue.files
    except PermissionError:  # which looking at the folder tells
        names = []
    start = bisect_right(names, _order(after), key=_order) if after else 0
    until = ticks() + seconds
    kinds = {kind: Names() for kind in (DAMAGED, UNSAFE, CLOSED)}
    number = start
    for number, name in enumerate(names[start:], start + 1):  # noqa: B007 - read after it
        try:
            kind, _ = verdict(queue, name)
        except NoSuchEntry:
            kind = ""
        if kind:
            kinds[kind].add(name)
        after = name
        if ticks() >= until:
            break
    return Examined(
        findings=tuple(_findings(queue.name, kinds)),
        read=number - start,
        total=len(names),
        after=after,
        complete=number >= len(names),
    )


def _order(name: str) -> tuple[int, str]:
    return name.index("."), name


def _findings(queue: str, kinds: dict[str, Names]) -> list[Finding]:
    return [
        *finding(
            DAMAGED, Severity.ERROR, kinds[DAMAGED],
            "{n} entr{ies} that cannot be read: truncated, damaged, or no queue"
            " file{s} at all", "set {them} aside in bad, unchanged", queue=queue,
            fixable=True,
        ),
        *finding(
            UNSAFE, Severity.ERROR, kinds[UNSAFE],
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
