"""What operators' acts do with the entries of a queue.

Each verb loses cleanly to a runner that takes the entry meanwhile, and replaces
nothing. A process that is killed at any moment leaves the entry where it was, where
it goes, or in its hand, from which ``sweep`` puts it back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from qtool.queues.filebase import WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from email.message import Message

    from qtool.qfile import QFile
    from qtool.queues.changing import Msgdata
    from qtool.queues.switchboard import Switchboard


class Prepared(ABC):
    """What some entries are to hold, on the disk beforehand, until this is closed."""

    @abstractmethod
    def close(self) -> None:
        """Remove what no entry got."""


class Mending(ABC):
    """The part of a switchboard that moves and changes what waits or was set aside."""

    @abstractmethod
    def transfer(
        self,
        filebase: str,
        other: Switchboard,
        *,
        suffix: str = WAITING,
        new_suffix: str = WAITING,
        new_filebase: str | None = None,
        msgdata: Msgdata | None = None,
        prepared: Prepared | None = None,
        sync: bool = True,
    ) -> None:
        """Move an entry that waits or was set aside, never one in flight.

        It is one rename, or a copy where the other folder is on another file system;
        only there a process that is killed between copy and removal leaves both.

        Args:
            filebase: The entry.
            other: Where it goes; this queue itself, where it gets another name.
            suffix: The state that it is in: ``.pck`` waits, ``.psv`` is set aside.
            new_suffix: The state that it has there.
            new_filebase: The name that it has there; the same without it.
            msgdata: Its metadata there, or what makes them of those that it has when
                it is moved; the same without it. Volatile keys are left out, and the
                bytes of its message stay.
            prepared: What this queue has prepared, maybe of this entry, too.
            sync: When this returns, the move survives a loss of power. Who moves many
                calls ``sync`` of both queues instead, now and then.

        Raises:
            NoSuchEntry: It is not there in that state, or somebody was faster; the
                error says where it is in flight.
            NoSuchQueue: The other queue has no folder and none may be made.
            EntryExists: There is one of that name, or somebody else changes it.
            QFileError: It cannot be read, or ``msgdata`` cannot be kept.
            OSError: It failed; the entry is where it was, or where it goes when only
                the wait for the disk failed.
        """

    @abstractmethod
    def prepare(self, changes: Iterable[tuple[str, str, Msgdata]]) -> Prepared:
        """Write what several entries are to hold, with one group commit.

        Each stays as it is until its ``transfer``, which finds out whether it may go
        and writes by itself what is not prepared: what cannot be, or is too much at a
        time, and everything where there is no group commit.

        Args:
            changes: The filebase of each, the state that it is in, and the metadata
                that ``transfer`` is going to give it.
        """

    def move(self, filebase: str, other: Switchboard) -> None:
        """Move a waiting entry to another queue under the same filebase.

        Raises:
            NoSuchEntry: Somebody else has taken it.
            EntryExists: The other queue has an entry of that name.
        """
        self.transfer(filebase, other)

    @abstractmethod
    def keep(self, filebase: str, other: Switchboard) -> None:
        """Give a waiting entry a second name in ``other``; it stays where it is.

        That is no copy where both are on one file system: who changes the entry in
        its queue puts another file there, and this one stays as it was. When this
        returns, it survives a loss of power. To keep it again does nothing.

        Raises:
            NoSuchEntry: It does not wait here.
            NoSuchQueue: The other queue has no folder and none may be made.
            EntryExists: There is another entry of that name.
            OSError: It failed; there is no second name, unless only the wait for the
                disk failed.
        """

    @abstractmethod
    def swap(
        self,
        filebase: str,
        other: Switchboard,
        *,
        was: QFile | None = None,
        sync: bool = True,
    ) -> None:
        """Let the waiting entries of that name here and there have each other's file.

        Nobody may take the one in ``other``. When this returns, the swap survives a
        loss of power; without ``sync``, once ``sync`` of both queues was called.

        Args:
            filebase: The entry.
            other: Where its other file is.
            was: What ``peek`` showed here to who means to have it replaced; without
                it, whatever waits here by now is swapped.
            sync: Wait for the disk.

        Raises:
            NoSuchEntry: One does not wait there, a runner was faster, or the one here
                is not what it was.
            QFileError: It cannot be read, to compare it with what it ``was``.
            EntryExists: Somebody else has it in hand.
            OSError: It failed; the one here waits, and no content is lost. Where both
                are on two file systems, to swap again ends what had begun.
        """

    @abstractmethod
    def rewrite(
        self,
        filebase: str,
        msgdata: Mapping[str, Any],
        *,
        message: Message | bytes | None = None,
        was: QFile | None = None,
        sync: bool = True,
    ) -> None:
        """Give a waiting entry other metadata, and another message if there is one.

        Volatile keys are left out.

        Args:
            filebase: The entry.
            msgdata: Its metadata.
            message: Its message, as an object or as the bytes of the wire. It is
                written in the form that its queue or its file has; in the place of an
                object of GNU Mailman it is text. Without it the bytes stay.
            was: What ``peek`` showed to who means to change it; without it, whatever
                it holds by now is changed.
            sync: Wait until the change survives a loss of power.

        Raises:
            NoSuchEntry: It does not wait here, a runner was faster, or it is not what
                it was.
            EntryExists: Somebody else rewrites it.
            QFileError: It cannot be read, or ``msgdata`` cannot be kept.
            OSError: It could not be written durably; it waits as it was.
        """

    @abstractmethod
    def suffix_of(self, filebase: str) -> str:
        """Return in which state an entry is: ``.pck`` waits, ``.psv`` is set aside.

        Raises:
            NoSuchEntry: It is in neither; the error says where it is in flight.
        """

    @abstractmethod
    def erase(self, filebase: str) -> None:
        """Remove an entry that waits or was set aside, for good.

        Raises:
            NoSuchEntry: It is in neither state.
        """

    @abstractmethod
    def sweep(self) -> None:
        """End what processes that died had begun with entries of the slice.

        Files half written go, and entries in the hands of the dead are put back.
        Who is still at it is left alone.
        """

    @abstractmethod
    def sync(self) -> None:
        """Make what was finished or moved durable."""
