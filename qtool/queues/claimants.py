"""Who holds what of a queue, and notes on claims whose holders are gone."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.errors import ClaimsUnsupported
from qtool.queues import locks
from qtool.queues.claims import SHIFT, Claims, read_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.queues.claims import Holder
    from qtool.queues.slices import Slice

_END = 1 << (160 - SHIFT)
"""Behind the last byte that stands for digests."""
_NOTE = re.compile(r"(.+)\.([0-9a-f]{1,16})-([0-9a-f]{1,16})\.json", re.DOTALL)
_LOOKS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A part of the hash space that somebody holds."""

    lower: int
    """Its first digest."""
    upper: int
    """The one behind its last."""
    holder: Holder


def held(queue: str, directory: Path, state_directory: Path) -> list[Held]:
    """Return which parts of a queue are claimed, and by whom, in order.

    Raises:
        ClaimsUnsupported: The file system has no such locks.
    """
    claims = Claims(queue, str(directory), str(state_directory))
    try:
        descriptor = os.open(claims.path, _LOOKS)
    except OSError:
        return []
    try:
        ranges = sorted(_ranges(descriptor, 0, _END))
    finally:
        os.close(descriptor)
    return [
        Held(
            lower=start << SHIFT,
            upper=end << SHIFT,
            holder=read_facts(f"{claims.path}.{start:x}-{end:x}.json"),
        )
        for start, end in ranges
    ]


def _ranges(descriptor: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what others hold there: the kernel names one range at a time, any."""
    waiting = [(start, end)]
    while waiting:
        start, end = waiting.pop()
        found = locks.held(descriptor, start, end - start) if start < end else None
        if found is not None:
            yield found
            waiting += [(start, found[0]), (found[1], end)]


def gaps(parts: list[Held]) -> list[tuple[int, int]]:
    """Return the digests that nobody holds, as half-open ranges in order."""
    found, lower = [], 0
    for part in parts:
        if part.lower > lower:
            found.append((lower, part.lower))
        lower = max(lower, part.upper)
    if lower < _END << SHIFT:
        found.append((lower, _END << SHIFT))
    return found


def bounds_of(part: Slice) -> tuple[int, int]:
    """Return the digests that a claim on a slice holds, as ``held`` tells them."""
    return part.lower >> SHIFT << SHIFT, part.upper >> SHIFT << SHIFT


# --- Notes on claims


def stale_notes(state_directory: Path) -> list[str]:
    """Return the names of notes on claims that nobody holds any more.

    Whoever takes the same slice next replaces its note, and believes none.
    """
    folder = state_directory / "claims"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [name for name in names if _is_stale(folder, name)]


def forget(state_directory: Path, name: str) -> bool:
    """Remove a note if nobody holds its range, and return whether it was removed.

    The range is locked meanwhile, so that the note can be nobody's.
    """
    folder = state_directory / "claims"
    match = _NOTE.fullmatch(name)
    if match is None or "/" in name:
        return False
    start, end = int(match[2], 16), int(match[3], 16)
    try:
        with _opened(folder / match[1], os.O_RDWR) as descriptor:
            if not locks.take(descriptor, start, end - start):
                return False
            (folder / name).unlink()
    except (FileNotFoundError, ClaimsUnsupported):
        return False
    return True


def _is_stale(folder: Path, name: str) -> bool:
    match = _NOTE.fullmatch(name)
    if match is None:
        return False
    start, end = int(match[2], 16), int(match[3], 16)
    if not start < end <= _END:
        return False
    try:
        with _opened(folder / match[1], os.O_RDONLY) as descriptor:
            return locks.held(descriptor, start, end - start) is None
    except (OSError, ClaimsUnsupported):
        return False


@contextmanager
def _opened(path: Path, how: int) -> Iterator[int]:
    flags = how | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


# --- Everything that is locked


def locked(state_directory: Path) -> list[str]:
    """Return what is held at a spool, in words: claims, and Mailman's master lock.

    Raises:
        PermissionError: This user may not look there.
    """
    places = [state_directory / "mailman-lock"]
    with suppress(FileNotFoundError, NotADirectoryError):
        places += sorted((state_directory / "claims").iterdir())
    found = []
    for path in places:
        if path.name.endswith(".json"):
            continue
        with suppress(FileNotFoundError), _opened(path, os.O_RDONLY) as descriptor:
            try:
                ranges = sorted(_ranges(descriptor, 0, _END))
            except ClaimsUnsupported:
                continue  # nobody can hold any
            for start, end in ranges:
                holder = read_facts(f"{path}.{start:x}-{end:x}.json")
                found.append(f"{path.name}, by {holder}")
    return found
