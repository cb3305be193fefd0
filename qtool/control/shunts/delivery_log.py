"""What Mailman's log of deliveries says about one message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtool.control.shunts.log_files import Budget, files_of, pieces
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from qtool.control.models import Failure
    from qtool.installation import Configuration

_DAY = 86400.0
_MOST_BYTES = 64 << 20
"""Bytes of the logs that are read at most."""
_LONGEST_LINE = 2000
_TIME_LENGTH = len("Nov 21 18:08:33 2026")

_SMTP = re.compile(
    r" (?:smtp to (\S+) for (\d{1,9}) recips|post to (\S+) from .*?"
    r"(?:, (\d{1,9}) failures)?$)"
)


def deliveries_told(
    configuration: Configuration, failure: Failure, message_id: str
) -> list[str]:
    """Return what the logs say of deliveries of that message, a sentence each.

    Looked at is a day before and after it was put aside.
    """
    found: list[str] = []
    budget = Budget(_MOST_BYTES)
    span = failure.when - _DAY, failure.when + _DAY
    for path in files_of(configuration.settings.delivery_logs) if message_id else ():
        lines: dict[str, None] = {}
        try:
            for piece in pieces(path, *span, budget):
                lines.update(_lines_with(piece, message_id.encode("utf-8", "replace")))
        except OSError:
            continue  # it is only one witness
        found += _delivered(list(lines), path, message_id, failure.list_id)
    return found


def _lines_with(piece: bytes, text: bytes) -> dict[str, None]:
    found: dict[str, None] = {}
    at = piece.find(text)
    while at >= 0:
        start, end = piece.rfind(b"\n", 0, at) + 1, piece.find(b"\n", at)
        end = end if end >= 0 else len(piece)
        found[piece[start:end][:_LONGEST_LINE].decode("utf-8", "replace")] = None
        at = piece.find(text, end)
    return found


def _delivered(
    lines: Sequence[str], path: Path, message_id: str, list_id: str
) -> list[str]:
    """Return one sentence for each delivery that somebody got."""
    told, count = [], 0
    for line in lines:
        match = _SMTP.match(line, line.find(message_id) + len(message_id))
        if match is None:
            continue
        name = (match[1] or match[3]).replace("@", ".")
        if list_id and name.casefold() != list_id.replace("@", ".").casefold():
            continue
        if match[2]:
            count = int(match[2])
            continue
        got = count - int(match[4] or 0)
        if got > 0:
            told.append(_sentence(path, got, line))
    return told


def _sentence(path: Path, got: int, line: str) -> str:
    when = visible(line[:_TIME_LENGTH])
    return f"{path.name} says that {got} recipients got it: {when}"
