"""Entries with chosen times and places, for spools that nobody will miss."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from qtool.msgdata import VERSION
from qtool.qfile import encode
from qtool.queues.filebase import WAITING
from qtool.queues.slices import SPACE

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from qtool.demo.content import Letter
    from qtool.queues.slices import Slice


def place(
    folder: Path,
    letter: Letter,
    *,
    when: float,
    digest: str,
    suffix: str = WAITING,
    more: dict[str, Any] | None = None,
) -> str:
    """Write one entry and return its filebase; nothing is made durable.

    Args:
        folder: The queue's folder; it is made.
        letter: What the entry holds.
        when: The time in its name.
        digest: The digest in its name.
        suffix: Whether it waits, is in flight or was preserved.
        more: Further metadata.
    """
    folder.mkdir(mode=0o770, parents=True, exist_ok=True)
    filebase = f"{float(when)!r}+{digest}"
    msgdata = {**letter.msgdata, **(more or {}), "version": VERSION, "_parsemsg": False}
    data = encode(letter.message, msgdata, text_form=False)
    temporary = folder / f"{filebase}{WAITING}.tmp"
    temporary.write_bytes(data)
    temporary.rename(folder / f"{filebase}{suffix}")
    return filebase


def damage(folder: Path, *, when: float, digest: str, suffix: str = WAITING) -> str:
    """Write an entry that no reader can make sense of; return its filebase."""
    folder.mkdir(mode=0o770, parents=True, exist_ok=True)
    filebase = f"{float(when)!r}+{digest}"
    (folder / f"{filebase}{suffix}").write_bytes(b"\x80\x04\x95cut short")
    return filebase


def digest_in(part: Slice, random: Random) -> str:
    """Return a digest that lies in a slice."""
    return f"{random.randrange(part.lower, part.upper):040x}"


def digest_of_all(random: Random) -> str:
    """Return any digest."""
    return hashlib.sha1(
        random.randrange(SPACE).to_bytes(20, "big"), usedforsecurity=False
    ).hexdigest()
