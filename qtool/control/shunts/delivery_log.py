"""What Mailman's logs of deliveries say about messages; each is read once for all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtool.control.shunts.log_files import Budget, files_of, merged, pieces
from qtool.engine.mailman_logs import time_of
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from qtool.control.models import Failure
    from qtool.installation import Configuration

_DAY = 86400.0
_MOST_BYTES = 256 << 20
"""Bytes of the logs that are read at most."""
_LONGEST_LINE = 2000
_MOST_LINES = 1000
"""Lines of a log that are held about one message."""
_TIME_LENGTH = len("Nov 21 18:08:33 2026")

_SMTP = re.compile(
    r" (?:smtp to (\S+) for (\d{1,9}) recips|post to (\S+) from .*?"
    r"(?:, (\d{1,9}) failures)?$)"
)


def deliveries_told(
    configuration: Configuration, failures: Mapping[str, Sequence[Failure]]
) -> dict[str, list[str]]:
    """Return what the logs say of deliveries of messages, a sentence each.

    Looked at is a day before and after each was put aside.

    Args:
        configuration: The site.
        failures: Why messages were put aside, by their Message-ID.

    Returns:
        The sentences, by filebase.
    """
    known = {message_id: each for message_id, each in failures.items() if message_id}
    whens = [failure.when for each in known.values() for failure in each]
    spans = merged((when - _DAY, when + _DAY) for when in whens)
    found: dict[str, list[str]] = {}
    budget = Budget(_MOST_BYTES)
    for path in files_of(configuration.settings.delivery_logs) if known else ():
        lines: dict[str, dict[str, None]] = {message_id: {} for message_id in known}
        try:
            for piece in pieces(path, spans, budget):
                for message_id, held in lines.items():
                    _note_lines(piece, message_id, held)
        except OSError:
            continue  # it is only one witness
        for message_id, each in known.items():
            for failure in each:
                near = [line for line in lines[message_id] if _is_near(line, failure)]
                told = _delivered(near, path, message_id, failure.list_id)
                found.setdefault(failure.filebase, []).extend(told)
    return found


def _note_lines(piece: bytes, message_id: str, held: dict[str, None]) -> None:
    """Add the lines of a piece that name a message to those that are held."""
    text = message_id.encode("utf-8", "replace")
    at = piece.find(text)
    while at >= 0 and len(held) < _MOST_LINES:
        start, end = piece.rfind(b"\n", 0, at) + 1, piece.find(b"\n", at)
        end = end if end >= 0 else len(piece)
        held[piece[start:end][:_LONGEST_LINE].decode("utf-8", "replace")] = None
        at = piece.find(text, end)


def _is_near(line: str, failure: Failure) -> bool:
    when = time_of(line)
    return when is None or abs(when - failure.when) <= _DAY


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
