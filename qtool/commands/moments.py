"""Times and durations as a command line gives them."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta

from qtool.settings.ini import duration_seconds
from qtool.untrusted import visible

_SPANS = "90, 15s, 1h30m, 2d"
_TIMES = "18:30, 2026-12-31, 2026-12-31T18:30"
_DAY = timedelta(days=1)


def duration(text: str) -> float:
    """Return the seconds in ``15s``, ``1h30m``, ``2d`` or ``90``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    seconds = duration_seconds(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(
            f"expected a duration ({_SPANS}), not {visible(text, 80)!r}"
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
        return _moment(text, now, _DAY)
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"expected a time ({_TIMES}), not {visible(text, 80)!r}"
        ) from error


def past(text: str, now: datetime | None = None) -> float:
    """Return the same of what was: of so long ago, or of the last ``18:30``."""
    now = now or datetime.now().astimezone()
    ago = duration_seconds(text)
    try:
        if ago is not None:
            return now.timestamp() - ago
        return _moment(text, now, -_DAY)
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"expected a time ({_TIMES}) or how long ago it was ({_SPANS}),"
            f" not {visible(text, 80)!r}"
        ) from error


def _moment(text: str, now: datetime | None, step: timedelta) -> float:
    if len(text) != len("18:30") or text[2] != ":":
        return datetime.fromisoformat(text).timestamp()
    now = now or datetime.now().astimezone()
    hour, minute = int(text[:2]), int(text[3:])
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    is_on_that_side = (then > now) is (step > timedelta())
    return (then if is_on_that_side else then + step).timestamp()
