"""The content of an entry with other metadata, or another message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtool import qfile
from qtool.msgdata import volatile

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORM_KEYS = ("version", "_parsemsg")
"""What tells how the message is written: it belongs to the file."""


def with_msgdata(
    content: bytes,
    msgdata: Mapping[str, Any],
    *,
    path: str,
    allowed: frozenset[str],
) -> bytes:
    """Return the content of an entry with other metadata.

    The bytes of its message stay. Volatile keys are left out.

    Args:
        content: What the file holds.
        msgdata: The other metadata.
        path: The file, for the error.
        allowed: Full names of classes that ``Opaque`` values in it may have.

    Raises:
        QFileError: It cannot be read, or ``msgdata`` cannot be kept.
    """
    held = qfile.decode(content, strict=False, path=path, allowed=allowed)
    kept = {key: value for key, value in msgdata.items() if not volatile(key)}
    form = {key: held.msgdata[key] for key in _FORM_KEYS if key in held.msgdata}
    return held.message_bytes + qfile.encode_msgdata({**kept, **form}, allowed)
