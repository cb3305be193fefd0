"""``[trash]``: how long what was discarded is kept, and how much of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.settings.ini import Section

_SIZE = re.compile(r"([0-9]{1,12})([kMGT]?)", re.ASCII)
_POWERS = {"": 0, "k": 1, "M": 2, "G": 3, "T": 4}
_DAY_SECONDS = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashSettings:
    """What the trash may hold."""

    keep_seconds: float = 30 * _DAY_SECONDS
    """After this, what is in it is past its time: it may go when somebody says so."""
    limit_bytes: int = 1 << 30
    """With this in it, nothing more is discarded until it was emptied."""


def trash_settings(section: Section | None) -> TrashSettings:
    """Return what a section says, or what holds without one."""
    usual = TrashSettings()
    if section is None:
        return usual
    for key in section:
        if key not in {"keep", "limit"}:
            raise SettingsError(
                f"{section.source}: [{section.name}] {visible(key, 80)}:"
                " expected one of keep, limit"
            )
    limit = usual.limit_bytes
    if "limit" in section:
        match = _SIZE.fullmatch(section.text("limit"))
        if match is None:
            raise section.wrong("limit", "a size such as 500M or 2G")
        limit = int(match[1]) << (10 * _POWERS[match[2]])
    return TrashSettings(
        keep_seconds=section.seconds("keep", usual.keep_seconds), limit_bytes=limit
    )
