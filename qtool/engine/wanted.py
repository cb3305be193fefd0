"""Runner slices that are wanted, whether they are at work or not.

What is wanted is tried again: after a failure, and where somebody else holds the
slice, until he lets it go.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from qtool.engine.duty import own_slice
from qtool.engine.facts import RunnerFacts
from qtool.engine.restarts import Restarts
from qtool.engine.status import RunnerState
from qtool.errors import MailmanRuns, QToolError, SliceClaimed
from qtool.settings import SiteKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.engine.restarts import Timer
    from qtool.installation import Configuration

Insistence: TypeAlias = "Callable[[BaseException], bool]"
"""Whether a start that an error keeps from its work is tried again."""


def once(error: BaseException) -> bool:  # noqa: ARG001 - as the others
    """Insist on nothing: who starts it is told, and may start it again."""
    return False


def until_free(error: BaseException) -> bool:
    """Wait for another runner that holds the slice.

    Mailman is not waited for: who stops it may want to start it in a moment.
    """
    return isinstance(error, SliceClaimed) and not isinstance(error, MailmanRuns)


def again(error: BaseException) -> bool:  # noqa: ARG001 - as the others
    """Insist, for it has run before."""
    return True


class Begun(threading.Event):
    """Set when a runner holds its claim, or has ended."""

    refusal: BaseException | None = None
    """What has kept it from its work."""


class WantedRunner(RunnerFacts):
    """One runner slice, and what is done for it while it is wanted.

    Args:
        name: The runner.
        number: Its slice.
        on_change: Called after every change of state, from any thread.
        timer: Where a restart waits.
        refusal: Returns why the slice cannot be had now; None where it can.
    """

    def __init__(
        self,
        name: str,
        number: int,
        on_change: Callable[[], None],
        timer: Timer,
        refusal: Callable[[], SliceClaimed | None],
    ) -> None:
        super().__init__(name, number, Restarts(timer, self._restart), timer.clock)
        self.wanted = False
        """Somebody has started it, or insists, and nobody has stopped it since."""
        self._on_change = on_change
        self._refusal = refusal
        self._at_work = Begun()
        """Of the present runner."""
        self._said_waiting = False
        """The log says that it waits, and not yet that it does no more."""

    def _restart(self) -> None:
        """Start it: the time for it has come."""
        raise NotImplementedError

    def _check_free(self, insist: Insistence) -> None:
        """Find out whether somebody holds the slice; wait for him then. It is locked.

        Raises:
            SliceClaimed: Somebody does.
        """
        error = self._refusal()
        if error is not None and insist(error):
            self._state, self._failure = RunnerState.CLAIMED, error
            self._plan(self._clock())
            raise error

    def _refused(self, error: BaseException, insist: Insistence) -> None:
        """Want it no more where who started it is told that it cannot be."""
        if insist is once or (isinstance(error, SliceClaimed) and not insist(error)):
            self.wanted = False

    def _plan(self, began: float) -> None:
        """Have it started again, where that is of use; it is locked."""
        failure = self._failure
        if (
            self._state in (RunnerState.FAILED, RunnerState.CLAIMED)
            and isinstance(failure, Exception)
            and self._restarts.after(failure, began, self.max_restarts)
        ):
            self._state = self._restarts.state
        else:
            self._restarts.cancel()

    def _tell(self) -> None:
        """Tell listeners of a change, and the log when waiting begins and ends."""
        log = logging.getLogger(f"qtool.runner.{self.name}")
        is_at_work = self.runner is not None and self._at_work.is_set()
        if self.waits and not self._said_waiting:
            self._said_waiting = True
            log.warning("%s waits: %s", self, self._failure)
        elif self._said_waiting and is_at_work and self.wanted:
            self._said_waiting = False
            log.info("%s waits no more: nobody else holds its slice", self)
        self._on_change()


def refusal(config: Configuration, name: str, number: int) -> SliceClaimed | None:
    """Return why a slice cannot be had now; found out without claiming it.

    Args:
        config: The site.
        name: The runner.
        number: Its slice.
    """
    queue, settings = config.switchboards.get(name), config.settings
    if queue is None:
        return None
    if settings.kind is SiteKind.MAILMAN3:
        from qtool.engine.mailman_site import running_master  # few have one

        master = running_master(settings)
        if master is not None:
            return MailmanRuns(f"Mailman runs ({master}), and its queues are its own")
    with suppress(QToolError, OSError):  # the start will say so
        part = own_slice(config, name, number)
        holder = queue.for_slice(part).holder()
        if holder is not None:
            what = name if part.is_whole else f"{name}, {part},"
            return SliceClaimed(f"{what} is claimed by {holder}")
    return None
