"""Stepping Mailman's own runners, by Mailman's own program, one file at a time.

The file is moved into a private queue folder and Mailman's ``runner -o`` is run on
that one, whether Mailman itself runs or not. What happened is read from the queue
folders and the logs afterwards, because the child's exit status does not say it.
"""

from __future__ import annotations

import itertools
import logging
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtool import qfile
from qtool.engine import private_queue
from qtool.engine.classes import why_mailmans
from qtool.engine.duty import own_master_lock
from qtool.engine.mailman_processes import processes_of
from qtool.engine.mailman_report import Ended, Observation
from qtool.engine.mailman_site import runner_program, running_master
from qtool.engine.step import Outcome, StepReport
from qtool.errors import (
    CorruptQFile,
    NoSuchEntry,
    QFileError,
    QToolError,
    QueueError,
    Refused,
)
from qtool.queues import filebase as filebases
from qtool.settings import RunnerSettings, SiteKind, with_private_queue
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qtool.engine.mailman_processes import MailmanProcess
    from qtool.engine.private_queue import PrivateQueue
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}
"""As little as Mailman's master gives to its runners."""
_MOST_TRIED = 20

_log = logging.getLogger("qtool.mailman")


class MailmanRunners:
    """Mailman's own runners at one site.

    Args:
        configuration: The site.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, configuration: Configuration, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._in_hand: dict[int, tuple[str, str, float]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    @property
    def in_hand(self) -> list[tuple[str, str, float]]:
        """Runner, filebase and start, in epoch seconds, of each step under way."""
        with self._lock:
            return list(self._in_hand.values())

    def master_state(self) -> str | None:
        """Return ``pid N`` of Mailman's master; None when Mailman is stopped."""
        master = running_master(self._configuration.settings)
        return str(master) if master else None

    def processes(self) -> Mapping[tuple[str, int], MailmanProcess] | None:
        """Return the processes of its runners, by name and slice; None if unknown."""
        master = running_master(self._configuration.settings)
        return None if master is None or master.host else processes_of(master.pid)

    def step_refusal(self, runner: str) -> str:
        """Return why a runner cannot be stepped, whatever file; empty if it can."""
        try:
            self._check(self._configuration.runner(runner))
        except Refused as error:
            return str(error)
        return ""

    def step(self, queue: str, runner: str, filebase: str | None = None) -> StepReport:
        """Let Mailman's own program process one file; wait until it has.

        Args:
            queue: The queue of the file.
            runner: The runner that is to process it.
            filebase: The file; None for the oldest that waits.

        Raises:
            Refused: The runner cannot be stepped, or the file must not be.
            NoSuchEntry: The chosen file is not there any more.
            QueueError: A survivor could not be put back; the error says where it is.
        """
        settings = self._configuration.runner(runner)
        program = self._check(settings)
        switchboard = self._configuration.switchboards[queue]
        private = self._taken(switchboard, runner, filebase)
        if private is None:
            return StepReport(
                runner=runner, queue=queue, filebase=None, outcome=Outcome.NOTHING
            )
        number = next(self._numbers)
        with self._lock:
            taken = private.note.filebase
            self._in_hand[number] = (runner, taken, self._clock())
        try:
            return self._run(program, private, switchboard)
        finally:
            private.close()
            with self._lock:
                del self._in_hand[number]

    def recover(self) -> list[str]:
        """Put files back whose step was cut short; return a line for each.

        Files of steps that are still under way, in whatever process, are left. So is
        Mailman's master lock, unless it was ours and nobody holds it any more.
        """
        lock = own_master_lock(self._configuration)
        told = list(filter(None, [lock.clear_away()] if lock else []))
        for private in private_queue.abandoned(self._configuration.state_directory):
            note = private.note
            queue = self._configuration.switchboards.get(note.queue)
            if queue is None and private.entries():
                told.append(
                    f"{private.directory} holds a file of the queue"
                    f" {visible(note.queue, 80)!r}, which is not configured"
                )
                private.forget_configuration()
                continue
            try:
                back = private.put_back(queue.queue_directory) if queue else []
            except QueueError as error:
                told.append(str(error))
                continue
            told += [
                f"{base} is back in {visible(note.queue, 80)}: its step was cut short"
                for base in back
            ]
            private.remove()
        return told

    # --- Before

    def _check(self, runner: RunnerSettings) -> Path:
        """Return Mailman's program, if this runner may be stepped."""
        settings = self._configuration.settings
        name = runner.name
        if settings.kind is not SiteKind.MAILMAN3 or not why_mailmans(
            self._configuration, name
        ):
            raise Refused(f"{name} is not one of Mailman's own runners")
        if runner.queue_directory is None:
            raise Refused(f"{runner.name} manages no queue: it has no file to step")
        if not runner.served:
            raise Refused(f"no runner serves {runner.name}")
        reason = self._configuration.writable_reason()
        if reason:
            raise Refused(reason)
        return runner_program(settings)

    def _taken(
        self, switchboard: Switchboard, runner: str, filebase: str | None
    ) -> PrivateQueue | None:
        """Move a file into a private queue; None if the queue is empty."""
        for line in self.recover():
            _log.warning("%s", line)
        # The oldest may be taken by a live runner meanwhile; then the next is tried.
        for base in [filebase] if filebase else switchboard.oldest(_MOST_TRIED):
            self._check_file(switchboard, base)
            note = private_queue.Note(
                queue=switchboard.name, runner=runner, filebase=base
            )
            private = private_queue.make(self._configuration.state_directory, note)
            try:
                private.take(switchboard.queue_directory)
            except (NoSuchEntry, QueueError) as error:
                private.remove()
                private.close()
                if filebase or not isinstance(error, NoSuchEntry):
                    raise
            else:
                return private
        return None

    def _check_file(self, switchboard: Switchboard, base: str) -> None:
        if not filebases.is_filebase(base):
            raise NoSuchEntry(f"{visible(base, 80)} is not in {switchboard.name}")
        path = switchboard.queue_directory / f"{base}{filebases.WAITING}"
        try:
            qfile.read(path, allowed=self._configuration.settings.allowed_classes)
        except CorruptQFile:
            pass  # Mailman preserves it, as it would without us.
        except QFileError as error:
            # One that is gone is somebody else's, and taking it says so.
            if path.is_symlink() or path.exists():
                # Mailman unpickles whatever it finds, and runs what is in it.
                raise Refused(
                    f"{base} is not given to Mailman: {error.reason}"
                ) from error

    # --- The child

    def _run(
        self, program: Path, private: PrivateQueue, switchboard: Switchboard
    ) -> StepReport:
        note = private.note
        path = private.directory / f"{note.filebase}{filebases.WAITING}"
        observation = Observation(
            self._configuration, note.queue, note.filebase, path, self._clock
        )
        try:
            private.write_configuration(self._private_text(private))
            child = _spawn(program, private)
        except (OSError, UnicodeDecodeError, QToolError) as error:
            private.put_back(switchboard.queue_directory)
            private.remove()
            raise Refused(f"{program}: {visible(error)}") from error
        # Interrupted here, the child goes on; the next start looks after the file.
        status = child.wait()
        private.forget_configuration()
        back = private.put_back(switchboard.queue_directory)
        ended = Ended(pid=child.pid, status=status, returned=back)
        report = observation.report(note.runner, ended, private.output)
        private.remove()
        return report

    def _private_text(self, private: PrivateQueue) -> str:
        path = Path(self._configuration.settings.source)
        return with_private_queue(
            path.read_text(encoding="utf-8"),
            source=str(path),
            base=path.resolve().parent,
            runner=private.note.runner,
            folder=private.directory,
        )


def _spawn(program: Path, private: PrivateQueue) -> subprocess.Popen[bytes]:
    arguments = ["-C", str(private.configuration), "-o", "-r", private.note.runner]
    with private.open_output() as output:
        return subprocess.Popen(  # noqa: S603 - Mailman's own program
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=private.directory.parent,
            env=_ENVIRONMENT,
            pass_fds=(private.lock,),
            # What ends the terminal must not cut a delivery short.
            start_new_session=True,
        )
