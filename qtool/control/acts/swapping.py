"""Edits: an entry is changed whose original is kept in the trash, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from qtool.control.acts.plans import mark_of
from qtool.control.places import TRASH
from qtool.errors import NoSuchEntry, QToolError
from qtool.queues.filebase import PRESERVED

if TYPE_CHECKING:
    from qtool.control.acts.records import Moved
    from qtool.queues.switchboard import Switchboard

Change: TypeAlias = "Callable[[Switchboard, str], None]"
"""Is done to an entry, by its place and its filebase."""


def edit(move: Moved, queue: Switchboard, heap: Switchboard, change: Change) -> None:
    """Change an entry whose original is kept in the trash.

    Raises:
        QToolError: It cannot be; the trash has nothing of it.
        OSError: It failed. The trash has its original, unless it is that still.
    """
    _keep(move.filebase, queue, heap)
    try:
        change(queue, move.filebase)
    except BaseException as error:
        if isinstance(error, QToolError | ValueError) or _is_original(move, queue):
            heap.erase(move.filebase)
        raise


def take_back(move: Moved, source: Switchboard, target: Switchboard) -> None:
    """Put the original in the place of what it was changed to, and that into its own.

    Raises:
        NoSuchEntry: It is in its place already, or one of them is not there.
        OSError: It failed; no content is lost.
    """
    filebase = move.filebase
    is_back = source.name.startswith(TRASH)
    queue, heap = (target, source) if is_back else (source, target)
    # A spare copy is there where it was cut off before its last step.
    has_spare = is_back and filebase in heap.get_files(PRESERVED)
    held = target.peek(filebase)
    if mark_of(held) == move.original and not has_spare:
        raise NoSuchEntry(f"{filebase}: the original is in {target.name}")
    was = held if is_back and not has_spare else None
    queue.swap(filebase, heap, was=was, sync=False)


def _keep(filebase: str, queue: Switchboard, heap: Switchboard) -> None:
    try:
        queue.keep(filebase, heap)
    except OSError:
        with suppress(NoSuchEntry):  # only the wait for the disk has failed
            heap.erase(filebase)
        raise


def _is_original(move: Moved, queue: Switchboard) -> bool:
    """Return whether an entry is certain to be as it was."""
    with suppress(QToolError, OSError):
        return mark_of(queue.peek(move.filebase)) == move.original
    return False
