"""The reason for which each message was put aside, from wherever it is kept."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool.control.desk.entries import path_of
from qtool.control.models import Failure, FailureSource
from qtool.control.places import place
from qtool.control.shunts.log_index import LogIndex
from qtool.control.shunts.mailman_log import Joined, Search, Sought, search
from qtool.control.shunts.msgdata import (
    target_of,
    text_of,
    time_of_shunt,
    traceback_of,
    why_of,
    without_origin,
)
from qtool.control.shunts.rerun import message_id_of
from qtool.control.shunts.tracebacks import exception_of, raised
from qtool.errors import NoSuchEntry, QFileError
from qtool.queues.filebase import ENTRY_SUFFIXES, is_filebase, when_of
from qtool.settings import SiteKind
from qtool.settings.own import WITHOUT_RUNNER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

_MOST_KEPT = 20_000
_MISSING_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An entry whose reason has to be looked for."""

    failure: Failure
    """What is known without."""
    sought: Sought


class Reasons:
    """Tells why entries were put aside; what a log said once is remembered.

    Args:
        configuration: The site.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._index = LogIndex()
        self._joined: dict[str, Joined] = {}
        """By filebase: no two entries share one, so it never says anything else."""
        self._missing: dict[str, float] = {}
        """When each was last looked for, which costs; by the monotonic clock."""
        self._looked = ""
        """Where that was, in words."""

    def of(self, name: str, filebases: Sequence[str], log: str = "") -> list[Failure]:
        """Return why entries of one place are there, in the order asked for.

        Raises:
            NoSuchQueue: There is no such place.
        """
        queue = place(self._configuration, name)
        seen = [self._look(queue, base) for base in filebases]
        missing = [each for each in seen if isinstance(each, _Entry)]
        joined, looked = self._search([each.sought for each in missing], log)
        return [
            each
            if isinstance(each, Failure)
            else self._told(each.failure, joined.get(each.sought.filebase), looked)
            for each in seen
        ]

    def whys(self, name: str, filebases: Sequence[str]) -> dict[str, str]:
        """Return why entries are in ``shunt`` or ``bad``, in a line, by filebase.

        Of what Mailman put there only its log says it; elsewhere nothing is read.
        """
        logs = self._configuration.settings.error_logs
        if name not in WITHOUT_RUNNER or not logs:
            return {}
        return {each.filebase: each.why for each in self.of(name, filebases)}

    def _search(
        self, sought: Sequence[Sought], log: str
    ) -> tuple[Mapping[str, Joined], str]:
        if log:
            result = search(self._index, [Path(log)], sought, everywhere=True)
            return result.found, result.looked
        lately = time.monotonic() - _MISSING_SECONDS
        unknown = [
            each
            for each in sought
            if each.filebase not in self._joined
            and self._missing.get(each.filebase, lately) <= lately
        ]
        known = self._joined
        if unknown or not self._looked:
            result = search(
                self._index, self._configuration.settings.error_logs, unknown
            )
            known = {**known, **result.found}
            self._keep(result, unknown)
        return known, self._looked

    def _keep(self, result: Search, unknown: Sequence[Sought]) -> None:
        if len(self._joined) + len(self._missing) > _MOST_KEPT:
            self._joined, self._missing = {}, {}
        self._joined.update(result.found)
        now = time.monotonic()
        self._missing.update((each.filebase, now) for each in unknown)
        self._looked = result.looked

    def _look(self, queue: Switchboard, base: str) -> Failure | _Entry:
        failure = Failure(
            queue=queue.name,
            filebase=base,
            when=when_of(base) if is_filebase(base) else 0.0,
            source=FailureSource.NOT_FOUND,
        )
        moments = _moments(queue, base)
        if not moments:
            return replace(failure, note=f"it is not in {queue.name} any more")
        message_id = ""
        try:
            held = queue.peek(base)
            failure = self._from_msgdata(failure, held.msgdata)
            if failure.source is FailureSource.NOT_FOUND:
                message_id = message_id_of(held)
        except NoSuchEntry:
            return replace(failure, note=f"it is not in {queue.name} any more")
        except QFileError as error:
            failure = replace(failure, note=error.reason)
        failure = _preserved(queue, failure)
        if failure.source is not FailureSource.NOT_FOUND:
            return failure
        return _Entry(
            failure=failure,
            sought=Sought(
                filebase=base,
                moments=(when_of(base), *moments),
                message_id=message_id,
                list_id=failure.list_id,
            ),
        )

    def _from_msgdata(self, failure: Failure, msgdata: Mapping[str, Any]) -> Failure:
        origin = target_of(msgdata, self._configuration)
        failure = replace(
            failure,
            when=time_of_shunt(msgdata) or failure.when,
            runner=text_of(msgdata, "shunt_runner"),
            origin=origin,
            list_id=text_of(msgdata, "listid") or text_of(msgdata, "listname"),
            note="" if origin else without_origin(msgdata),
        )
        why, traceback = why_of(msgdata), traceback_of(msgdata)
        if not why:
            return failure
        exception, message = exception_of(why) if traceback else ("", why)
        end = raised(traceback, self._configuration.settings.python_paths)
        return replace(
            failure, source=FailureSource.MSGDATA, exception=exception,
            message=message, traceback=traceback, frame=end.frame,
            own_frame=end.own_frame,
        )  # fmt: skip

    def _told(self, failure: Failure, joined: Joined | None, looked: str) -> Failure:
        if joined is None:
            return replace(failure, note=_both(failure.note, looked))
        end = raised(joined.traceback, self._configuration.settings.python_paths)
        # A log's clock may be that of another zone, and a name's is not; but in
        # Mailman 2 a name keeps the time of its first receipt.
        is_old = self._configuration.settings.kind is SiteKind.MAILMAN2
        return replace(
            failure,
            when=(is_old and joined.when) or failure.when,
            source=FailureSource.LOG,
            exception=end.exception,
            message=end.message if end.exception else joined.line,
            frame=end.frame,
            own_frame=end.own_frame,
            traceback=joined.traceback,
            runner=failure.runner or joined.runner or failure.origin,
            note=_both(failure.note, _stale(failure, joined), joined.file),
        )


def _stale(failure: Failure, joined: Joined) -> str:
    """Say that whichq speaks of an earlier shunt, for Mailman never takes it away."""
    if not joined.runner or failure.origin in {"", joined.runner}:
        return ""
    return f"{joined.runner} shunted it, and whichq is of an earlier time"


def _both(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _moments(queue: Switchboard, base: str) -> tuple[float, ...]:
    """Return when an entry's file came to be there; nothing where there is none."""
    if not is_filebase(base):
        return ()
    for suffix in ENTRY_SUFFIXES:
        try:
            info = os.lstat(path_of(queue, base, suffix))
        except OSError:
            continue
        return info.st_mtime, info.st_ctime
    return ()


def _preserved(queue: Switchboard, failure: Failure) -> Failure:
    try:
        reason = queue.preserved_because(failure.filebase)
    except (NoSuchEntry, OSError):
        return failure
    if not reason:
        return failure
    return replace(failure, source=FailureSource.PRESERVED, message=reason, note="")
