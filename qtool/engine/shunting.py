"""What a shunted message carries along for whoever mends it."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qtool.engine.runner import Runner

SHUNT_KEYS = ("shunt_error", "shunt_traceback", "shunt_time", "shunt_runner")
"""What shunting adds to ``whichq``; unshunting drops these."""

_LINE = 500
_TRACEBACK = 8000


def one_line(error: BaseException) -> str:
    """Return the error as one bounded line: its class and its first line of text."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - anything may be wrong with a stranger's class
        text = "(its text cannot be had)"
    first = _storable(text[: 2 * _LINE]).strip().partition("\n")[0]
    name = type(error).__name__
    return f"{name}: {first}"[:_LINE] if first else name


def traceback_text(error: BaseException) -> str:
    """Return the traceback, of which a long one keeps the end."""
    return bounded("".join(traceback.format_exception(error, limit=-50)))


def bounded(text: str) -> str:
    """Return the text of a traceback, or the end of a long one."""
    text = _storable(text)
    if len(text) <= _TRACEBACK:
        return text
    return f"...\n{text[-_TRACEBACK:]}"


def shunt_metadata(
    runner: Runner, reason: str, failure: BaseException | None
) -> dict[str, Any]:
    """Return the metadata that a shunted message gets."""
    extra = {
        "whichq": runner.switchboard.name,
        "shunt_error": reason,
        "shunt_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "shunt_runner": runner.name,
    }
    if failure is not None:
        extra["shunt_traceback"] = traceback_text(failure)
    return extra


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
