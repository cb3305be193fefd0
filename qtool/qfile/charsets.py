"""Character sets as messages name them: some are unknown, some are traps."""

from __future__ import annotations

import codecs
import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,39}", re.ASCII)

_TRAPS = frozenset(
    (
        "idna",
        "mbcs",
        "oem",
        "palmos",
        "punycode",  # takes the square of its input's length
        "raw-unicode-escape",
        "undefined",
        "unicode-escape",
    )
)


_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def carriable(text: str) -> str:
    """Return text as the ``email`` package can hold it.

    Escapes stand for bytes there, and only where all else is ASCII. What a
    pickle may hold besides is written in UTF-8 and escaped.
    """
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        pass
    else:
        return text  # no escapes
    try:
        text.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        raw = _NO_BYTE.sub("\ufffd", text).encode("utf-8", "surrogateescape")
        return raw.decode("ascii", "surrogateescape")
    return text  # bytes alone


def decoded(content: bytes, charset: str | None) -> str | None:
    """Return the text of ``content``; None where that character set cannot tell."""
    name = charset or "us-ascii"
    if _NAME.fullmatch(name) is None:
        return None
    try:
        codec = codecs.lookup(name).name
        if codec.replace("_", "-") in _TRAPS:
            return None
        return content.decode(name)
    except (LookupError, ValueError):
        return None
