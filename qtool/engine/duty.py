"""Which slice a runner works, and who does: at most one thread, under one claim.

What other threads want done with the slice meanwhile is done by that thread.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from qtool.engine.hand import GivenBack
from qtool.engine.shunting import one_line
from qtool.errors import QToolError, RunnerError
from qtool.queues import filebase as names
from qtool.queues.slices import whole
from qtool.settings import SiteKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtool.engine.gate import Gate
    from qtool.engine.mailman_lock import MasterLock, Share
    from qtool.installation import Configuration
    from qtool.queues.claims import Claim
    from qtool.queues.slices import Slice
    from qtool.queues.spool import Spool
    from qtool.queues.switchboard import Switchboard

T = TypeVar("T")

_log = logging.getLogger("qtool.runner")


class Duty:
    """The duty of one runner.

    Args:
        name: The runner.
        gate: Where its thread is asked for things.
        switchboard: Its slice; None when it manages no queue.
        master_lock: Mailman's, where it is one of Mailman's queues.
        sweep: Ends what processes that died had begun in other queues.
    """

    def __init__(
        self,
        name: str,
        gate: Gate,
        switchboard: Switchboard | None,
        master_lock: MasterLock | None,
        sweep: Callable[[], None],
    ) -> None:
        self.failure: BaseException | None = None
        """What the runner fails of, once who asked for the act has been told."""
        self._name = name
        self._gate = gate
        self._switchboard = switchboard
        self._master_lock = master_lock
        self._sweep = sweep
        self._share: Share | None = None
        self._claim: Claim | None = None
        self._thread: int | None = None
        self._alone = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the claim; what was in flight is recovered first.

        Raises:
            SliceClaimed: Somebody else holds the slice, or Mailman all of them.
            RunnerError: Another thread has this duty.
        """
        if not self._alone.acquire(blocking=False):
            raise RunnerError(f"{self._name} is at work already")
        try:
            self._thread, self.failure = threading.get_ident(), None
            if self._switchboard is not None:
                if self._master_lock is not None:
                    self._share = self._master_lock.share()
                self._take(self._switchboard)
            self._sweep()
            self._gate.open()
            yield
        finally:
            self._thread = None
            self._gate.close()
            self.release_claim()
            self._alone.release()

    def do(self, act: Callable[[], T], *, pause: bool = False) -> T:
        """Do ``act`` in the thread that works the slice; with none, in this one.

        Args:
            act: What to do.
            pause: Whether a runner that runs is paused from then on.
        """
        if self._thread is None:
            with self.held():
                return self._done(act)
        if self._thread == threading.get_ident():
            return self._done(act)
        return self._gate.request(lambda: self._asked(act), pause=pause).result()

    def attend(self) -> None:
        """Do what other threads ask for, and stay here while paused.

        Raises:
            SliceClaimed: The claim was removed, and somebody else holds the slice.
            RunnerError: It must not go on.
        """
        self._check()
        while self._gate.attention:
            request = self._gate.next_request()
            if request is None:
                self._check()  # it may have been paused for long
                return
            request.perform()
            if self.failure is not None:
                raise self.failure

    def release_claim(self) -> None:
        """Let somebody else have the slice."""
        claim, self._claim = self._claim, None
        share, self._share = self._share, None
        for each in (claim, share):
            if each is not None:
                each.release()

    def _take(self, switchboard: Switchboard) -> None:
        self._claim = switchboard.claim(f"runner {self._name}")
        switchboard.recover_backup_files()

    def _check(self) -> None:
        """Find out whether the slice is still this runner's; claim it anew if not."""
        if self._share is not None:
            self._share.check()
        claim, switchboard = self._claim, self._switchboard
        if claim is None or switchboard is None or not claim.is_lost:
            return
        if self._gate.stopping or not switchboard.queue_directory.is_dir():
            return  # it takes nothing
        _log.warning("%s: its claim was removed from %s", self._name, claim.path)
        claim.release()
        self._take(switchboard)

    def _done(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except GivenBack as error:
            raise RunnerError(f"{self._name} was given up meanwhile") from error

    def _asked(self, act: Callable[[], T]) -> T:
        """Do what another thread asked for: it is told of failures, too."""
        try:
            self._check()
            return act()
        except GivenBack as error:
            self.failure = error
            raise RunnerError(f"{self._name} was given up meanwhile") from error
        except BaseException as error:
            self.failure = error
            if isinstance(error, QToolError):
                raise
            raise RunnerError(f"{self._name} failed: {one_line(error)}") from error


def own_queue(
    config: Configuration, name: str, switchboard_class: type[Spool] | None
) -> Switchboard:
    """Return the whole queue of a runner, of the class that it asks for."""
    configured = config.switchboards[name]
    if switchboard_class is None:
        return configured
    return switchboard_class(
        name,
        configured.queue_directory,
        bad=config.bad.queue_directory,
        state_directory=config.state_directory,
        text_form=config.settings.text_form,
        allowed=config.settings.allowed_classes,
        group_commit=config.settings.group_commit,
        honours_due=config.runner(name).honours_due,
    )


def own_master_lock(config: Configuration) -> MasterLock | None:
    """Return the lock that runners of ours need at a Mailman site; None elsewhere."""
    settings = config.settings
    if settings.kind is not SiteKind.MAILMAN3 or settings.lock_file is None:
        return None
    from qtool.engine.mailman_lock import MasterLock  # a process, only there

    return MasterLock(settings.lock_file, config.state_directory)


def slice_of_file(config: Configuration, name: str, filebase: str | None) -> int:
    """Return the number of the slice that a file is in, or the next one to be taken.

    Where there is none, any slice will say so.
    """
    chosen = filebase or next(iter(config.switchboards[name].ready(1)), "")
    if names.is_filebase(chosen):
        digest = names.digest_of(chosen)
        for part in config.slices(name):
            if digest in part:
                return part.number
    return 0


def own_slice(config: Configuration, name: str, number: int | None) -> Slice:
    """Return one slice of a runner's queue; the whole of it for None.

    A queue that has no permanent runner is one slice to whoever works it.

    Raises:
        RunnerError: The queue is not divided into so many.
    """
    if number is None:
        return whole()
    slices = config.slices(name) or (whole(),)
    if not 0 <= number < len(slices):
        raise RunnerError(f"{name} has {len(slices)} slices: there is no {number}")
    return slices[number]
