"""What a message of the object form loses when it is written as text."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.qfile.codec import QFile

_IN_TEXT = frozenset(Message().__dict__)
"""Attributes that are read from the text again, but for ``_unixfrom``."""
_MADE_ANEW = frozenset({"original_size", "__version__"})
"""GNU Mailman sets them itself when it reads a text."""


def dropped_by_text_form(qfile: QFile) -> tuple[str, ...]:
    """Return the instance attributes of a message, or its parts, that no text keeps.

    Sorted by name; empty where the message is text already.

    Raises:
        QFileError: There is no message to be made of it.
    """
    if qfile.msgdata.get("_parsemsg"):
        return ()
    dropped: set[str] = set()
    for part in _parts(qfile.message):
        held = part.__dict__
        dropped.update(held.keys() - _IN_TEXT - _MADE_ANEW)
        if held["_unixfrom"] is not None:
            dropped.add("_unixfrom")
    return tuple(sorted(dropped))


def _parts(message: Message) -> Iterator[Message]:
    waiting = [message]
    while waiting:
        part = waiting.pop()
        yield part
        payload = part._payload  # type: ignore[attr-defined]  # as it is held
        if isinstance(payload, list):
            waiting.extend(inner for inner in payload if isinstance(inner, Message))
