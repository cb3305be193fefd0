"""The content of an entry with other metadata, or another message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from qtool import qfile
from qtool.errors import NoSuchEntry, QFileError
from qtool.msgdata import volatile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message

    from qtool.qfile import QFile

Msgdata: TypeAlias = "Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]"
"""Other metadata, or what makes them of those that are there."""

_FORM_KEYS = ("version", "_parsemsg")
"""What tells how the message is written: it belongs to the file."""


_UNWRITTEN = "Mailman 2"
"""What the form of an entry begins with whose reader, Python 2, knows no protocol of
pickles that qtool writes."""


def changed(
    content: bytes,
    *,
    path: str,
    msgdata: Msgdata,
    message: Message | bytes | None,
    was: QFile | None,
    text_form: bool,
    allowed: frozenset[str],
) -> bytes:
    """Return the content of an entry with other metadata, or another message.

    Volatile keys are left out.

    Args:
        content: What the file holds.
        path: The file, for the error.
        msgdata: The metadata, or what makes them of those that are there.
        message: The message; the bytes of the one that there is stay without it.
        was: What somebody saw and means to change; anything, without it.
        text_form: Write it in the text form, as a queue of Mailman needs. So it is
            in any case, unless what there is has the object form of our own.
        allowed: Full names of classes that ``Opaque`` values in it may have.

    Raises:
        NoSuchEntry: It is not what somebody saw.
        QFileError: It cannot be read, or ``msgdata`` cannot be kept, or Mailman 2
            could not read it any more.
    """
    held = qfile.decode(content, strict=False, path=path, allowed=allowed)
    _check(held, was, path)
    if callable(msgdata):
        msgdata = msgdata(dict(held.msgdata))
    if message is not None:
        as_text = text_form or not held.is_own_object
        return qfile.encode(message, msgdata, text_form=as_text, allowed=allowed)
    kept = {key: value for key, value in msgdata.items() if not volatile(key)}
    form = {key: held.msgdata[key] for key in _FORM_KEYS if key in held.msgdata}
    return held.message_bytes + qfile.encode_msgdata({**kept, **form}, allowed)


def check_same(
    content: bytes, was: QFile, *, path: str, allowed: frozenset[str]
) -> None:
    """Find out whether an entry is still what somebody saw.

    Raises:
        NoSuchEntry: It is not.
        QFileError: It cannot be read.
    """
    held = qfile.decode(content, strict=False, path=path, allowed=allowed)
    _check_same(held, was, path)


def _check(held: QFile, was: QFile | None, path: str) -> None:
    if was is not None:
        _check_same(held, was, path)
    if held.form.startswith(_UNWRITTEN):
        raise QFileError("Mailman 2 could not read what qtool writes")


def _check_same(held: QFile, was: QFile, path: str) -> None:
    if _halves(held) != _halves(was):
        raise NoSuchEntry(f"{path} is another since it was looked at")


def _halves(held: QFile) -> tuple[bytes, bytes]:
    return held.message_bytes, held.msgdata_bytes
