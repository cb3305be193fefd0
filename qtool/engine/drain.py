"""A drain: passes over all queues until nothing is ready."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qtool.engine.classes import is_drained
from qtool.engine.rounds import until_quiescent
from qtool.engine.shunting import one_line
from qtool.engine.status import Counts, Drained, RunnerState, Share
from qtool.errors import QToolError, SliceClaimed
from qtool.installation.classes import no_class_reason
from qtool.queues.slices import whole
from qtool.settings import WITHOUT_RUNNER

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from qtool.engine.facts import AtWork
    from qtool.engine.runner_thread import RunnerThread
    from qtool.installation import Configuration
    from qtool.installation.specs import Chosen
    from qtool.queues.slices import Slice
    from qtool.settings import RunnerSettings

_MOST_AT_ONCE = 64


def drained_slices(
    config: Configuration, parts: Collection[Chosen]
) -> Iterator[tuple[str, int]]:
    """Yield which slices are drained, by the names of their runners.

    Args:
        config: Which runners there are.
        parts: Which; all that have part in a drain without any.
    """
    for name, settings in config.settings.runners.items():
        if is_drained(config, name):
            for number in _slices_of(settings, parts):
                yield name, number


def _slices_of(settings: RunnerSettings, parts: Collection[Chosen]) -> Collection[int]:
    """Return which slices of a runner are drained.

    All of them without ``parts``, whether it is started permanently or not; those of
    ``parts`` otherwise. Never ``shunt`` and ``bad``: what is there is for a person.
    """
    if settings.name in WITHOUT_RUNNER:
        return ()
    count = max(1, settings.instances)
    asked = [part.slice for part in parts if part.name == settings.name]
    if None in asked or not parts:
        return range(count)
    return [number for number in range(count) if number in asked]


def drain(
    config: Configuration,
    threads: Sequence[RunnerThread],
    closing: Callable[[], bool],
    parts: Collection[Chosen] = (),
) -> Drained:
    """Have each runner do passes, in turn, until nothing is ready.

    With processes of their own all do so at once. They hold their claims all the
    while. Slices that somebody works already are left to them. What a pass makes in
    an earlier queue is found in the next round; then each does its periodic work,
    once, and what that makes is drained, too. A message that is kept is taken once
    and counts as left. Where messages go round in a circle, many rounds end it.

    Args:
        config: Which queues there are.
        threads: The runners to drain, in order.
        closing: Whether to end early, after the message in hand.
        parts: What was asked for by name.
    """
    before = {thread: thread.counts for thread in threads}
    with ExitStack() as errands:
        each = errands.enter_context(_together(threads))
        drained = _Draining(config, closing, each)
        drained.failures += _without(config, threads, parts)
        drained.take_on(threads, errands)
        note = drained.rounds()
        drained.one_round(periodic=True)
        note = note or drained.rounds()
    return Drained(
        shares=tuple(drained.shares(before)),
        note=note,
        drained=drained.wholly(),
        failures=tuple(drained.failures),
        others=(*drained.others, *drained.held()),
    )


@contextmanager
def _together(
    threads: Sequence[RunnerThread],
) -> Iterator[Callable[..., Iterable[int]]]:
    """Yield a ``map``: one that does all at the same time, where that is of use."""
    if not any(thread.is_apart for thread in threads):
        yield map
        return
    from concurrent.futures import ThreadPoolExecutor  # few have processes

    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        yield pool.map


@dataclass
class _Draining:
    """What is at work in a drain, and what became of the rest."""

    config: Configuration
    closing: Callable[[], bool]
    each: Callable[..., Iterable[int]]
    """Does something with each of several, as ``map`` does."""
    runners: dict[RunnerThread, AtWork] = field(default_factory=dict)
    elsewhere: set[RunnerThread] = field(default_factory=set)
    """Slices that somebody else works: what waits there is theirs."""
    failures: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def take_on(self, threads: Iterable[RunnerThread], errands: ExitStack) -> None:
        """Start runners for this, but where somebody works the slice."""
        begun = []
        for thread in threads:
            if thread.is_up and not thread.waits:
                self._leave(thread)
                continue
            with self._noted(thread):
                begun.append((thread, thread.begin(only_asked=True)))
        for thread, wait in begun:
            with self._noted(thread):
                runner = wait()
                errands.callback(thread.wait)
                errands.callback(runner.stop)
                self.runners[thread] = runner
        for runner in self.runners.values():
            errands.callback(runner.stop)  # all of them, before one is waited for

    @contextmanager
    def _noted(self, thread: RunnerThread) -> Iterator[None]:
        """Note why a runner has no part in this, where it has none."""
        try:
            yield
        except SliceClaimed as error:
            self.elsewhere.add(thread)
            self.others.append(f"left alone: {error}")
        except Exception as error:  # noqa: BLE001 - a class may raise anything
            self.failures.append(_reason(thread, error))

    def _leave(self, thread: RunnerThread) -> None:
        state = thread.state
        if state is not RunnerState.PAUSED:
            self.elsewhere.add(thread)
        self.others.append(f"left alone: {thread} is {state} here")

    def rounds(self) -> str:
        """Have rounds done until nothing is ready; return why it ended before."""
        return until_quiescent(
            self.one_round,
            lambda: _waiting(self.config, self.runners)[0],
            len({thread.name for thread in self.runners}),
        )

    def one_round(self, *, periodic: bool = False) -> bool:
        """Have each runner do one pass; return whether another round is needed."""
        failed: dict[RunnerThread, Exception] = {}

        def one_pass(thread: RunnerThread) -> int:
            try:
                runner = self.runners[thread]
                if self.closing():
                    return 0
                return runner.one_pass(retake=False, periodic=periodic)
            except (QToolError, OSError) as error:
                failed[thread] = error
                return 0

        taken = sum(self.each(one_pass, list(self.runners)))
        for thread, error in failed.items():
            del self.runners[thread]
            if not self.closing():
                self.failures.append(_reason(thread, error))
        return taken > 0 and not self.closing()

    def shares(self, before: Mapping[RunnerThread, Counts]) -> Iterator[Share]:
        """Yield what each runner did since ``before``, and left."""
        for name in dict.fromkeys(thread.name for thread in before):
            own = [thread for thread in before if thread.name == name]
            counts = sum((each.counts - before[each] for each in own), Counts())
            ours = [thread for thread in own if thread not in self.elsewhere]
            left, due = _waiting(self.config, ours)
            yield Share(runner=name, counts=counts, left=left, next_due=due)

    def wholly(self) -> tuple[str, ...]:
        """Return the runners of which no slice was left out, unless it ended early."""
        if self.closing():
            return ()
        counts = Counter(thread.name for thread in self.runners)
        return tuple(
            name
            for name, count in counts.items()
            if count >= self.config.runner(name).instances
        )

    def held(self) -> list[str]:
        """Return who left messages: paused, or idle-only while the site is not."""
        return [
            f"left alone: {thread} is {held.note}"
            for thread, runner in self.runners.items()
            if (held := runner.held_back()) is not None
            and _waiting(self.config, [thread])[0]
        ]


def _without(
    config: Configuration, threads: Sequence[RunnerThread], parts: Collection[Chosen]
) -> list[str]:
    """Return why runners that were asked for have no part in it."""
    there = {thread.name for thread in threads}
    return [
        no_class_reason(config.runner(name))
        or f"{name} has a loop of its own: it can only be started"
        for name in dict.fromkeys(part.name for part in parts)
        if name not in there
    ]


def _waiting(
    config: Configuration, threads: Iterable[RunnerThread]
) -> tuple[int, float | None]:
    """Count what waits in these slices, and say when the next of it is due."""
    parts: dict[str, list[Slice]] = {}
    for thread in threads:
        slices = config.slices(thread.name) or (whole(),)
        parts.setdefault(thread.name, []).append(slices[thread.number])
    depth, due, now = 0, [], time.time()
    for name, wanted in parts.items():
        queue = config.switchboards.get(name)
        with suppress(OSError):  # its runner failed of that, too
            if queue is not None:
                found = queue.scan(wanted)
                depth += found.depth
                due += [s.oldest for s in found.slices if s.oldest and s.oldest > now]
    return depth, min(due, default=None)


def _reason(thread: RunnerThread, error: Exception) -> str:
    text = str(error) if isinstance(error, QToolError) else one_line(error)
    return text if text.startswith(thread.name) else f"{thread}: {text}"
