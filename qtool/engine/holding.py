"""What holds a runner back although messages may wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtool.engine.pauses import Pauses

LOOK_AGAIN_SECONDS = 0.5
"""How often a paused runner looks whether it still is: another process may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A reason to take nothing."""

    note: str
    seconds: float
    """After which to look again."""


def held_by_pause(pauses: Pauses, runner: str, number: int | None) -> Held | None:
    """Return why a slice is paused; None where it is not."""
    pause = pauses.of(runner, number)
    if pause is None:
        return None
    now = pauses.now()
    left = LOOK_AGAIN_SECONDS if pause.until is None else pause.until - now
    return Held(
        note=pause.describe(now), seconds=max(0.0, min(left, LOOK_AGAIN_SECONDS))
    )
