"""A drain of Mailman's queues: steps by Mailman's own program until nothing is ready.

File by file, as every step of its runners: a file is out of everybody's way before
the program is started on it. Mailman's ``-o`` does no periodic work, so neither does
this.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from qtool.engine.classes import why_mailmans
from qtool.engine.rounds import until_quiescent
from qtool.engine.status import Counts, Drained, Share
from qtool.engine.step import Outcome
from qtool.errors import NoSuchEntry, QToolError
from qtool.queues.slices import whole
from qtool.settings import WITHOUT_RUNNER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from qtool.engine.foreign import MailmanRunners
    from qtool.installation import Configuration
    from qtool.installation.specs import Chosen
    from qtool.queues.switchboard import Switchboard

_RETRY = "retry"
"""Where Mailman puts what it could not deliver: what comes there rests."""
_MOST_FAILURES = 20
"""How many files that failed are named."""


class MailmanDrain:
    """Has Mailman's own runners process what waits, each file once.

    Args:
        configuration: The site.
        foreign: Who steps its runners.
        closing: Whether to end early, after the message in hand.
    """

    def __init__(
        self,
        configuration: Configuration,
        foreign: MailmanRunners,
        closing: Callable[[], bool],
    ) -> None:
        self._configuration = configuration
        self._foreign = foreign
        self._closing = closing
        self._tried: set[tuple[str, str]] = set()
        """Queue and filebase of what is not taken, or not again."""
        self._outcomes: dict[str, Counter[Outcome]] = defaultdict(Counter)
        """What became of the files of each runner, since the drain began."""
        self._failures: list[str] = []
        self._failing: set[str] = set()
        """Runners of which something could not be done."""

    def drain(self, parts: Collection[Chosen]) -> Drained:
        """Step until nothing is ready, also of what that makes in later queues.

        While Mailman runs, the runners that it keeps are left alone, but for those
        that were asked for: a file is Mailman's or ours, and never both's.

        Args:
            parts: Which; all that have a queue without any.
        """
        others = []
        self._outcomes.clear()
        self._failures = []
        names = [part.name for part in parts] or self._every_runner()
        master = self._foreign.master_state()
        if master and not parts:
            kept = [name for name in names if self._is_kept(name)]
            names = [name for name in names if name not in kept]
            others = [f"left alone: Mailman ({master}) runs {', '.join(kept)}"]
        queues = {name: self._queues(name, parts) for name in names}
        note = until_quiescent(
            lambda: self._one_round(queues), lambda: _depth(queues), len(queues)
        )
        return Drained(
            shares=tuple(
                Share(
                    runner=name,
                    counts=Counts.of(self._outcomes[name]),
                    left=_depth({name: slices}),
                )
                for name, slices in queues.items()
            ),
            note=note,
            drained=self._wholly(queues),
            failures=tuple(self._failures),
            others=tuple(others),
        )

    def _every_runner(self) -> list[str]:
        return [
            name
            for name, runner in self._configuration.settings.runners.items()
            if runner.served and runner.queue_directory is not None
            if name not in WITHOUT_RUNNER and why_mailmans(self._configuration, name)
        ]

    def _is_kept(self, name: str) -> bool:
        runner = self._configuration.runner(name)
        return runner.start and runner.instances > 0

    def _queues(self, name: str, parts: Collection[Chosen]) -> list[Switchboard]:
        """Return the slices of a queue that are drained."""
        queue = self._configuration.switchboards.get(name)
        if queue is None:
            self._failed(name, self._foreign.step_refusal(name))
            return []
        slices = self._configuration.slices(name)
        asked = [part.slice for part in parts if part.name == name]
        numbers = [number for number in asked if number is not None]
        chosen = [slices[number] for number in numbers] or [whole()]
        return [queue.for_slice(part) for part in chosen]

    def _one_round(self, queues: dict[str, list[Switchboard]]) -> bool:
        """Step what waits in each queue; return whether anything was taken."""
        taken = False
        for name, slices in queues.items():
            refusal = ""
            for filebase in self._ready(name, slices):
                refusal = refusal or self._foreign.step_refusal(name)
                if refusal:
                    self._failed(name, refusal)
                    self._tried.add((name, filebase))
                elif self._closing():
                    return False
                else:
                    taken = self._step(name, filebase) or taken
        return taken

    def _ready(self, name: str, slices: list[Switchboard]) -> Iterator[str]:
        for queue in slices:
            for filebase in queue.files:
                if (name, filebase) not in self._tried:
                    yield filebase

    def _step(self, name: str, filebase: str) -> bool:
        """Step one file; return whether it was taken."""
        self._tried.add((name, filebase))
        try:
            report = self._foreign.step(name, name, filebase)
        except NoSuchEntry:
            return False  # Mailman was faster
        except (QToolError, OSError) as error:
            self._failed(name, str(error))
            return False
        if report.outcome is Outcome.NOT_TAKEN:
            self._failed(name, f"{name}: {filebase} was not taken: {report.note}")
            return False
        self._outcomes[name][report.outcome] += 1
        self._tried |= {
            (landed.queue, landed.filebase)
            for landed in report.enqueued
            if landed.queue in {name, _RETRY}
        }
        return True

    def _wholly(self, queues: dict[str, list[Switchboard]]) -> tuple[str, ...]:
        """Return the runners of which nothing was left out, unless it ended early."""
        if self._closing():
            return ()
        return tuple(
            name
            for name, slices in queues.items()
            if name not in self._failing and any(one.slice.is_whole for one in slices)
        )

    def _failed(self, name: str, reason: str) -> None:
        self._failing.add(name)
        if reason not in self._failures and len(self._failures) < _MOST_FAILURES:
            self._failures.append(reason)


def _depth(queues: dict[str, list[Switchboard]]) -> int:
    depth = 0
    for slices in queues.values():
        for queue in slices:
            with suppress(OSError):  # it could not be listed before, either
                depth += queue.scan([queue.slice]).depth
    return depth
