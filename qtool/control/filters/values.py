"""The values of terms: durations, sizes, whole numbers."""

from __future__ import annotations

import re

from qtool.settings.ini import duration_seconds
from qtool.untrusted import visible

_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([kmg]?)b?", re.ASCII | re.I)
_UNIT_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class WrongValue(ValueError):
    """A value that a key cannot be asked for: what was expected, and where."""

    def __init__(self, expected: str, position: int = 0) -> None:
        super().__init__(expected)
        self.position = position
        """Where in the value, from 0."""


def seconds(text: str) -> float:
    """Return the seconds of a duration.

    Raises:
        WrongValue: It is none.
    """
    read = duration_seconds(text)
    if read is None:
        raise WrongValue(f"a duration such as 15m, 1h30m or 3d, not {shown(text)}")
    return read


def size_bytes(text: str) -> int:
    """Return the bytes of a size; k, M and G are powers of 1024, as they are shown.

    Raises:
        WrongValue: It is none.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise WrongValue(f"a size such as 500, 30k or 2M, not {shown(text)}")
    return int(float(match[1]) * _UNIT_BYTES[match[2].lower()])


def whole(text: str) -> int:
    """Return a whole number.

    Raises:
        WrongValue: It is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise WrongValue(f"a whole number, not {shown(text)}")
    return int(text)


def shown(text: str) -> str:
    """Return what was written, in quotes, to be named in an error."""
    return f"'{visible(text, 40)}'"
