"""Moving an entry to another queue, or to another name, as it is or changed.

    X.pck --rename--> Y.pck there
    X.pck --hold, with another content--> X.edit --rename--> Y.pck there
    X.pck --hold--> X.edit --copy--> Y.edit there; X.edit is removed
    Y.edit --put back--> Y.pck there

The last is the way to another file system: no runner there can take the copy while
the original may yet stay. There alone a process that is killed between the copy and
the removal, or a disk from which the copy cannot be removed any more, leaves the
message in two hands, and a sweep lets both wait: it is sent twice rather than never.
Whoever tries that move again, or takes it back, puts back what was held, finds the same
bytes under the same name, and removes what is too much.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from qtool import qfile
from qtool.errors import EntryExists, NoSuchEntry, QFileError
from qtool.qfile.opening import read_bytes
from qtool.queues import copying, durable
from qtool.queues.filebase import IN_HAND, WAITING, WRITING
from qtool.queues.recovery import is_same
from qtool.queues.rewriting import changed, remove_dead

if TYPE_CHECKING:
    from qtool.queues.entries import Entries
    from qtool.queues.rewriting import Change, Group


class Place:
    """Where an entry is, or goes to.

    Raises:
        NoSuchEntry: ``name`` is no filebase.
    """

    __slots__ = ("entries", "name", "path", "suffix")

    def __init__(self, entries: Entries, name: str, suffix: str) -> None:
        self.entries = entries
        self.name = name
        self.suffix = suffix
        self.path = entries.path(name, suffix)
        """Path of its file."""

    def is_same(self, other: Place) -> bool:
        """Return whether both are one name of one folder, however it is reached."""
        if (self.name, self.suffix) != (other.name, other.suffix):
            return False
        try:
            return os.path.samefile(self.entries.directory, other.entries.directory)
        except FileNotFoundError:  # one has no folder yet
            return False


def transfer(
    old: Place,
    new: Place,
    change: Change | None,
    *,
    sync: bool,
    group: Group | None = None,
) -> None:
    """Move an entry, and give it another content where that is asked for.

    Args:
        old: Where it is: it waits, or was set aside.
        new: Where it goes.
        change: Returns the new content for the old one.
        sync: Wait until the names are on the disk.
        group: Where that new content may be already.

    Raises:
        NoSuchEntry: It is not there in that state, or somebody was faster.
        NoSuchQueue: The other folder is missing and may not be made.
        EntryExists: There is one where it goes, or somebody else changes it.
        QFileError: It cannot be read, or ``change`` raised that.
        OSError: It failed; the entry is where it was, or where it goes when only the
            wait for the disk failed, or in its hand here or there.
    """
    if old.suffix == WAITING:
        old.entries.check_no_flight(old.name)
    _end_hands(old, new)
    if change is None:
        _move(old, new)
    else:
        _move_changed(old, new, change, group)
    if sync:
        new.entries.sync()
        if new.entries.directory != old.entries.directory:
            old.entries.sync()


def _end_hands(old: Place, new: Place) -> None:
    """Put back what a copy to another file system that was cut off left in a hand.

    It is that copy's twin: put back after this move, it would be there a second time.

    Raises:
        EntryExists: Somebody is at it where it goes, or may be.
    """
    held = [each.entries.path(each.name, IN_HAND[each.suffix]) for each in (old, new)]
    for each, path in zip((old, new), held, strict=True):
        if os.path.lexists(path) and not os.path.lexists(each.path):
            with each.entries.writing(each.name) as folder:
                each.entries.end_editing(each.name, each.suffix, folder)
    if os.path.lexists(held[1]):
        raise EntryExists(f"{new.name} is in somebody's hand where it goes")


def _move(old: Place, new: Place) -> None:
    source, target = old.path, new.path
    try:
        try:
            durable.rename_new(source, target)
        except FileNotFoundError:
            prepare(old, new)
            durable.rename_new(source, target)
    except FileNotFoundError:
        raise old.entries.missing(old.name) from None
    except FileExistsError:
        _end_twin(old, new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _hold_and_copy(old, new)


def prepare(old: Place, new: Place) -> None:
    """Make what the move lacks: the folder, or the entry, whose editor died."""
    if not os.path.lexists(old.path):
        with old.entries.writing(old.name) as folder:
            if not old.entries.end_editing(old.name, old.suffix, folder):
                raise old.entries.missing(old.name)
    if not os.path.isdir(new.entries.directory):
        new.entries.make_folder()


def _end_twin(old: Place, new: Place, change: Change | None = None) -> None:
    """End a move in two steps that was cut off: one file, or copy, has both names."""
    try:
        one, other = os.lstat(old.path), os.lstat(new.path)
    except FileNotFoundError:
        raise old.entries.missing(old.name) from None
    if os.path.samestat(one, other) and not old.is_same(new):
        os.unlink(old.path)
    elif one.st_dev != other.st_dev:
        _hold_and_copy(old, new, change)
    else:
        raise EntryExists(f"{new.path} is there already")


def _hold_and_copy(old: Place, new: Place, change: Change | None = None) -> None:
    """Hold the entry first: copying is slow, and a runner might take it."""
    with old.entries.writing(old.name):
        held = old.entries.hold(old.name, old.suffix)
        try:
            _copy(held, new, change)
        except BaseException:
            old.entries.put_back(old.name, old.suffix)
            raise


def _copy(held: str, new: Place, change: Change | None = None) -> None:
    """Copy into a hand there, which lets go once the original is removed."""
    hand = new.entries.path(new.name, IN_HAND[new.suffix])
    temporary = new.entries.path(new.name, WRITING)
    with new.entries.writing(new.name) as folder:
        remove_dead(folder, new.name, temporary)
        if os.path.lexists(new.path):
            _drop_twin(held, new, change)
            return
        try:
            copying.copy_new(held, hand, temporary)
        except FileExistsError:
            raise EntryExists(f"somebody is at {new.path} already") from None
        copy = os.lstat(hand)
        try:
            os.unlink(held)
        finally:
            if os.path.lexists(held):  # that stays, so the copy must go
                copying.remove(hand, copy)
            else:
                new.entries.put_back(new.name, new.suffix)


def _drop_twin(held: str, new: Place, change: Change | None) -> None:
    """Remove what is held, where its copy waits already.

    Raises:
        EntryExists: That is another message.
    """
    content, other = read_bytes(held), read_bytes(new.path)
    if content != other and not (change and _is_same(change(content), other)):
        raise EntryExists(f"{new.path} is there already")
    new.entries.sync()
    os.unlink(held)


def _is_same(content: bytes, other: bytes) -> bool:
    """Return whether two contents are those of one message, maybe written anew."""
    try:
        return is_same(*(qfile.decode(each, strict=False) for each in (content, other)))
    except QFileError:
        return False


def _move_changed(old: Place, new: Place, change: Change, group: Group | None) -> None:
    stays = old.is_same(new) if os.path.lexists(new.path) else False
    if os.path.lexists(new.path) and not stays:
        _end_twin(old, new, change)
        with suppress(NoSuchEntry), changed(new.entries, new.name, new.suffix, change):
            new.entries.put_back(new.name, new.suffix)
        return
    with changed(old.entries, old.name, old.suffix, change, group) as held:
        if stays:
            old.entries.put_back(old.name, old.suffix)
            return
        if not os.path.isdir(new.entries.directory):
            new.entries.make_folder()
        try:
            durable.rename_new(held, new.path)
        except FileExistsError:
            raise EntryExists(f"{new.path} is there already") from None
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(held, new)
