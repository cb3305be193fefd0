"""The runner: works one slice of one queue, file by file, in order.

Three things a runner can be asked, which are not the same: a *step* is one file,
of the operator's choice or the next one; a *pass* is every file of the slice,
once; a *drain* is passes over all queues until nothing is ready, and the
master's. ``run`` repeats passes until ``stop``.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from qtool.engine.duty import Duty, own_master_lock, own_queue, own_slice
from qtool.engine.gate import Gate
from qtool.engine.hand import Hand
from qtool.engine.holding import Held, held_by_pause
from qtool.engine.idle import Idleness
from qtool.engine.passes import check_choice, one_pass, step
from qtool.engine.pauses import Pauses
from qtool.engine.pulse import Pulse
from qtool.engine.snooze import SHORTEST_SECONDS, Arrivals, Resting
from qtool.engine.turns import Turn
from qtool.errors import QueueError, RunnerError
from qtool.installation import process_configuration

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from qtool.engine.step import Outcome, StepReport
    from qtool.installation import Configuration
    from qtool.lists import MailingList
    from qtool.queues.spool import Spool
    from qtool.queues.switchboard import Switchboard


class Runner:
    """Processes the files of one slice; subclasses say how, in ``_dispose``.

    Args:
        name: The runner's section in the configuration, and its queue's name.
        slice: Which of its ``instances`` slices; None is the whole queue.
        config: The configuration; None is that of the process.
    """

    is_queue_runner: ClassVar[bool] = True
    """False for a runner that manages no queue: it only does periodic work."""
    switchboard_class: ClassVar[type[Spool] | None] = None
    """The class of its switchboard, where it wants its own."""
    computes: ClassVar[bool] = False
    """Whether ``_dispose`` computes all the time and never waits for anything."""
    periodic_every: float = 10.0
    """Seconds between periodic work within a long pass."""

    def __init__(
        self,
        name: str,
        slice: int | None = None,  # noqa: A002 - the field's word
        *,
        config: Configuration | None = None,
    ) -> None:
        self.name = name
        self.slice = slice
        self.config = config if config is not None else process_configuration()
        self.settings = self.config.runner(name)
        if self.settings.foreign:
            # Its slices cannot be claimed: Mailman knows no claims of ours.
            raise RunnerError(f"{name} is Mailman's own runner: qtool only steps it")
        self.log = logging.getLogger(f"qtool.runner.{name}")
        self.pulse = Pulse(lambda: self.clock())
        self.gate = Gate(self.pulse)
        self.hand = Hand()
        self.turn = Turn(self.settings.priority)
        self.resting = Resting()
        self.pauses = Pauses(self.config.state_directory)
        self.idleness = Idleness(name, self.config)
        self.not_idle = ""
        """Which test holds an idle-only runner back, as of its last look."""
        self.counts: Counter[Outcome] = Counter()
        self.clock: Callable[[], float] = time.monotonic
        self.only_asked = False
        """It takes nothing by itself, only what ``step`` and ``one_pass`` ask for."""
        self._sleep_seconds = self.settings.sleep_seconds
        self._switchboard: Switchboard | None = None
        self._arrivals: Arrivals | None = None
        if self.is_queue_runner:
            queue = own_queue(self.config, name, self.switchboard_class)
            part = own_slice(self.config, name, slice)
            self._switchboard = queue.for_slice(part)
            self._arrivals = Arrivals(queue, self.gate.wake)
        lock = own_master_lock(self.config)
        self._duty = Duty(name, self.gate, self._switchboard, lock, self.config.sweep)

    def __repr__(self) -> str:
        part = "" if self.slice is None else f":{self.slice}"
        return f"<{type(self).__name__} {self.name}{part}>"

    # --- Hooks

    def _dispose(
        self, mlist: MailingList | None, msg: Message, msgdata: dict[str, Any]
    ) -> bool:
        """Dispose of one message.

        Args:
            mlist: The list that ``msgdata`` names; None when it names none.
            msg: The message.
            msgdata: Its metadata; changes go along when the message is kept.

        Returns:
            Whether the message is to be kept: it is requeued, and rests for the
            sleep time before it is taken again.
        """
        raise NotImplementedError

    def _do_periodic(self) -> None:
        """Do what is due once per pass, and in a long pass now and then."""

    def _snooze(self, filecnt: int) -> None:
        """Rest after a pass that took ``filecnt`` files."""
        if filecnt > 0 or (self._arrivals and self._arrivals.watch()):
            return
        rested = self.resting.next_due(self.clock(), self.rest_seconds)
        due = self._switchboard.due_in() if self._switchboard is not None else None
        ends = (end for end in (rested, due) if end is not None)
        seconds = min([self.rest_seconds, *ends])
        self.gate.snooze(max(seconds, SHORTEST_SECONDS))

    def _short_circuit(self) -> bool:
        """Return whether to leave the pass before its end."""
        return self.gate.stopping

    def _clean_up(self) -> None:
        """Do what is due when ``run`` ends."""

    # --- What may be asked, by any thread

    @property
    def switchboard(self) -> Switchboard:
        """The runner's slice of its queue."""
        if self._switchboard is None:
            raise RunnerError(f"{self.name} manages no queue")
        return self._switchboard

    @property
    def sleep_seconds(self) -> float:
        """For how long it snoozes when there is nothing to do."""
        return self._sleep_seconds

    @sleep_seconds.setter
    def sleep_seconds(self, seconds: float) -> None:
        self._sleep_seconds = seconds
        self.gate.wake()

    @property
    def rest_seconds(self) -> float:
        """For how long a requeued message is left alone."""
        return max(self._sleep_seconds, SHORTEST_SECONDS)

    @property
    def in_hand(self) -> tuple[str, float] | None:
        """The message in hand and since when, by ``clock``."""
        return self.hand.holding

    @property
    def at_work(self) -> tuple[str, float] | None:
        """The same, or without a filebase what else it does; None while it rests."""
        since = self.pulse.since
        return self.in_hand or (None if since is None else ("", since))

    def stop(self) -> None:
        """End ``run`` after the message in hand."""
        self.gate.stop()

    def pause(self) -> None:
        """Pause after the message in hand, until ``resume``."""
        self.gate.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self.gate.resume()

    def wake(self) -> None:
        """Look into the queue now."""
        self.gate.wake()

    def held_back(self) -> Held | None:
        """Return why it takes nothing by itself now, though messages may wait."""
        held = held_by_pause(self.pauses, self.name, self.slice)
        if held is not None:
            return held
        held = self.idleness.held(self.clock())
        note = "" if held is None else held.note
        if note != self.not_idle:
            self.not_idle = note
            self.gate.on_change()
        return held

    def step(self, filebase: str | None = None) -> StepReport:
        """Process one file: the chosen one, or the next.

        A running runner pauses after its message in hand, does the step in its
        own thread, and stays paused. Otherwise the step takes the claim.

        Raises:
            SliceClaimed: Somebody else holds the slice.
            RunnerError: It manages no queue, or the file is not of its slice.
        """
        check_choice(self.switchboard, filebase)
        return self._duty.do(lambda: self._step(filebase), pause=True)

    def one_pass(self, *, retake: bool = True, periodic: bool = True) -> int:
        """Process every file of the slice once, and do the periodic work.

        Args:
            retake: Whether a message that was requeued may be taken again once it
                has rested.
            periodic: Whether to do the periodic work, too.

        Returns:
            How many files were taken.
        """
        rest = None if retake else float("inf")
        return self._duty.do(lambda: one_pass(self, rest, periodic=periodic))

    def give_up(self, seconds: float) -> str | None:
        """Give the message in hand back to the queue, whatever the runner does.

        Its thread, when ``_dispose`` returns, touches nothing any more.

        Args:
            seconds: How long to wait while the runner settles a message itself.

        Returns:
            The filebase that was given back; None when there was none to give.
        """
        self.gate.stop()
        if self._switchboard is None:
            return None
        try:
            filebase = self.hand.give_up(self._switchboard.release, seconds)
        except (QueueError, OSError):
            # It stays in flight, and the next start recovers it.
            self.log.exception("the message in hand could not be given back")
            filebase = None
        self.gate.abandon()
        if self.hand.holding is None or self.hand.is_open:
            self._duty.release_claim()
        return filebase

    # --- The loop

    def run(self) -> None:
        """Work the slice until ``stop``.

        Raises:
            SliceClaimed: Somebody else holds the slice.
        """
        with self._duty.held():
            try:
                self._loop()
            finally:
                self._clean_up()
                if self._arrivals is not None:
                    self._arrivals.end()

    def attend(self) -> None:
        """Between two messages: do what other threads ask for."""
        self._duty.attend()

    def _loop(self) -> None:
        while True:
            self.pulse.begin()
            self.attend()
            if self.gate.stopping:
                return
            if self.only_asked:
                self.gate.snooze(None)
                continue
            held = self.held_back()
            if held is not None:
                self.gate.snooze(max(held.seconds, SHORTEST_SECONDS))
                continue
            filecnt = one_pass(self, None)
            if not self.gate.attention:
                self.pulse.beat(self.rest_seconds)
                self._snooze(filecnt)

    def _step(self, filebase: str | None) -> StepReport:
        report, self._duty.failure = step(self, filebase)
        return report
