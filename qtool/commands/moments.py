"""Times and durations as a command line gives them."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta

from qtool.settings.ini import duration_seconds
from qtool.untrusted import visible


def duration(text: str) -> float:
    """Return the seconds in ``15s``, ``1h30m``, ``2d`` or ``90``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    seconds = duration_seconds(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(
            f"expected a duration (15s, 1h30m, 2d), not {visible(text, 80)!r}"
        )
    return seconds


def moment(text: str, now: datetime | None = None) -> float:
    """Return the epoch seconds of a date, of a date and time, or of the next ``18:30``.

    Without a zone it is local time.

    Args:
        text: In the form of ISO 8601, or hours and minutes.
        now: The local time; for tests.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        if len(text) == len("18:30") and text[2] == ":":
            now = now or datetime.now().astimezone()
            hour, minute = int(text[:2]), int(text[3:])
            then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return (then if then > now else then + timedelta(days=1)).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(
            "expected a time (18:30, 2026-12-31, 2026-12-31T18:30),"
            f" not {visible(text, 80)!r}"
        ) from error
