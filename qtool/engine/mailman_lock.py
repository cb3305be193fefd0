"""Mailman's master lock, held while a runner of ours works one of Mailman's queues.

What such a runner has in flight would be a crash's remains to a Mailman that starts.
So a small process holds the lock for all runners of all processes that work there:
it gives it back when the last of them has ended, or was killed.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from qtool.engine.mailman_lease import holder_in, read_claim, remove
from qtool.engine.mailman_register import HELD, RUNS, Register
from qtool.engine.spawned import Spawned
from qtool.errors import MailmanRuns, QToolError, RunnerError

if TYPE_CHECKING:
    from pathlib import Path

_HOLDER = "qtool.engine.mailman_holder"
_PATIENCE_SECONDS = 60.0
"""For the holder to answer: it may have to ask the network for this host's name."""
_GIVING_BACK_SECONDS = 5.0
"""Seconds that who needed it last waits until it is given back."""
_LOOK_MILLISECONDS = 100
_LONGEST_ANSWER = 4096


class Share:
    """One runner's share in Mailman's master lock, until ``release``."""

    def __init__(self, register: Register) -> None:
        self._register: Register | None = register

    def check(self) -> None:
        """Find out whether the lock is still held.

        Raises:
            RunnerError: It is not: somebody has killed its holder, or removed it.
        """
        if self._register is not None and not self._register.has_holder():
            raise RunnerError(
                "Mailman's master lock was taken away: without it no runner of"
                " qtool's works in Mailman's queues"
            )

    def release(self) -> None:
        """Need the lock no more; more than once does no harm.

        Who was the last to need it goes on when it has been given back: what ends a
        service when its process has ended would kill the holder in the act.
        """
        register, self._register = self._register, None
        if register is None:
            return
        try:
            with suppress(OSError, QToolError):
                register.leave()
                _see_off(register)
        finally:
            register.close()


class MasterLock:
    """The master lock of one Mailman.

    Args:
        lock_file: The lock.
        state_directory: The state folder of its spool.
    """

    def __init__(self, lock_file: Path, state_directory: Path) -> None:
        self._lock_file = lock_file
        self._state_directory = state_directory

    def share(self) -> Share:
        """Have the lock held from now on.

        Raises:
            MailmanRuns: Mailman holds it.
            RunnerError: It cannot be held.
        """
        try:
            register = Register(self._state_directory)
        except OSError as error:
            raise RunnerError(f"{self._state_directory}: {error.strerror}") from error
        try:
            register.join()
            with register.gate():
                if not register.has_holder():
                    self._begin()
        except BaseException:
            register.close()
            raise
        return Share(register)

    def clear_away(self) -> str:
        """Give back what a holder of ours left when it was killed, too.

        Returns:
            What was done, in a line; nothing where there was nothing to do.
        """
        if not Register.is_there(self._state_directory):
            return ""
        try:
            was_left = self._remove_left_over()
        except OSError as error:
            return f"Mailman's master lock {self._lock_file} is left over: {error}"
        if not was_left:
            return ""
        return "Mailman's master lock is given back: who held it for qtool was killed"

    def _remove_left_over(self) -> bool:
        register = Register(self._state_directory)
        try:
            with register.gate():
                found = read_claim(self._lock_file)
                if (
                    found is None
                    or found.text != register.noted()
                    or register.has_holder()
                ):
                    return False
                remove(self._lock_file, found)
                return True
        finally:
            register.close()

    def _begin(self) -> None:
        """Start the process that holds it, and wait until it does."""
        paths = [str(self._lock_file), str(self._state_directory)]
        try:
            # It goes on without its parent, so only that has to be waited for.
            with closing(Spawned(_HOLDER, paths)) as started:
                started.wait(_PATIENCE_SECONDS)
                started.end.settimeout(_PATIENCE_SECONDS)
                answer = started.end.recv(_LONGEST_ANSWER).decode("utf-8", "replace")
        except OSError as error:
            raise RunnerError(
                f"Mailman's master lock {self._lock_file} cannot be held: {error}"
            ) from error
        word, _, reason = answer.partition(" ")
        if word == RUNS:
            raise MailmanRuns(reason)
        if word != HELD:
            raise RunnerError(
                reason or f"Mailman's master lock {self._lock_file} has no holder"
            )


def _see_off(register: Register) -> None:
    """Wait for the end of a holder that nobody needs any more, but not for ever."""
    holder = holder_in(register.noted())
    if holder is None:
        return
    deadline = time.monotonic() + _GIVING_BACK_SECONDS
    process = os.pidfd_open(holder[1])
    end = select.poll()
    end.register(process, select.POLLIN)
    try:
        # Now and then whether somebody has joined meanwhile, for then it stays.
        while register.has_holder() and not register.is_needed():
            if end.poll(_LOOK_MILLISECONDS) or time.monotonic() >= deadline:
                return
    finally:
        os.close(process)
