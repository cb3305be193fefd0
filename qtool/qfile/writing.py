"""Message and metadata as the bytes of a qfile.

What is written is read back before anybody relies on it, unless it is so plain
that the guard cannot object.
"""

from __future__ import annotations

import contextlib
from _pickle import PickleError, dumps
from email.message import Message
from email.policy import compat32
from typing import TYPE_CHECKING, Any

from qtool.errors import QFileError, UnsafeQFile
from qtool.msgdata import VERSION, volatile
from qtool.qfile.codec import check_message, check_msgdata
from qtool.qfile.opening import MAX_SIZE
from qtool.qfile.plain import is_plain
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

PROTOCOL = 4
"""Every Python 3 that a Mailman 3 ever ran on reads it."""

_PLAIN = frozenset((str, float, bool, type(None)))
_PLAIN_ITEMS, _PLAIN_BITS, _PLAIN_KEY = 1000, 64, 200
# With more values, in a larger number or in a longer key the guard is asked.

_PICKLING_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    PickleError,
    RuntimeError,
    TypeError,
    ValueError,
)


def encode(
    message: Message | bytes,
    msgdata: Mapping[str, Any],
    *,
    text_form: bool,
    allowed: Container[str] = frozenset(),
) -> bytes:
    """Return a whole qfile, as a queue keeps it.

    A message in the bytes of the wire keeps each of them where it is written as text.
    Volatile keys are left out, ``version`` is set, and ``_parsemsg`` tells
    whether the message was written as text: because it was asked for, or because
    it holds something that the object form of a qfile does not allow.

    Raises:
        UnsafeQFile: The metadata holds what no queue can keep, or it is too large.
    """
    pickled, as_text = pickled_message(message, text_form=text_form)
    kept = {key: value for key, value in msgdata.items() if not volatile(key)}
    kept["version"] = VERSION
    kept["_parsemsg"] = as_text
    whole = pickled + encode_msgdata(kept, allowed)
    if len(whole) > MAX_SIZE:
        raise UnsafeQFile("it is larger than any queue entry")
    return whole


def encode_message(message: Message | bytes, text_form: bool) -> bytes:
    """Return the first half of a qfile."""
    return pickled_message(message, text_form=text_form)[0]


def pickled_message(message: Message | bytes, *, text_form: bool) -> tuple[bytes, bool]:
    """Return the first half of a qfile, and whether it is the text form."""
    if not text_form:
        pickled = _object_form(_parsed(message))
        if pickled is not None:
            return pickled, False
    return dumps(_flat(message).decode("ascii", "surrogateescape"), PROTOCOL), True


# What these import, no reading of a file needs.


def _parsed(message: Message | bytes) -> Message:
    if not isinstance(message, bytes):
        return message
    from qtool.qfile.parse import message_from_bytes

    return message_from_bytes(message)


def _flat(message: Message | bytes) -> bytes:
    if isinstance(message, bytes):
        return message
    from qtool.qfile.wire import message_bytes_of

    return message_bytes_of(message)


# --- The object form ---------------------------------------------------------


def _object_form(message: Message) -> bytes | None:
    """Return a pickle of the message; None if it could not be read again."""
    try:
        if _is_plain(message):
            return dumps(message, PROTOCOL)
        pickled = dumps(_standard(message), PROTOCOL)
        check_message(pickled)
    except (*_PICKLING_FAILURES, QFileError):
        return None
    return pickled


def _is_plain(message: Message) -> bool:
    held = message.__dict__
    return (
        type(message) is Message
        and is_plain(held)
        and held["policy"] is compat32
        and held.get("original_size", 0).bit_length() <= _PLAIN_BITS
    )


def _standard(message: Message) -> Message:
    """Return the same message, and its parts, in the standard library's class."""
    copy = Message.__new__(Message)
    copy.__dict__.update(message.__dict__)
    payload = copy.__dict__.get("_payload")
    if isinstance(payload, list):
        copy.__dict__["_payload"] = [
            _standard(part) if isinstance(part, Message) else part for part in payload
        ]
    return copy


# --- Metadata ----------------------------------------------------------------


def encode_msgdata(
    msgdata: Mapping[str, Any], allowed: Container[str] = frozenset()
) -> bytes:
    """Return the second half of a qfile, with every key that is given.

    Args:
        msgdata: The metadata.
        allowed: Full names of classes that ``Opaque`` values in it may have.

    Raises:
        UnsafeQFile: It holds what no queue can keep.
    """
    kept = dict(msgdata)
    if len(kept) < _PLAIN_ITEMS and all(
        _is_plain_key(key) and (type(value) in _PLAIN or _is_plain_value(value))
        for key, value in kept.items()
    ):
        return dumps(kept, PROTOCOL)
    for pickled in _attempts(kept):
        try:
            check_msgdata(pickled, allowed)
        except QFileError:
            continue
        return pickled
    raise UnsafeQFile(_unfit(kept, allowed))


def _is_plain_key(key: Any) -> bool:
    return type(key) is str and len(key) <= _PLAIN_KEY


def _is_plain_value(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        return bool(value.bit_length() <= _PLAIN_BITS)
    if kind in (list, set, tuple):
        return len(value) < _PLAIN_ITEMS and all(map(_is_plain_key, value))
    moment = kind.__module__ == "datetime" and kind.__name__ == "datetime"
    return moment and value.tzinfo is None


def _attempts(msgdata: dict[str, Any]) -> Iterator[bytes]:
    """Yield pickles of the metadata, the usual one first."""
    from qtool.qfile.opaques import dumps_with_opaques

    with contextlib.suppress(*_PICKLING_FAILURES):
        yield dumps(msgdata, PROTOCOL)
    with contextlib.suppress(*_PICKLING_FAILURES):
        yield dumps_with_opaques(msgdata, PROTOCOL)


def _unfit(msgdata: dict[str, Any], allowed: Container[str]) -> str:
    """Return which key it is that no queue can keep."""
    for key, value in msgdata.items():
        if type(key) is not str:
            return f"a metadata key is no text: {visible(repr(key), 60)}"
        if len(msgdata) > 1:
            try:
                encode_msgdata({key: value}, allowed)
            except UnsafeQFile:
                return (
                    f"metadata key {visible(repr(key), 60)} holds a"
                    f" {type(value).__name__} that no queue can keep"
                )
    return "the metadata holds what no queue can keep"
