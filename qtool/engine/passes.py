"""A pass over a slice, and a step of one file."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from qtool.engine.hand import GivenBack
from qtool.engine.processing import process
from qtool.engine.recording import Recording
from qtool.engine.step import Outcome, StepReport
from qtool.errors import RunnerError
from qtool.queues import filebase as names
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.engine.runner import Runner
    from qtool.queues.switchboard import Switchboard

_BATCH = 10_000
"""How many names of a slice a pass holds at once."""

_ATTEMPTS = 5
"""How often a step looks for a file that somebody else does not take first."""

_SYNC_EVERY = 0.1
"""Seconds after which finished messages are made durable within a pass."""


def one_pass(runner: Runner, rest: float | None, *, periodic: bool = True) -> int:
    """Take each file that waits in the slice, then do what is due periodically.

    Nothing of that where the runner is held back.

    Args:
        runner: Whose slice; it holds the claim.
        rest: Seconds that a requeued message rests; None is the runner's own.
        periodic: Whether to do what is due periodically.

    Returns:
        How many files were taken.
    """
    runner.idleness.forget()
    every = runner.periodic_every if periodic else inf
    taken = _take_all(runner, rest, every) if runner.is_queue_runner else 0
    if periodic and runner.held_back() is None:
        runner.pulse.beat()
        runner._do_periodic()
    return taken


def _take_all(runner: Runner, rest: float | None, every: float) -> int:
    taken, clock, switchboard = 0, runner.clock, runner.switchboard
    synced = periodic = clock()
    try:
        for filebase in _waiting(runner, rest):
            if runner.held_back() is not None:
                break
            if process(runner, filebase) is not Outcome.NOTHING:
                taken += 1
            now = clock()
            if now - synced >= _SYNC_EVERY:
                switchboard.sync()
                synced = now
            if now - periodic >= every:
                runner._do_periodic()
                runner.pulse.beat()
                periodic = clock()
            if runner.gate.attention:
                runner.attend()
            if runner.gate.stopping or runner._short_circuit():
                break
    finally:
        if taken:
            switchboard.sync()
    return taken


def _waiting(runner: Runner, rest: float | None) -> Iterator[str]:
    """Yield what may be taken: as many, at most, as waited at the beginning.

    A batch at a time, however many wait. Those that rest stay at the head of the
    queue and come up again with each batch.
    """
    switchboard, resting, clock = runner.switchboard, runner.resting, runner.clock
    resters: set[str] = set()
    left: int | None = None
    if rest is None:
        # A busy runner never snoozes, and would keep in mind all that ever rested.
        resting.next_due(clock(), runner.rest_seconds)
    while left is None or left > 0:
        limit = len(resters) + (_BATCH if left is None else min(_BATCH, left))
        batch = switchboard.ready(limit)
        if left is None:
            left = _depth(switchboard) if len(batch) == limit else len(batch)
        news = 0
        for filebase in batch:
            if filebase in resters:
                continue
            news += 1
            if resting:
                seconds = runner.rest_seconds if rest is None else rest
                if resting.holds(filebase, clock(), seconds):
                    resters.add(filebase)
                    continue
            yield filebase
        left -= news
        if not news or len(batch) < limit:
            return


def _depth(switchboard: Switchboard) -> int:
    return switchboard.scan([switchboard.slice]).depth


def step(
    runner: Runner, filebase: str | None
) -> tuple[StepReport, BaseException | None]:
    """Process one file, the oldest where none is chosen, and report it.

    Returns:
        The report, and what the runner fails of: such a failure is reported first.
    """
    switchboard, taken, fatal = runner.switchboard, filebase, None
    with Recording() as recording:
        for chosen in _choices(switchboard, filebase):
            try:
                process(runner, chosen, recording)
                switchboard.sync()
            except GivenBack:
                raise
            except BaseException as error:  # noqa: BLE001 - reported, then raised
                fatal = error
                recording.fail(error)
            if recording.outcome is not Outcome.NOTHING or fatal is not None:
                taken = chosen
                break
        else:
            recording.note = _nothing_because(switchboard, filebase)
    queue = switchboard.name
    return recording.report(runner=runner.name, queue=queue, filebase=taken), fatal


def _choices(switchboard: Switchboard, filebase: str | None) -> Iterator[str]:
    """Yield the chosen file, or the next, and again while somebody else is faster."""
    if filebase is not None:
        yield filebase
        return
    for _ in range(_ATTEMPTS):
        yield from switchboard.ready(1)


def check_choice(switchboard: Switchboard, filebase: str | None) -> None:
    """Refuse what cannot be a file of this slice.

    Raises:
        RunnerError: It is no filebase, or not of this slice.
    """
    if filebase is None:
        return
    if not names.is_filebase(filebase):
        raise RunnerError(f"{visible(filebase, 80)} is no filebase")
    if names.digest_of(filebase) not in switchboard.slice:
        raise RunnerError(f"{filebase} is not in {switchboard.slice}")


def _nothing_because(switchboard: Switchboard, filebase: str | None) -> str:
    if filebase is not None:
        return f"{filebase} does not wait here any more"
    seconds = switchboard.due_in()
    return "nothing waits" if not seconds else f"nothing is due for {seconds:.0f} s"
