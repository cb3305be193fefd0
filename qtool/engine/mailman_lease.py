"""GNU Mailman's master lock, as Mailman itself takes it and reads it.

The lock is a file, and a second name of it, the *claim*, says whose it is:
``LOCKFILE|HOST|PID|RANDOM``, which is also what is in it. Its modification time is
when it expires. Making the hard link is what takes the lock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.errors import MailmanRuns, RunnerError
from qtool.queues import durable
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIFETIME_SECONDS = 30 * 3600.0
"""As long as Mailman's own, so that nobody has to know another number."""
REFRESH_SECONDS = 3600.0
_SLOP_SECONDS = 10.0
"""By which the clocks of machines that share a folder may differ."""
_LONGEST = 4096
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LockClaim:
    """Whose a lock is."""

    text: str
    """The claim: the path of its second name."""
    host: str
    pid: int
    expires: float
    """In epoch seconds."""


def read_claim(lock_file: Path) -> LockClaim | None:
    """Return whose the lock is; None where there is none, or it does not say."""
    try:
        text = os.fsdecode(durable.read_small(str(lock_file), _LONGEST)).strip()
        expires = lock_file.stat().st_mtime
    except OSError:
        return None
    holder = holder_in(text)
    if holder is None:
        return None
    return LockClaim(text=text, host=holder[0], pid=holder[1], expires=expires)


def holder_in(claim: str) -> tuple[str, int] | None:
    """Return the host and the pid that a claim names; None where it names none."""
    parts = claim.rsplit("|", 3)
    if len(parts) != 4 or not parts[2].isdecimal() or len(parts[2]) > 10:
        return None
    return parts[1], int(parts[2])


def remove(lock_file: Path, claim: LockClaim) -> None:
    """Remove a lock, and the claim by which it was held."""
    lock_file.unlink(missing_ok=True)
    # What is in the file is anybody's word: only a claim on this lock goes.
    name = os.path.basename(claim.text)  # noqa: PTH119 - may hold anything
    if name.startswith(f"{lock_file.name}|"):
        with contextlib.suppress(OSError):
            lock_file.with_name(name).unlink()


class Lease:
    """Mailman's master lock, for one process that takes it.

    Args:
        lock_file: The lock.
        host: This machine, by the name that Mailman knows it by.
        pid: Who takes it.
        clock: Seconds since the epoch.
        is_alive: Whether there is a process of that number here.
    """

    def __init__(
        self,
        lock_file: Path,
        *,
        host: str,
        pid: int,
        clock: Callable[[], float] = time.time,
        is_alive: Callable[[int], bool] | None = None,
    ) -> None:
        self._lock = lock_file
        self._host = host
        self._clock = clock
        self._is_alive = is_alive or _is_alive
        random = secrets.randbits(62)
        self._claim = lock_file.with_name(f"{lock_file.name}|{host}|{pid}|{random}")

    @property
    def claim(self) -> str:
        """What says that the lock is ours."""
        return str(self._claim)

    def take(self, former: str = "") -> None:
        """Take the lock.

        Args:
            former: A claim whose process is known to be dead, and was ours.

        Raises:
            MailmanRuns: Somebody holds it who lives, for all that is known.
            RunnerError: Mailman asks for ``--force`` here, or it cannot be taken.
        """
        try:
            self._write_claim()
            try:
                self._link(former)
            except BaseException:
                self._claim.unlink()
                raise
        except OSError as error:
            raise RunnerError(
                f"Mailman's master lock {self._lock} cannot be taken: {error.strerror}"
            ) from error

    def is_ours(self) -> bool:
        """Return whether nobody has taken the lock away."""
        try:
            return self._lock.samefile(self._claim)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # nothing says that it is not

    def refresh(self) -> None:
        """Have the lock expire later, where it is time for that."""
        wanted = self._clock() + LIFETIME_SECONDS
        # The clock may have been set, in either direction.
        if abs(self._claim.stat().st_mtime - wanted) >= REFRESH_SECONDS:
            os.utime(self._claim, (wanted, wanted))

    def give_back(self) -> None:
        """Let others have the lock."""
        if self.is_ours():
            self._lock.unlink(missing_ok=True)
        self._claim.unlink(missing_ok=True)

    # --- Behind the scenes

    def _write_claim(self) -> None:
        durable.write_new(self.claim, os.fsencode(self.claim), sync=False)
        expires = self._clock() + LIFETIME_SECONDS
        os.utime(self._claim, (expires, expires))

    def _link(self, former: str) -> None:
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(FileExistsError):
                os.link(self._claim, self._lock)
                return
            found = read_claim(self._lock)
            if found is not None:
                if found.text != former:
                    self._check(found)
                self._break(found)
            elif self._lock.exists():
                raise MailmanRuns(
                    f"{self._lock}, Mailman's master lock, does not say whose it is"
                )
        raise MailmanRuns(f"{self._lock} changes hands too quickly")

    def _check(self, found: LockClaim) -> None:
        """Refuse, unless the lock is another machine's and its time has passed."""
        who = f"pid {found.pid} on {visible(found.host, 80)}"
        held = f"Mailman's master lock is held by {who} ({self._lock})"
        if found.host == self._host:
            if self._is_alive(found.pid):
                raise MailmanRuns(f"{held}: stop Mailman first")
            raise RunnerError(
                f"Mailman did not exit cleanly: {who}, who held its master lock, is"
                " dead; `mailman start --force` and `mailman stop` put that right"
            )
        if found.expires + _SLOP_SECONDS > self._clock():
            until = time.strftime("%Y-%m-%d %H:%M", time.localtime(found.expires))
            raise MailmanRuns(f"{held} until {until}")

    def _break(self, found: LockClaim) -> None:
        """Remove a dead one's lock, as Mailman does: nobody else may, meanwhile."""
        expires = self._clock() + LIFETIME_SECONDS
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._lock, (expires, expires))
            now = read_claim(self._lock)
            if now is None or now.text != found.text:
                return
            remove(self._lock, found)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
