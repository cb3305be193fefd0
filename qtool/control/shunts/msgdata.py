"""What a shunted message itself says about how it got there."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qtool.engine.shunting import SHUNT_KEYS, bounded
from qtool.settings import SiteKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.installation import Configuration

UNSHUNT_DROPS = ("whichq", *SHUNT_KEYS)
"""Keys of msgdata that go when a message goes back: they speak of the last shunt."""

_LONGEST, _LONGEST_NAME = 500, 80


def why_of(msgdata: Mapping[str, Any]) -> str:
    """Return why a message was shunted, ``Class: text``; empty where it does not say.

    Those that Mailman shunted never do.
    """
    return text_of(msgdata, "shunt_error").partition("\n")[0].strip()


def target_of(msgdata: Mapping[str, Any], configuration: Configuration) -> str:
    """Return the configured queue that a shunted message came from; empty for none.

    What msgdata says is a name to be compared, and never a path to be opened.
    """
    named = text_of(msgdata, "whichq")
    queues = configuration.switchboards
    if configuration.settings.kind is SiteKind.MAILMAN2:
        named = os.path.basename(named.rstrip("/"))  # noqa: PTH119 - its folder
    return named if named in queues and named != configuration.shunt.name else ""


def without_origin(msgdata: Mapping[str, Any]) -> str:
    """Return why it is not known which queue a message came from, in words."""
    if "whichq" not in msgdata:
        return "no whichq says which queue it was in"
    if not isinstance(msgdata["whichq"], str | bytes):
        return "whichq is no name of a queue"
    named = text_of(msgdata, "whichq")[:_LONGEST_NAME]
    return f"whichq names no queue of this site: {named!r}"


def text_of(msgdata: Mapping[str, Any], key: str) -> str:
    """Return a value that is text, bounded; empty where it is anything else."""
    value = msgdata.get(key)
    if isinstance(value, bytes):  # as Python 2 wrote it
        value = value.decode("utf-8", "replace")
    return value[:_LONGEST] if isinstance(value, str) else ""


def traceback_of(msgdata: Mapping[str, Any]) -> str:
    """Return the traceback that a message carries; of a long one the end."""
    value = msgdata.get("shunt_traceback")
    return bounded(value) if isinstance(value, str) else ""


def time_of_shunt(msgdata: Mapping[str, Any]) -> float | None:
    """Return when a message was shunted, in epoch seconds; None where it says not."""
    try:
        found = datetime.fromisoformat(text_of(msgdata, "shunt_time"))
        return found.replace(tzinfo=found.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
