"""What is known of a shunted message that speaks against sending it on as it is."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from qtool.control.places import place
from qtool.control.shunts.delivery_log import deliveries_told
from qtool.control.shunts.msgdata import text_of
from qtool.errors import NoSuchEntry, QFileError, QueueError
from qtool.queues.filebase import when_of
from qtool.settings import SiteKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtool.control.models import Failure
    from qtool.installation import Configuration
    from qtool.qfile import QFile
    from qtool.queues.switchboard import Switchboard

UNREADABLE = "it cannot be read: "
"""So begins what is said of one that is not to be read, and nothing else then."""

_NEAREST = 200
"""Entries of each other queue that are looked at for the same message."""
_HANDLER = re.compile(r'File "[^"]*/mailman/handlers/(\w+)\.py"')
_PIPELINE = (
    "to_archive", "to_digest", "to_usenet", "after_delivery", "acknowledge", "dmarc",
    "to_outgoing",
)  # fmt: skip
"""Mailman's handlers from the first one on that leaves something behind."""
_INTERRUPTED = "RunnerInterrupt"
"""What Mailman's runners raise when they are told to stop."""


def warnings_of(
    configuration: Configuration, failures: Sequence[Failure]
) -> dict[str, list[str]]:
    """Return what speaks against sending entries on, in sentences, by filebase.

    Args:
        configuration: The site.
        failures: Why they were put aside. Those that are gone are left out.
    """
    found: dict[str, list[str]] = {}
    alike: dict[str, list[Failure]] = {}
    for failure in failures:
        try:
            held = place(configuration, failure.queue).peek(failure.filebase)
        except QFileError as error:
            found[failure.filebase] = [f"{UNREADABLE}{error.reason}"]
            continue
        except NoSuchEntry:
            continue
        found[failure.filebase] = _from_itself(configuration, failure, held.msgdata)
        alike.setdefault(message_id_of(held), []).append(failure)
    for told in (
        deliveries_told(configuration, alike),
        _copies_of(configuration, alike),
    ):
        for filebase, lines in told.items():
            found[filebase] += lines
    return found


def _from_itself(
    configuration: Configuration, failure: Failure, msgdata: Mapping[str, Any]
) -> list[str]:
    """Return what its metadata and the traceback say, a sentence each."""
    kind = configuration.settings.kind
    found = [_about_origin(configuration, failure)]
    if failure.exception == _INTERRUPTED:
        found.append(
            "a signal interrupted it, as `mailman stop` does: what was done until"
            " then is done again"
        )
    if failure.why and not failure.exception and not failure.traceback:
        pass  # it never came to be processed
    elif _delivers(configuration, failure.origin or failure.runner):
        found.append(_about_delivery(failure, msgdata))
    elif kind is SiteKind.MAILMAN3 and failure.origin in {"in", "pipeline"}:
        found.append(_about_pipeline(failure))
    return [each for each in found if each]


def _about_origin(configuration: Configuration, failure: Failure) -> str:
    if failure.origin:
        stale = failure.runner not in {"", failure.origin}
        if not stale or failure.runner not in configuration.switchboards:
            return ""
        return (
            f"{failure.runner} put it aside, and whichq says {failure.origin}, which is"
            " of an earlier time: there it would be processed again from that point"
        )
    where = failure.runner if failure.runner in configuration.switchboards else ""
    told = f"{where} put it aside" if where else "it is not known which queue it was in"
    return f"{told}: in another queue it would be processed again from that point"


def _delivers(configuration: Configuration, queue: str) -> bool:
    settings = configuration.settings.runners.get(queue)
    runner = ((settings and settings.class_path) or "").rpartition(".")[2]
    if configuration.settings.kind is SiteKind.MAILMAN2:
        return queue == "out"  # its queues tell no class
    return runner == "OutgoingRunner"


def _about_delivery(failure: Failure, msgdata: Mapping[str, Any]) -> str:
    left = msgdata.get("undelivered")
    if isinstance(left, list):  # of Mailman 2: chunks of recipients
        count = sum(len(chunk) for chunk in left if isinstance(chunk, list))
        return (
            f"its delivery was cut short: it goes on with {count} recipients, some of"
            " whom may have got it"
        )
    recipients = msgdata.get("recipients") or msgdata.get("recips")
    count = len(recipients) if isinstance(recipients, list | set | tuple) else 0
    where = f" in {failure.frame}" if failure.frame else ""
    whom = f"its {count} recipients" if count else "its recipients"
    return (
        f"it failed in delivery{where}, and nobody has noted who had got it by then:"
        f" it goes to all of {whom}"
    )


def _about_pipeline(failure: Failure) -> str:
    handlers = _HANDLER.findall(failure.traceback)
    failed = next((name for name in handlers if name in _PIPELINE), "")
    before = _PIPELINE[: _PIPELINE.index(failed)] if failed else ()
    if not before:
        return ""
    names = ", ".join(name.replace("_", "-") for name in before)
    return (
        f"it failed in {failed.replace('_', '-')}, and its pipeline begins anew:"
        f" {names} run for a second time"
    )


def _copies_of(
    configuration: Configuration, failures: Mapping[str, Sequence[Failure]]
) -> dict[str, list[str]]:
    """Return where else messages wait, a sentence for each queue, by filebase.

    In each queue the entries nearest in time are looked at.
    """
    known = [(each, one) for each in failures if each for one in failures[each]]
    aside = {configuration.shunt.name, configuration.bad.name}
    aside |= {failure.queue for _, failure in known}
    found: dict[str, list[str]] = {}
    for name, queue in configuration.switchboards.items():
        if name in aside or not known:
            continue
        copies = _Copies(queue)
        for message_id, failure in known:
            told = copies.told(failure, message_id)
            found.setdefault(failure.filebase, []).extend([told] * bool(told))
    return found


class _Copies:
    """Looks for messages in one queue, and opens each of its entries once.

    Args:
        queue: The queue.
    """

    def __init__(self, queue: Switchboard) -> None:
        self._queue = queue
        self._seen: dict[str, tuple[str, str]] = {}
        """List and Message-ID, by filebase."""
        try:
            self._names = queue.files
        except OSError:
            self._names = []

    def told(self, failure: Failure, message_id: str) -> str:
        """Say that the message waits here, or that this is not known; mostly ""."""
        names, queue = self._names, self._queue.name
        middle = bisect_left(names, failure.when, key=when_of)
        start = max(0, min(middle - _NEAREST // 2, len(names) - _NEAREST))
        looked = names[start : start + _NEAREST]
        own = {"", failure.list_id}  # else it is a post to two lists
        copies = [
            base
            for base in looked
            if (seen := self._look(base))[1] == message_id and seen[0] in own
        ]
        if copies:
            return f"{queue} has the same message: {', '.join(copies[:3])}"
        if len(looked) < len(names):
            return (
                f"whether {queue} has the same message is not known: only"
                f" {len(looked)} of {len(names)} were looked at"
            )
        return ""

    def _look(self, base: str) -> tuple[str, str]:
        if base not in self._seen:
            try:
                held = self._queue.peek(base)
                self._seen[base] = text_of(held.msgdata, "listid"), message_id_of(held)
            except (QFileError, QueueError, OSError):
                self._seen[base] = "", ""
        return self._seen[base]


def message_id_of(held: QFile) -> str:
    """Return the Message-ID of a message; empty where it has none."""
    try:
        return held.heads({"message-id"}).get("message-id", "").strip()
    except QFileError:
        return ""
