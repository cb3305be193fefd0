"""Figures in the words of a verdict."""

from __future__ import annotations

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"))
_BYTES = ("B", "KB", "MB", "GB", "TB")


def span(seconds: float) -> str:
    """Return a length of time in its largest unit, begun ones left out: ``12m``."""
    for unit, name in _UNITS:
        if seconds >= unit:
            return f"{int(seconds / unit)}{name}"
    return f"{max(0, int(seconds))}s"


def per_time(rate: float) -> str:
    """Return a rate per second, or per minute below one."""
    if 0 < rate < 1:
        return f"{rate * 60:.2g}/m"
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.2g}/s"


def room(count: float) -> str:
    """Return a number of bytes in its unit: ``1.5 GB``."""
    number = 0
    while count >= 1024 and number + 1 < len(_BYTES):
        number, count = number + 1, count / 1024
    return f"{count:.3g} {_BYTES[number]}"


def waiting(count: int) -> str:
    """Return that so many messages wait."""
    return f"{count} message{' waits' if count == 1 else 's wait'}"
