"""A file as ``mailman qfile`` prints it: people know it so, and scripts read it."""

from __future__ import annotations

from pprint import pformat
from typing import TYPE_CHECKING

from qtool.qfile.wire import message_bytes_of

if TYPE_CHECKING:
    from qtool.qfile.codec import QFile


def printed(held: QFile) -> bytes:
    """Return what ``mailman qfile`` prints of a file.

    Where that fails, for a text form that is not ASCII, it is the bytes as they are.
    """
    return b"%s\n" % b"\n".join(
        [
            b"[----- start pickle -----]",
            b"<----- start object 1 ----->",
            _message(held),
            b"<----- start object 2 ----->",
            pformat(held.msgdata, indent=4).encode("utf-8", "backslashreplace"),
            b"[----- end pickle -----]",
        ]
    )


def _message(held: QFile) -> bytes:
    if isinstance(held._content, str):
        return held._content.encode("utf-8", "surrogateescape")
    try:
        return held.message.as_string().encode("utf-8", "surrogateescape")
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError):
        # A header or a charset lies; Mailman shows what is no ASCII then so.
        flat = message_bytes_of(held.message).decode("ascii", "replace")
        return flat.encode("utf-8")
