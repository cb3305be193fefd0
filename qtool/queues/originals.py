"""An entry that an edit changes, and its original in another folder.

    X.pck --link--> X.pck there
    X.pck --hold--> X.edit <--exchange--> X.pck there; X.edit --put back--> X.pck

Where no exchange reaches, both are copied, and the spare copy has a name of its own
until the other is in its place: a process that is killed loses neither.

    X.edit --copy--> X.psv there; X.pck there --copy--> X.edit
    X.psv there --rename--> X.pck there
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from qtool.errors import EntryExists, QFileError
from qtool.qfile.opening import read_bytes
from qtool.queues import copying, durable
from qtool.queues.filebase import IN_HAND, PRESERVED, WAITING, WRITING
from qtool.queues.rewriting import remove_dead, write_over
from qtool.queues.transferring import prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.queues.entries import Entries
    from qtool.queues.transferring import Place

_NO_LINK = durable.CANNOT | {errno.EXDEV, errno.EPERM, errno.EMLINK}
"""There are no second names here, or not of this file."""
_NO_EXCHANGE = durable.CANNOT | {errno.EXDEV}


def keep(old: Place, new: Place) -> None:
    """Give an entry a second name in another folder; a copy where that cannot be.

    Raises:
        NoSuchEntry: It is not there any more.
        NoSuchQueue: The other folder is missing and may not be made.
        EntryExists: There is another of that name.
        OSError: It failed.
    """
    try:
        try:
            _link(old, new)
        except FileNotFoundError:
            prepare(old, new)
            _link(old, new)
    except FileNotFoundError:
        raise old.entries.missing(old.name) from None
    except FileExistsError:
        if not _is_kept(old, new):
            raise EntryExists(f"{new.path} is there already") from None
    new.entries.sync()


def _link(old: Place, new: Place) -> None:
    try:
        os.link(old.path, new.path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        temporary = new.entries.path(new.name, WRITING)
        with new.entries.writing(new.name) as folder:
            remove_dead(folder, new.name, temporary)
            copying.copy_new(old.path, new.path, temporary)


def _is_kept(old: Place, new: Place) -> bool:
    """Return whether what is there already is the same."""
    try:
        if os.path.samestat(os.lstat(old.path), os.lstat(new.path)):
            return True
        return read_bytes(old.path) == read_bytes(new.path)
    except (FileNotFoundError, QFileError):
        return False


def swap(
    here: Entries,
    name: str,
    there: Entries,
    check: Callable[[bytes], None] | None,
    *,
    sync: bool,
) -> None:
    """Let two entries of one name have each other's files; both wait.

    Args:
        here: The folder whose runner may take it meanwhile.
        name: Filebase of both.
        there: The folder of the other.
        check: Is called with what the one here holds, when no runner can take it.
        sync: Wait until that is on the disk.

    Raises:
        NoSuchEntry: One does not wait there, or a runner was faster; so ``check``.
        EntryExists: Somebody else has one in hand, or the place of the spare copy is
            taken.
        OSError: It failed; the one here waits, as it was or as the other.
    """
    here.check_no_flight(name)
    with here.writing(name) as folder:
        if not os.path.lexists(here.path(name, WAITING)):
            here.end_editing(name, WAITING, folder)
        held = here.hold(name)
        try:
            if check is not None:
                check(read_bytes(held))
            _exchange(here, name, there)
        finally:
            here.put_back(name)
    if sync:
        there.sync()
        here.sync()


def _exchange(here: Entries, name: str, there: Entries) -> None:
    held = here.path(name, IN_HAND[WAITING])
    try:
        durable.exchange(held, there.path(name, WAITING))
    except FileNotFoundError:
        raise there.missing(name) from None
    except OSError as error:
        if error.errno not in _NO_EXCHANGE:
            raise
        with there.writing(name) as folder:
            temporary = there.path(name, WRITING)
            remove_dead(folder, name, temporary)
            _swap_copies(here, name, there, temporary)


def _swap_copies(here: Entries, name: str, there: Entries, temporary: str) -> None:
    """Give both the other's content; what is held here is what no runner can take."""
    held, waiting = here.path(name, IN_HAND[WAITING]), there.path(name, WAITING)
    spare = there.path(name, PRESERVED)
    if not os.path.lexists(waiting):
        raise there.missing(name)
    if not _has_spare(held, waiting, spare):
        copying.copy_new(held, spare, temporary)
        try:
            write_over(held, read_bytes(waiting), here.path(name, WRITING))
        except BaseException:
            os.unlink(spare)
            raise
        here.sync()
    os.rename(spare, waiting)


def _has_spare(held: str, waiting: str, spare: str) -> bool:
    """Return whether a swap that was cut off needs nothing but its last step.

    Raises:
        EntryExists: What is in the place of the spare copy is none.
    """
    if not os.path.lexists(spare):
        return False
    mine = read_bytes(held)
    if read_bytes(waiting) == mine:
        return True
    if read_bytes(spare) != mine:
        raise EntryExists(f"{spare} is there already")
    os.unlink(spare)
    return False
