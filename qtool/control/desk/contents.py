"""A whole entry as bytes: its message, or both halves as Mailman prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.errors import NoSuchEntry, Refused
from qtool.qfile import message_bytes_of
from qtool.qfile.printing import printed
from qtool.queues.filebase import is_filebase
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.queues.switchboard import Switchboard


def content_of(queue: Switchboard, filebase: str, form: str) -> bytes:
    """Return what an entry holds in one of two forms.

    Args:
        queue: Where it is.
        filebase: The entry.
        form: ``raw``: the message as it is on the wire; ``qfile``: what
            ``mailman qfile`` prints.
    """
    if form not in ("raw", "qfile"):
        raise Refused(f"expected the form raw or qfile, not {visible(form, 40)!r}")
    if not is_filebase(filebase):
        raise NoSuchEntry(f"{visible(filebase, 100)}: that is no name of an entry")
    held = queue.peek(filebase)
    return message_bytes_of(held.message) if form == "raw" else printed(held)
