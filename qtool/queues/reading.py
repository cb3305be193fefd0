"""Reading entries: to process them, or to show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool import qfile
from qtool.errors import UnreadableQFile
from qtool.qfile.opening import read_bytes
from qtool.queues.entries import machine_fault
from qtool.queues.filebase import ENTRY_SUFFIXES, WAITING

if TYPE_CHECKING:
    from email.message import Message

    from qtool.qfile import QFile
    from qtool.queues.entries import Entries


def take(
    entries: Entries,
    name: str,
    message_class: type[Message] | None,
    allowed: frozenset[str],
) -> QFile:
    """Take an entry and return what it holds; see ``Switchboard.dequeue``."""
    taken = entries.take(name)
    try:
        return qfile.decode(
            read_bytes(taken),
            strict=True,
            path=taken,
            message_class=message_class,
            allowed=allowed,
        )
    except UnreadableQFile as error:
        fault = machine_fault(error)
        if fault is None:
            raise
        entries.release(name)
        raise fault from error


def look(entries: Entries, name: str, allowed: frozenset[str]) -> QFile:
    """Return what an entry holds, in whatever state it is."""
    for suffix in (*ENTRY_SUFFIXES, WAITING):  # it may move while we look
        try:
            return qfile.look(entries.path(name, suffix), allowed=allowed)
        except UnreadableQFile as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
    raise entries.missing(name)
