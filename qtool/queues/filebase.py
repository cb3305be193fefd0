"""Names of entries: ``<when>+<digest><suffix>``, as GNU Mailman writes them.

The time is a float in epoch seconds, written as ``repr`` does or with zeros at its
end; the digest is a SHA-1 in hex. No other spelling parses, so the order of two
names as text is their order in time wherever both times have as many digits before
the point.
"""

from __future__ import annotations

import math
import os
import re
from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WAITING = ".pck"
"""Suffix of an entry that waits."""
TAKEN = ".bak"
"""Suffix of an entry in flight."""
PRESERVED = ".psv"
"""Suffix of an entry set aside for a person."""
EDITED = ".edit"
"""Suffix of an entry that waited and that an operator's act has in hand."""
PRESERVED_EDITED = ".psv-edit"
"""Suffix of one that was set aside, in such a hand."""
WRITING = ".pck.tmp"
"""Suffix of a file that is still being written."""

ENTRY_SUFFIXES = (WAITING, TAKEN, PRESERVED, EDITED, PRESERVED_EDITED)
BEGUN_SUFFIXES = (WRITING, EDITED, PRESERVED_EDITED)
"""Of what must not outlive the process that began it."""
IN_HAND = {WAITING: EDITED, PRESERVED: PRESERVED_EDITED}
"""Suffix that an entry of each state has while it is in an operator's hand."""

DIGEST_LENGTH = 40
"""Hex digits of a digest."""

TIME = r"(?:0|[1-9][0-9]{0,14})\.[0-9]{1,22}"
"""A time with a point, without a leading zero or an exponent."""
FILEBASE = rf"{TIME}\+[0-9a-f]{{{DIGEST_LENGTH}}}"

_ELEVENTH, _POINT = itemgetter(10), frozenset(".")

_PORTION = 50_000
"""Names that are sorted at once, in some 30 ms."""

_NAME = re.compile(rf"({FILEBASE})(\.pck|\.bak|\.psv|\.edit|\.psv-edit|\.pck\.tmp)")
_FILEBASE = re.compile(FILEBASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """The parts of one entry's name."""

    filebase: str
    """The name without its suffix."""
    when: float
    """The time in it, in epoch seconds."""
    digest: str
    """40 lower-case hex digits."""
    suffix: str
    """``.pck``, ``.bak``, ``.psv``, ``.edit``, ``.psv-edit`` or ``.pck.tmp``."""


def parse(name: str) -> Name | None:
    """Return the parts of an entry's name, or None where the name is foreign."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    filebase, suffix = match.groups()
    return Name(
        filebase=filebase,
        when=when_of(filebase),
        digest=digest_of(filebase),
        suffix=suffix,
    )


def is_filebase(text: str) -> bool:
    """Return whether ``text`` is a filebase; nothing else may become a path."""
    return _FILEBASE.fullmatch(text) is not None


def when_of(filebase: str) -> float:
    """Return the time in a filebase, in epoch seconds."""
    return float(filebase[: -DIGEST_LENGTH - 1])


def digest_of(filebase: str) -> str:
    """Return the digest in a filebase, 40 hex digits."""
    return filebase[-DIGEST_LENGTH:]


def make(when: float, content: bytes, bounds: tuple[int, int] | None = None) -> str:
    """Return a new filebase that no other call returns.

    Random bytes go into the digest, so the same message at the same reading of
    the clock gets another name.

    Args:
        when: Time of the entry, in epoch seconds.
        content: What the entry holds.
        bounds: The digest is not below the first of them, and is below the second.

    Raises:
        ValueError: ``when`` is no time that a name can hold.
    """
    import hashlib  # names are read far more often than made, and it brings OpenSSL

    text = _time(when)
    digest = hashlib.sha1(content, usedforsecurity=False)
    digest.update(text.encode("ascii"))
    digest.update(os.urandom(16))
    if bounds is None:
        return f"{text}+{digest.hexdigest()}"
    lower, upper = bounds
    number = lower + int(digest.hexdigest(), 16) % (upper - lower)
    return f"{text}+{number:0{DIGEST_LENGTH}x}"


def are_usual(names: Iterable[str]) -> bool:
    """Return whether all times have ten digits before the point: 2001 to 2286.

    Such names compare as text.
    """
    return set(map(_ELEVENTH, names)) <= _POINT


def at(filebase: str, when: float) -> str:
    """Return the filebase of the same entry at another time: its digest stays.

    Args:
        filebase: The entry's.
        when: The other time, in epoch seconds.

    Raises:
        ValueError: ``when`` is no time that a name can hold.
    """
    return f"{_time(when)}+{digest_of(filebase)}"


def _time(when: float) -> str:
    """Return a time as a name holds it."""
    text = repr(float(when))
    if not math.isfinite(when) or _FILEBASE.fullmatch(f"{text}+{'0' * 40}") is None:
        raise ValueError(f"no time for a name: {when!r}")
    return text


def in_order(names: list[str], *, usual: bool | None = None) -> list[str]:
    """Return parsed names or filebases sorted by time, then digest.

    A long list is sorted in portions, because one sort keeps every other thread
    waiting.

    Args:
        names: Unsorted.
        usual: What ``are_usual`` said of them; looked at here where it is None.
    """
    if not (are_usual(names) if usual is None else usual):
        return sorted(names, key=lambda name: (name.index("."), name))
    if len(names) <= _PORTION:
        return sorted(names)
    sample = sorted(names[:: _PORTION // 50])
    cuts = sample[25::25]
    portions: list[list[str]] = [[] for _ in range(len(cuts) + 1)]
    for name in names:
        portions[bisect_right(cuts, name)].append(name)
    return [name for portion in portions for name in sorted(portion)]
