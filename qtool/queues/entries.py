"""The entries of one folder and how they change state.

    (nameless) --link--> X.pck --take--> X.bak --remove--> gone
    X.pck.tmp --rename--> X.pck, in groups and where there are no nameless files
    X.pck --hold--> X.edit --put back--> X.pck
    X.psv --hold--> X.psv-edit --put back--> X.psv

Every transition is one rename that replaces nothing, so of two who want an entry
one gets it and the other learns so.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os

from qtool.errors import EntryExists, NoSuchEntry, NoSuchQueue, QFileError
from qtool.queues import durable, filebase
from qtool.queues.filebase import IN_HAND, TAKEN, WAITING
from qtool.queues.writers import Writing, is_alone

_log = logging.getLogger("qtool.queues")

_MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def machine_fault(error: QFileError) -> OSError | MemoryError | None:
    """Return why reading failed, where that is no fault of the file."""
    cause = error.__cause__
    if isinstance(cause, MemoryError) or (
        isinstance(cause, OSError) and cause.errno in _MACHINE
    ):
        return cause
    return None


class Entries:
    """One folder of entries.

    Args:
        queue: Name of the queue, for what errors say.
        directory: The folder.
        create: Whether the folder may be made where it is missing, as it may where
            nobody but qtool writes.
    """

    def __init__(self, queue: str, directory: str, *, create: bool) -> None:
        self.directory = directory
        self._queue = queue
        self.is_own = create

    def path(self, name: str, suffix: str) -> str:
        """Return where an entry is; nothing but a filebase becomes part of a path.

        Raises:
            NoSuchEntry: ``name`` is no filebase.
        """
        if not filebase.is_filebase(name):
            raise NoSuchEntry(f"{self._queue}: {name!r} is no filebase")
        return f"{self.directory}/{name}{suffix}"

    def make_folder(self) -> None:
        """Make the folder, if that is allowed.

        Raises:
            NoSuchQueue: It is not.
        """
        if not self.is_own:
            raise NoSuchQueue(f"{self._queue}: there is no folder {self.directory}")
        durable.make_folder(self.directory)

    def take(self, name: str) -> str:
        """Rename a waiting entry into flight; return its path there.

        Raises:
            NoSuchEntry: It does not wait here.
        """
        path = self.path(name, "")
        taken = path + TAKEN
        try:
            durable.rename_new(path + WAITING, taken)
        except FileNotFoundError:
            raise self.missing(name) from None
        except FileExistsError:
            self._rename_twin(name)
            raise NoSuchEntry(f"{self._queue}: {name} is in flight already") from None
        return taken

    def _rename_twin(self, name: str) -> None:
        """Give what waits under the name of an entry in flight a name of its own."""
        waiting, taken = self.path(name, WAITING), self.path(name, TAKEN)
        with contextlib.suppress(FileNotFoundError):
            if not os.path.samestat(os.lstat(waiting), os.lstat(taken)):
                other = filebase.make(filebase.when_of(name), name.encode())
                durable.rename_new(waiting, self.path(other, WAITING))
                _log.warning("%s: is %s now; one of its name is in flight", name, other)

    def remove(self, name: str) -> None:
        """End the flight of an entry for good.

        Raises:
            NoSuchEntry: It is not in flight.
        """
        try:
            os.unlink(self.path(name, TAKEN))
        except FileNotFoundError:
            raise self.missing(name) from None

    def release(self, name: str) -> None:
        """Rename an entry in flight back.

        Raises:
            NoSuchEntry: It is not in flight.
            EntryExists: Another entry of its name waits.
        """
        self._rename(name, self.path(name, TAKEN), self.path(name, WAITING))

    def hold(self, name: str, suffix: str = WAITING) -> str:
        """Rename an entry into an operator's hand; return its path there.

        Args:
            name: Its filebase.
            suffix: The state that it is in: it waits, or was set aside.

        Raises:
            NoSuchEntry: It is not here, or not in that state.
            EntryExists: An entry of its name is in somebody's hand.
        """
        held = self.path(name, IN_HAND[suffix])
        self._rename(name, self.path(name, suffix), held)
        return held

    def check_no_flight(self, name: str) -> None:
        """Find out whether an entry that waits is in flight, too.

        So a recovery leaves it for a moment, or for longer where it was cut off. What
        waits must not go anywhere then: it is sent again from where it is in flight.

        Raises:
            NoSuchEntry: It is.
        """
        if os.path.lexists(self.path(name, TAKEN)):
            raise self.missing(name)

    def put_back(self, name: str, suffix: str = WAITING) -> None:
        """Rename what ``hold`` took back; nothing happens where it is gone."""
        held, free = self.path(name, IN_HAND[suffix]), self.path(name, suffix)
        with contextlib.suppress(FileNotFoundError):
            try:
                durable.rename_new(held, free)
            except FileExistsError:
                if os.path.samestat(os.lstat(held), os.lstat(free)):
                    os.unlink(held)  # a rename in two steps was cut off
                    return
                other = filebase.make(filebase.when_of(name), name.encode())
                durable.rename_new(held, self.path(other, suffix))
                _log.warning("%s: is %s now; there is one of its name", name, other)

    def end_editing(self, name: str, suffix: str, folder: int) -> bool:
        """Put an entry back whose editor died; return whether it is in its state.

        Args:
            name: Its filebase.
            suffix: The state that it was in.
            folder: Descriptor of the folder; what is locked through it is one's own.
        """
        if is_alone(folder, name, groups=False):
            self.put_back(name, suffix)
        return os.path.lexists(self.path(name, suffix))

    def writing(self, name: str) -> Writing:
        """Tell others that an entry of this folder is being written.

        Raises:
            NoSuchEntry: There is no folder.
        """
        try:
            return Writing(self.directory, name)
        except FileNotFoundError:
            raise self.missing(name) from None

    def _rename(self, name: str, source: str, target: str) -> None:
        try:
            durable.rename_new(source, target)
        except FileNotFoundError:
            raise self.missing(name) from None
        except FileExistsError:
            raise EntryExists(f"{target} is there already") from None

    def sync(self) -> None:
        """Wait until the names in the folder are on the disk."""
        with contextlib.suppress(FileNotFoundError):
            durable.sync_folder(self.directory)

    def missing(self, name: str) -> NoSuchEntry:
        """Return the error for an entry that somebody else has taken or removed."""
        if os.path.lexists(self.path(name, TAKEN)):
            return NoSuchEntry(f"{self._queue}: {name} is in flight")
        if any(os.path.lexists(self.path(name, held)) for held in IN_HAND.values()):
            return NoSuchEntry(f"{self._queue}: {name} is in somebody's hand")
        return NoSuchEntry(f"{self._queue}: {name} is not there any more")
