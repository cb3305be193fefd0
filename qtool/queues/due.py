"""Due times: when an entry asks to be delivered, and what its name says then."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qtool.errors import QueueError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

DELIVER_AFTER = "deliver_after"
"""When a message asks to be taken: a datetime, or epoch seconds."""
RECEIVED = "received_time"
"""When it was first received, in epoch seconds."""

_LATEST = 253402300800.0
"""The year 10000, which no clock of ours will show."""


def with_due_time(
    queue: str, msgdata: Mapping[str, Any], now: float
) -> tuple[float, dict[str, Any]]:
    """Return the time for an entry's name, and its metadata.

    The time is the one that ``deliver_after`` asks for, or else ``now``. Where it
    asks for one, the metadata keep when the message was first received.

    Raises:
        QueueError: ``deliver_after`` is no time. To deliver such a message at once
            would be the one thing that was certainly not meant.
    """
    asked = msgdata.get(DELIVER_AFTER)
    if asked is None:
        return now, dict(msgdata)
    return _seconds(queue, asked), {RECEIVED: now, **msgdata}


def _seconds(queue: str, asked: object) -> float:
    """Return a time in epoch seconds; one without a zone is local, as Mailman's."""
    seconds = math.nan
    try:
        if isinstance(asked, datetime):
            seconds = asked.timestamp()
        elif isinstance(asked, int | float) and not isinstance(asked, bool):
            seconds = float(asked)
    except (OverflowError, ValueError, OSError):
        pass
    if not 0 <= seconds < _LATEST:
        raise QueueError(
            f"{queue}: {DELIVER_AFTER}: expected a datetime or seconds since 1970,"
            f" not {visible(repr(asked), 80)}"
        )
    return seconds if seconds >= 1 else 0.0  # no name holds an exponent
