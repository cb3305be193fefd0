"""A process whose runner does not get done with a message, or with anything at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtool.engine.awake import Awake
from qtool.engine.hangs import Hang
from qtool.engine.lines import WIRE, Stack
from qtool.engine.status import InHand
from qtool.errors import QToolError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from qtool.engine.remote import RemoteRunner

_LONGEST, _SHORTEST = 30.0, 0.05
"""Seconds between two looks."""
_PATIENCE_SECONDS = 5.0
"""How long the stack is waited for, before the end comes without it."""


class Overdue:
    """Looks after one process.

    Args:
        runner: What is in it.
        end: Ends it, for hanging so.
    """

    def __init__(self, runner: RemoteRunner, end: Callable[[Hang], None]) -> None:
        self._runner = runner
        self._end = end
        self._awake = Awake(runner.clock)
        self._stack: Future[Any] | None = None
        self._asked_at = 0.0
        self._looked_at = runner.clock()

    def check(self) -> float:
        """Look after it; return in how many seconds to do so again."""
        runner, awake = self._runner, self._awake
        awake.look()
        every = min(max(runner.hang_seconds / 4, _SHORTEST), _LONGEST)
        if self._stack is not None:
            self._judge(self._stack)
        elif self._held() is not None or self._silent_seconds() >= runner.hang_seconds:
            self._stack, self._asked_at = self._asked(), runner.clock()
        elif awake.seconds(self._looked_at) >= every:
            self._looked_at = runner.clock()
            runner.look()
        wait = _SHORTEST if self._stack is not None else every
        awake.rest(wait)
        return wait

    def _held(self) -> InHand | None:
        """Return what it has been at for too long, as far as is known."""
        held = self._runner.at_work
        if held is None:
            return None
        seconds = self._awake.seconds(held[1])
        if seconds < self._runner.hang_seconds:
            return None
        return self._in_hand(held[0], seconds)

    def _silent_seconds(self) -> float:
        since = self._runner.silent_since
        return 0.0 if since is None else self._awake.seconds(since)

    def _judge(self, stack: Future[Any]) -> None:
        """End it, where it still hangs now that it has answered, or does not answer."""
        if stack.done():
            self._stack, held = None, self._held()  # as of its answer
            if held is not None:
                told = None if stack.exception() is not None else stack.result()
                self._end(hang_of(held, told))
        elif self._awake.seconds(self._asked_at) >= _PATIENCE_SECONDS:
            self._stack = None
            silent = self._in_hand("an unknown message", self._silent_seconds())
            held = self._held()  # that it has nothing in hand may be over by now
            self._end(hang_of(held if held and held.filebase else silent, None))

    def _asked(self) -> Future[Any] | None:
        try:
            return self._runner.ask("stack")
        except QToolError:
            return None  # it has ended

    def _in_hand(self, filebase: str, seconds: float) -> InHand:
        runner = self._runner
        return InHand(
            runner=runner.name, slice=runner.slice, filebase=filebase, seconds=seconds
        )


def hang_of(held: InHand, said: Any) -> Hang:
    """Return how a runner hangs.

    Args:
        held: What it has in hand.
        said: Where it stands, as it came; None where nothing came.
    """
    if said is None:
        return Hang(held=held, waits_for="its process does not answer", stack="")
    stack: Stack = WIRE.loaded(Stack, said)
    return Hang(
        held=held, waits_for=stack.waits_for, where=stack.where, stack=stack.stack
    )
