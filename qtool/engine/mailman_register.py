"""Who needs Mailman's master lock to be held, and who holds it for them all.

One file in the state folder, of which three bytes are locked. The kernel drops such
a lock when its process dies, however that dies: so the one who holds Mailman's lock
learns when the last of the others has gone, and they learn when it has.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qtool.errors import RunnerError
from qtool.queues import durable, locks
from qtool.queues.state import make_state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = "mailman-lock"
_USERS, _HOLDER, _GATE = range(3)
"""Shared by all who need it; of the one who holds it; of who looks for that one."""
_LONGEST = 4096
HELD, RUNS, FAILED = "held", "runs", "failed"
"""What a holder answers: the first word, and a reason where it does not hold it."""


class Register:
    """One's own open file: what is locked through it ends with ``close``.

    Args:
        state_directory: The state folder of the spool.
        only_looks: It has to be there; nothing is locked or noted in it.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, state_directory: Path, *, only_looks: bool = False) -> None:
        path, flags = state_directory / _NAME, os.O_NOFOLLOW | os.O_CLOEXEC
        if only_looks:
            self._descriptor = os.open(path, flags | os.O_RDONLY)
            return
        make_state_folder(str(state_directory))
        flags |= os.O_RDWR | os.O_CREAT
        self._descriptor = os.open(path, flags, durable.FILE_MODE)
        with contextlib.suppress(PermissionError):  # another of the group made it
            os.fchmod(self._descriptor, durable.FILE_MODE)

    def close(self) -> None:
        """Need nothing and hold nothing any more."""
        os.close(self._descriptor)

    @classmethod
    def is_there(cls, state_directory: Path) -> bool:
        """Return whether anybody has ever needed it."""
        return (state_directory / _NAME).exists()

    # --- For who needs it

    def join(self) -> None:
        """Be one who needs it; waits for a holder that is just giving it back."""
        locks.wait_for(self._descriptor, _USERS, shared=True)

    def leave(self) -> None:
        """Need it no more."""
        locks.give_back(self._descriptor, _USERS)

    def is_needed(self) -> bool:
        """Return whether another needs it."""
        # A holder that gives it back has what the others would share.
        is_taken = locks.held(self._descriptor, _USERS) is not None
        return is_taken and locks.held(self._descriptor, _USERS, shared=True) is None

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Be the only one who looks whether there is a holder."""
        locks.wait_for(self._descriptor, _GATE)
        try:
            yield
        finally:
            locks.give_back(self._descriptor, _GATE)

    def has_holder(self) -> bool:
        """Return whether there is a holder."""
        return locks.held(self._descriptor, _HOLDER) is not None

    # --- For who holds it

    def noted(self) -> str:
        """Return the claim that was noted last; empty where none was."""
        return os.fsdecode(os.pread(self._descriptor, _LONGEST, 0))

    def note(self, claim: str) -> None:
        """Note the claim by which it will be held."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, os.fsencode(claim), 0)

    def hold(self) -> None:
        """Be the holder.

        Raises:
            RunnerError: Another one is.
        """
        if not locks.take(self._descriptor, _HOLDER):
            raise RunnerError("another process holds Mailman's master lock for qtool")

    def wait_until_alone(self) -> None:
        """Wait until nobody needs it any more, and have nobody join from then on."""
        locks.wait_for(self._descriptor, _USERS)
