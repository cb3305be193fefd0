"""A file as ``mailman qfile`` prints it: people know it so, and scripts read it."""

from __future__ import annotations

from contextlib import suppress
from pprint import pformat
from typing import TYPE_CHECKING

from qtool.qfile.wire import message_bytes_of

if TYPE_CHECKING:
    from email.message import Message

    from qtool.qfile.codec import QFile


_MOST_FOLDING = 25_000_000
"""About a second: the standard library takes the square of a header's words for it."""


def printed(held: QFile) -> bytes:
    """Return what ``mailman qfile`` prints of a file.

    Where that fails, for a text form that is not ASCII, it is the bytes as they are;
    where it would take many seconds, the headers are not folded.
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
    with suppress(LookupError, ValueError, TypeError, AttributeError, AssertionError):
        if _folding(held.message) < _MOST_FOLDING:
            return held.message.as_string().encode("utf-8", "surrogateescape")
    # A header or a charset lies; Mailman shows what is no ASCII then so.
    flat = message_bytes_of(held.message).decode("ascii", "replace")
    return flat.encode("utf-8")


def _folding(message: Message) -> int:
    """Return how much it is, in no unit, to fold the headers of a message."""
    work, waiting = 0, [message]
    while waiting:
        part = waiting.pop()
        for _, value in part._headers:  # type: ignore[attr-defined]  # as it is held
            text = str(value)
            pieces = text.count(" ") + text.count("\t") if text.isascii() else len(text)
            work += pieces * pieces
        if isinstance(part._payload, list):  # type: ignore[attr-defined]  # likewise
            waiting += part._payload  # type: ignore[attr-defined]  # likewise
    return work
