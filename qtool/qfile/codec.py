"""Bytes of a qfile to message and metadata, and back."""

from __future__ import annotations

from qtool.errors import CorruptQFile, ForeignQFile, QFileError, UnreadableQFile
from qtool.qfile.collecting import collecting_later
from qtool.qfile.guard import Pickle, scan
from qtool.qfile.inert import Inert, Role
from qtool.qfile.older import older_pair
from qtool.qfile.opening import read_bytes
from qtool.qfile.outline import Outline
from qtool.qfile.outliner import Outliner
from qtool.qfile.unpickle import load
from qtool.qfile.usual_message import usual_message
from qtool.qfile.usual_msgdata import usual_msgdata
from qtool.qfile.values import Values, is_leaf

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Collection, Container
    from email.message import Message
    from pathlib import Path
    from typing import Any

    from qtool.qfile.usual_message import UsualMessage

    Content = str | dict[str, Any] | Outline
    """A message as text, as the fields of a usual one, or as an outline."""


class QFile:
    """What one file of a queue holds. It does not change."""

    __slots__ = (
        "_content", "_data", "_message", "_message_class", "_parts", "form", "msgdata",
        "opaque",
    )  # fmt: skip

    def __init__(
        self,
        *,
        data: bytes,
        parts: tuple[Pickle, Pickle],
        content: Content,
        message_class: type[Message] | None,
        msgdata: dict[str, Any],
        form: str,
        opaque: tuple[str, ...],
    ) -> None:
        self._data = data
        self._parts = parts
        self._content = content
        self._message_class = message_class
        self._message: Message | None = None
        self.msgdata = msgdata
        self.form = form
        """Who wrote it and how, in words: ``Mailman 3, text form``."""
        self.opaque = opaque
        """Full names of the classes in it that no mail queue needs."""

    @property
    def message_bytes(self) -> bytes:
        """The pickle of the message, as it is on disk."""
        return self._data[: self._parts[0].end]

    @property
    def msgdata_bytes(self) -> bytes:
        """The pickle of the metadata, as it is on disk."""
        return self._data[self._parts[0].end : self._parts[1].end]

    def heads(self, names: Collection[str], limit: int = 1000) -> dict[str, str]:
        """Return the first header of each name, without making the message.

        Args:
            names: Which headers, in lower case.
            limit: How many characters of a value, at most.
        """
        from qtool.qfile.heads import first_heads  # who processes needs none

        return first_heads(self._content, names, limit)

    @property
    def is_own_object(self) -> bool:
        """Whether the message is an object of a class that we write."""
        return self.form == _object_form(mailmans=False)

    @property
    def message(self) -> Message:
        """The message, made when it is first asked for.

        Raises:
            QFileError: It cannot be made; a strict reading has tried before.
        """
        if self._message is None:
            # The email package is dear to import, and many want metadata only.
            from qtool.qfile.construct import construct

            with collecting_later(len(self._data)):
                self._message = construct(self._content, self._message_class)
        return self._message


def decode(
    data: bytes,
    *,
    strict: bool,
    path: Path | str | None = None,
    message_class: type[Message] | None = None,
    allowed: Container[str] = frozenset(),
) -> QFile:
    """Return what the bytes of a qfile hold.

    Args:
        data: The whole file.
        strict: Whether anything that mail queues do not need is an error, as it
            must be for processing; else it becomes an ``Opaque`` value.
        path: Where it came from, for the error.
        message_class: The class in which the message is rebuilt; the standard
            library's by default.
        allowed: Full names of classes to keep as ``Opaque`` values when strict.

    Raises:
        QFileError: It cannot be read.
    """
    try:
        with collecting_later(len(data)):
            qfile = _decode(data, strict, message_class, allowed)
        if strict:
            _ = qfile.message
    except QFileError as error:
        raise type(error)(error.reason, path=error.path or path) from error
    except MemoryError as error:  # the guard lets no file ask for much
        raise UnreadableQFile("there is too little memory", path=path) from error
    return qfile


def _decode(
    data: bytes,
    strict: bool,
    message_class: type[Message] | None,
    allowed: Container[str],
) -> QFile:
    if not data:
        raise CorruptQFile("it is empty")
    if data[0] not in _BEGINNINGS:
        raise ForeignQFile("it does not begin as a qfile does")
    reading = _Reading(strict, allowed)
    usual = usual_message(data)
    first = scan(data, 0) if usual is None else usual.part
    if first.end == len(data):
        raise CorruptQFile("its second half, the metadata, is missing")
    second, msgdata = usual_msgdata(data, first.end) or reading.msgdata(data, first.end)
    as_text = msgdata.get("_parsemsg")
    if usual is None:
        content = reading.message(data, first, as_text)
    else:
        content = reading.usual(usual, as_text)
    return QFile(
        data=data,
        parts=(first, second),
        content=content,
        message_class=message_class,
        msgdata=msgdata,
        form=reading.form,
        opaque=tuple(reading.unknown),
    )


