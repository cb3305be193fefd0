"""What a traceback says in a line: the exception, and where it was raised."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BEGINS = "Traceback (most recent call last)"

_FRAME = re.compile(r'[\s|]*File "([^"]{1,1000})", line (\d{1,9})(?:, in (.{1,200}))?')
_RAISED = re.compile(r"([A-Za-z_][\w.]{0,200})(?:: (.*))?")
_LIBRARY = re.compile(
    r".*/(?:site-packages|dist-packages|lib(?:64)?/python\d(?:\.\d+)?)/"
)
_OURS = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120 - as text
_NOBODYS = ("<", "/Mailman/", "/pythonlib/", f"{_OURS}/")
_LONGEST_FRAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The end of a traceback."""

    exception: str = ""
    """Name of the exception's class, without its module; empty where none is told."""
    message: str = ""
    """First line of its text."""
    frame: str = ""
    """Where it was raised: ``file:line function``."""
    own_frame: str = ""
    """The innermost frame in the site's own code; empty where that cannot be told."""


def exception_of(line: str) -> tuple[str, str]:
    """Return the class and the text in ``Class: text``; no class where none is."""
    found = _RAISED.fullmatch(line.strip())
    if found is None:
        return "", line.strip()
    return found[1].rpartition(".")[2], (found[2] or "").strip()


def raised(text: str, own: Sequence[Path] = ()) -> Raised:
    """Return what the last traceback in a text ends with.

    Args:
        text: May hold several, as chained exceptions do.
        own: Folders of the site's own modules.
    """
    # Of a long one only the end is kept, without its beginning.
    lines = text[max(0, text.rfind(BEGINS)) :].splitlines()
    places = [(number, _FRAME.match(line)) for number, line in enumerate(lines)]
    frames = [found for _, found in places if found is not None]
    last = max((number for number, found in places if found is not None), default=0)
    ends = (line for line in lines[last + 1 :] if line[:1] not in {" ", "\t", "|", ""})
    exception, message = exception_of(next(ends, ""))
    owned = [frame for frame in frames if _is_own(frame[1], own)]
    return Raised(
        exception=exception,
        message=message,
        frame=_told(frames[-1]) if frames else "",
        own_frame=_told(owned[-1]) if owned else "",
    )


def _is_own(path: str, own: Sequence[Path]) -> bool:
    if any(path.startswith(f"{folder}/") for folder in own):
        return True
    return _LIBRARY.match(path) is None and not any(
        path.startswith(part) or (part.startswith("/") and part in path)
        for part in _NOBODYS
    )


def _told(frame: re.Match[str]) -> str:
    path = _LIBRARY.sub("", frame[1])
    place = f"{path}:{frame[2]}"
    return (f"{place} {frame[3]}" if frame[3] else place)[-_LONGEST_FRAME:]
