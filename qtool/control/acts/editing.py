"""Edits of one waiting entry: checked before, kept beside, and lost to a runner.

The original gets a second name in the trash before anything is written, so that an
undo is an exchange of two files. Types stay what they were: a slip of the pen must
not be what a runner falls over.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtool.errors import Refused
from qtool.msgdata import volatile
from qtool.qfile.body import headers_of
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from email.message import Message

    from qtool.qfile import QFile

_NAME = re.compile(r"[!-9;-~]{1,200}")
_BROKEN = re.compile(r"\r(?!\n[ \t])|(?<!\r)\n(?![ \t])|\n(?![ \t])|\0")
"""What would end a header, or begin another."""
_QUEUE_KEY = "whichq"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an entry is to hold: None is what it holds now."""

    msgdata: Mapping[str, Any] | None
    headers: Headers | None


def check(edit: Edit, held: QFile, queues: Collection[str]) -> None:
    """Find out whether an edit may be written.

    Raises:
        Refused: It would change the type of a value, name a queue that there is not,
            or break a header.
    """
    if edit.msgdata is None and edit.headers is None:
        raise Refused("nothing is to be changed")
    if edit.msgdata is not None:
        _check_msgdata(edit.msgdata, held.msgdata, queues)
    for name, value in edit.headers or ():
        if not _NAME.fullmatch(name):
            raise Refused(f"{visible(name, 80)!r} is no name of a header")
        if _BROKEN.search(value):
            raise Refused(f"{name}: a line break is followed by a blank, or is none")


def _check_msgdata(
    msgdata: Mapping[str, Any], before: Mapping[str, Any], queues: Collection[str]
) -> None:
    for key, value in msgdata.items():
        if volatile(key) and value != before.get(key):
            raise Refused(f"{visible(key, 80)}: a runner sets this, for one pass")
        old = before.get(key)
        if old is None or value is None or _kind(old) == _kind(value):
            continue
        raise Refused(
            f"{visible(key, 80)} is {_kind(old)}, and would become {_kind(value)}"
        )
    named = msgdata.get(_QUEUE_KEY)
    if isinstance(named, str) and named not in {before.get(_QUEUE_KEY), *queues}:
        raise Refused(f"{_QUEUE_KEY}: there is no queue {visible(named, 80)!r}")


def _kind(value: object) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def with_headers(message: Message, headers: Sequence[tuple[str, str]]) -> Message:
    """Return a message with other headers; those that are shown alike stay as they are.

    Args:
        message: The original, which is left alone.
        headers: Names and values as ``EntryView`` shows them.
    """
    held: list[tuple[str, Any]] = message._headers  # type: ignore[attr-defined]
    originals: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    for shown, original in zip(headers_of(message), held, strict=False):
        originals.setdefault(shown, []).append(original)
    used: Counter[tuple[str, str]] = Counter()
    made: list[tuple[str, Any]] = []
    for pair in headers:
        found = originals.get(pair, [])[used[pair] : used[pair] + 1]
        used[pair] += 1
        made.append(found[0] if found else (pair[0], _encoded(*pair)))
    changed = copy.copy(message)
    changed._headers = made  # type: ignore[attr-defined]
    return changed


def _encoded(name: str, value: str) -> str:
    """Return a new value as it goes over the wire: RFC 2047 where it is not ASCII."""
    if value.isascii():
        return value
    from email.header import Header

    return Header(value, "utf-8", header_name=name).encode()
