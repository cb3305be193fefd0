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
