"""What is known here of a runner in another process: what that has said last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.engine.lines import Facts
from qtool.engine.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Mirror:
    """The gate of a runner elsewhere, as far as is known here."""

    def __init__(self) -> None:
        self.stopping = self.pausing = self.waiting = self.is_open = False
        self.on_change: Callable[[], None] = lambda: None

    def follow(self, facts: Facts, *, is_current: bool) -> bool:
        """Be as the facts say; return whether anything is different.

        Args:
            facts: What was said.
            is_current: Whether that was after all that was asked from here.
        """
        before = self._flags()
        if is_current:
            self.stopping, self.pausing = facts.stopping, facts.pausing
        self.waiting, self.is_open = facts.waiting, facts.is_open
        return self._flags() != before

    def _flags(self) -> tuple[bool, ...]:
        return self.stopping, self.pausing, self.waiting, self.is_open


class Mirrored:
    """How a runner elsewhere stands."""

    def __init__(self) -> None:
        self.gate = Mirror()
        self.clock: Callable[[], float] = time.monotonic
        self.steered = 0
        """The last of what was asked that shows in the gate."""
        self._known = Facts(), 0.0
        """What was said last, and when, by ``clock``."""

    def learn(self, facts: Facts) -> None:
        """Take up what was said."""
        former = self._known[0]
        self._known = facts, self.clock()
        changed = self.gate.follow(facts, is_current=facts.seen >= self.steered)
        if changed or facts.not_idle != former.not_idle:
            self.gate.on_change()

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many messages ended in which way."""
        counts = self._known[0].counts
        return {
            Outcome.DONE: counts.done,
            Outcome.KEPT: counts.kept,
            Outcome.SHUNTED: counts.shunted,
            Outcome.PRESERVED: counts.preserved,
        }

    @property
    def in_hand(self) -> tuple[str, float] | None:
        """The message in hand and since when, by ``clock``."""
        facts, at = self._known
        return None if facts.filebase is None else (facts.filebase, at - facts.seconds)

    @property
    def at_work(self) -> tuple[str, float] | None:
        """The same, or without a filebase what else it does; None while it rests."""
        facts, at = self._known
        return (facts.filebase or "", at - facts.seconds) if facts.at_work else None

    @property
    def not_idle(self) -> str:
        """Which test holds an idle-only runner back."""
        return self._known[0].not_idle

    @property
    def number(self) -> int:
        """That of its thread, as the system counts threads."""
        return self._known[0].thread

    @property
    def memory_bytes(self) -> int | None:
        """Resident memory of its process; None when unknown."""
        return self._known[0].memory_bytes

    def cpu_seconds(self) -> float:
        """Return how long its process has computed."""
        return self._known[0].cpu_seconds
