"""What one step of Mailman's own runner did, told by queue folders and logs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtool import qfile
from qtool.engine.mailman_logs import LogMarks, tail, traceback_in
from qtool.engine.mailman_site import running_master
from qtool.engine.recording import bounded_copy
from qtool.engine.step import Outcome, StepReport
from qtool.errors import QFileError, QueueError
from qtool.queues import filebase
from qtool.queues.switchboard import Enqueued
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

_MOST_LOOKED_AT = 200
_CLOCK_SLACK_SECONDS = 0.1
"""A file system's clock may lag behind the one that names are made by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the child ended."""

    pid: int
    status: int
    """Exit status, or the negative number of the signal that killed it."""
    returned: Sequence[str]
    """Filebases that it left in its queue, and that were put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Landed:
    """An entry that appeared in a queue during the step."""

    place: Enqueued
    msgdata: dict[str, Any] | None
    same_message: bool


class Observation:
    """A step of one file, from before its child starts until after it has ended.

    Args:
        configuration: The site.
        queue: The queue that the file was in.
        base: The file's filebase.
        path: Where it is now.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        configuration: Configuration,
        queue: str,
        base: str,
        path: Path,
        clock: Callable[[], float],
    ) -> None:
        self._configuration = configuration
        self._queue, self._base = queue, base
        self._msgdata, self._message_id = _look(configuration, path)
        self._master = running_master(configuration.settings)
        self._logs = LogMarks(configuration.settings.log_files)
        self._began = clock()
        self._clock = clock
        self._started = time.monotonic()

    def report(self, runner: str, ended: Ended, output: Path) -> StepReport:
        """Return what happened.

        Args:
            runner: The runner that was stepped.
            ended: How its child ended.
            output: What the child printed.
        """
        seconds = time.monotonic() - self._started
        settings = self._configuration.settings
        alone = self._master is None and running_master(settings) is None
        landed = [found for found in self._landed() if alone or found.same_message]
        outcome = self._outcome(ended, landed)
        log = self._logs.lines_of(ended.pid, alone=alone)
        printed = tail(output) if ended.status else ""
        known = [found.msgdata for found in landed if found.same_message]
        return StepReport(
            runner=runner,
            queue=self._queue,
            filebase=self._base,
            outcome=outcome,
            before=self._msgdata,
            after=known[0] if known and outcome is not Outcome.NOT_TAKEN else None,
            enqueued=tuple(found.place for found in landed),
            log=log,
            traceback=traceback_in(log) or (printed if "Traceback" in printed else ""),
            seconds=seconds,
            note=self._note(outcome, ended, printed, alone=alone),
        )

    def _outcome(self, ended: Ended, landed: Sequence[_Landed]) -> Outcome:
        if self._base in ended.returned:
            return Outcome.NOT_TAKEN
        bad = self._configuration.bad
        if self._base in bad.get_files(filebase.PRESERVED):
            return Outcome.PRESERVED
        places = {found.place.queue for found in landed if found.same_message}
        if self._configuration.shunt.name in places:
            return Outcome.SHUNTED
        return Outcome.KEPT if ended.returned else Outcome.DONE

    def _note(
        self, outcome: Outcome, ended: Ended, printed: str, *, alone: bool
    ) -> str:
        notes = []
        if ended.status:
            last = next((s for s in reversed(printed.splitlines()) if s.strip()), "")
            how = f"Mailman's runner ended with status {ended.status}"
            notes.append(f"{how}: {visible(last.strip(), 200)}" if last else how)
        if outcome is Outcome.NOT_TAKEN:
            notes.append(f"the file is in {self._queue}, as before")
        elif not alone:
            notes.append("what Mailman's running runners took meanwhile is not listed")
        return "; ".join(notes)

    def _landed(self) -> Iterator[_Landed]:
        for name, switchboard in self._configuration.switchboards.items():
            for base in self._arrivals(switchboard):
                try:
                    entry = switchboard.peek(base)
                except (QFileError, QueueError):
                    msgdata, message_id = None, None
                else:
                    msgdata = bounded_copy(entry.msgdata)
                    message_id = entry.message["message-id"]
                yield _Landed(
                    place=Enqueued(queue=name, filebase=base),
                    msgdata=msgdata,
                    same_message=self._is_message(message_id),
                )

    def _arrivals(self, switchboard: Switchboard) -> list[str]:
        """Return what was put into a queue since the step began."""
        try:
            changed = switchboard.queue_directory.stat().st_mtime
            if changed < self._began - _CLOCK_SLACK_SECONDS:
                return []
        except OSError:
            return []
        arrivals: list[str] = []
        for base in reversed(switchboard.files):
            when = filebase.when_of(base)
            if when < self._began or len(arrivals) == _MOST_LOOKED_AT:
                break
            if when <= self._clock() and base != self._base:
                arrivals.append(base)
        return arrivals[::-1]

    def _is_message(self, message_id: object) -> bool:
        return self._message_id is not None and str(message_id) == self._message_id


def _look(
    configuration: Configuration, path: Path
) -> tuple[dict[str, Any] | None, str | None]:
    try:
        entry = qfile.look(path, allowed=configuration.settings.allowed_classes)
    except QFileError:
        return None, None
    message_id = entry.message["message-id"]
    return bounded_copy(entry.msgdata), message_id and str(message_id)