class _Reading:
    """One reading of one file, behind the guard."""

    __slots__ = ("_allowed", "_strict", "form", "unknown")

    def __init__(self, strict: bool, allowed: Container[str]) -> None:
        self._strict = strict
        self._allowed = allowed
        self.unknown: list[str] = []
        self.form = ""

    def _load(self, part: Pickle, data: bytes) -> Any:
        return load(
            data[part.start : part.end],
            strict=self._strict,
            allowed=self._allowed,
            unknown=self.unknown,
        )

    def _values(self, part: Pickle) -> Values:
        return Values(
            part.end - part.start,
            byte_strings=part.protocol < 3,
            strict=self._strict,
        )

    def msgdata(self, data: bytes, start: int) -> tuple[Pickle, dict[str, Any]]:
        """Return the metadata, which begins there, and what the guard knows of it."""
        part = scan(data, start)
        msgdata = self._load(part, data)
        if type(msgdata) is dict and is_leaf(msgdata, dict):
            return part, msgdata
        msgdata = self._values(part).plain(msgdata)
        if type(msgdata) is not dict:
            raise CorruptQFile("its metadata is no dictionary")
        if not all(type(key) is str for key in msgdata):
            raise CorruptQFile("its metadata has a key that is no text")
        return part, msgdata

    def usual(self, message: UsualMessage, as_text: Any) -> Content:
        """Return what there is of a message that was read by its grammar."""
        if as_text:
            raise CorruptQFile(_NO_TEXT)
        self.form = _object_form(mailmans=message.is_mailmans)
        return message.fields

    def message(self, data: bytes, part: Pickle, as_text: Any) -> Content:
        """Return what there is of the message, which the guard has let pass."""
        held = self._load(part, data)
        self.form = _form(held, part.protocol)
        if isinstance(held, str) or (isinstance(held, bytes) and part.protocol < 3):
            if not as_text:
                raise CorruptQFile("its message is text and its metadata denies that")
            return _text(held)
        if as_text:
            raise CorruptQFile(_NO_TEXT)
        return Outliner(self._values(part), strict=self._strict).outline(held)


def check_message(pickle: bytes) -> None:
    """Read the first half of a file strictly, and raise what a reader would."""
    _Reading(True, frozenset()).message(pickle, scan(pickle, 0), False)


def check_msgdata(pickle: bytes, allowed: Container[str]) -> None:
    """Read the second half of a file strictly, and raise what a reader would."""
    _Reading(True, allowed).msgdata(pickle, 0)


_BEGINNINGS = b"\x80(ciSVUTX"
# PROTO, or what protocols 0 and 1 begin an instance or a text with.
_NO_TEXT = "its message should be text and is not"


def _text(held: str | bytes) -> str:
    return held if isinstance(held, str) else held.decode("ascii", "surrogateescape")


def _form(held: object, protocol: int) -> str:
    if isinstance(held, str):
        return "Mailman 3, text form"
    if isinstance(held, bytes):
        return "Mailman 2, text form"
    if not isinstance(held, Inert) or held.role is not Role.MESSAGE:
        return "unknown form"
    if protocol < 3:
        return "Mailman 2, object form"
    return _object_form(mailmans=held.name.startswith("mailman."))


def _object_form(*, mailmans: bool) -> str:
    return f"{'Mailman 3' if mailmans else 'qtool'}, object form"


def read(
    path: Path,
    *,
    message_class: type[Message] | None = None,
    allowed: Container[str] = frozenset(),
) -> QFile:
    """Read a qfile for processing: anything a mail queue does not need is refused.

    Raises:
        QFileError: It cannot be read; the error names the file and the reason.
    """
    return _whole(path, strict=True, message_class=message_class, allowed=allowed)


def look(path: Path | str, *, allowed: Container[str] = frozenset()) -> QFile:
    """Read a qfile for people: what is not known is kept as ``Opaque`` values.

    Raises:
        QFileError: It cannot be read; the error names the file and the reason.
    """
    return _whole(path, strict=False, allowed=allowed)


def _whole(path: Path | str, **options: Any) -> QFile:
    try:
        return decode(read_bytes(path), path=path, **options)
    except QFileError as error:
        # Neither half of a pair is a whole qfile, so nobody else is asked for one.
        reason = older_pair(path)
        if not reason:
            raise
        raise ForeignQFile(reason, path=path) from error
