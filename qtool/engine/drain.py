"""A drain: passes over all queues until nothing is ready."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from qtool.engine.shunting import one_line
from qtool.engine.status import Counts, Drained, RunnerState
from qtool.errors import QToolError, RunnerError
from qtool.queues.slices import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.engine.runner import Runner
    from qtool.engine.runner_thread import RunnerThread
    from qtool.installation import Configuration

_PATIENCE = 10
"""How many rounds, and one more for each runner, may go by without fewer waiting."""


def drain(
    config: Configuration,
    threads: Sequence[RunnerThread],
    closing: Callable[[], bool],
) -> Drained:
    """Have each runner do passes, in turn, until nothing is ready.

    Runners that run already do theirs in between; the others hold their claims
    for as long as the drain lasts. What a pass makes in an earlier queue is found
    in the next round. Messages that go round in a circle would never end it, so it
    ends, too, when many rounds in a row have not made those that wait fewer.

    Args:
        config: Which queues there are.
        threads: The runners to drain, in order.
        closing: Whether to end early, after the message in hand.
    """
    failures: list[str] = []
    before = sum((thread.counts for thread in threads), Counts())
    with ExitStack() as errands:
        runners: dict[RunnerThread, Runner] = {}
        for thread in threads:
            try:
                runners[thread] = _at_work(thread, errands)
            except Exception as error:  # noqa: BLE001 - noted; a class may raise anything
                failures.append(_reason(thread, error))
        note = _rounds(config, runners, failures, closing)
    after = sum((thread.counts for thread in threads), Counts())
    return Drained(
        counts=after - before,
        left=_left(config, threads),
        note=note,
        failures=tuple(failures),
    )


def _at_work(thread: RunnerThread, errands: ExitStack) -> Runner:
    """Return the runner, started for this where it does not run."""
    if thread.runner is not None:
        if thread.state is RunnerState.PAUSED:
            raise RunnerError("paused")
        return thread.runner
    runner = thread.start(only_asked=True)
    errands.callback(thread.wait)
    errands.callback(runner.stop)
    return runner


def _rounds(
    config: Configuration,
    runners: dict[RunnerThread, Runner],
    failures: list[str],
    closing: Callable[[], bool],
) -> str:
    """Have rounds done until nothing is ready; return why it ended before that."""
    names = {thread.name for thread in runners}
    fewest, fruitless = None, 0
    while _one_round(runners, failures, closing):
        waiting = _left(config, list(runners))
        if not waiting:
            break
        if fewest is None or waiting < fewest:
            fewest, fruitless = waiting, 0
        else:
            fruitless += 1
        # In as many rounds as there are runners a message has passed each of them.
        if fruitless >= len(names) + _PATIENCE:
            return (
                f"no end is in sight: in {fruitless} rounds those that wait have not"
                " become fewer; do messages go round in a circle?"
            )
    return ""


def _one_round(
    runners: dict[RunnerThread, Runner],
    failures: list[str],
    closing: Callable[[], bool],
) -> bool:
    """Have each runner do one pass; return whether another round is needed."""
    taken = 0
    for thread, runner in list(runners.items()):
        if closing():
            return False
        try:
            taken += runner.one_pass(retake=False)
        except (QToolError, OSError) as error:
            del runners[thread]
            if not closing():
                failures.append(_reason(thread, error))
    return taken > 0


def _left(config: Configuration, threads: Sequence[RunnerThread]) -> int:
    """Count what still waits in the queues of these runners."""
    left = 0
    for name in {thread.name for thread in threads}:
        queue = config.switchboards.get(name)
        with suppress(OSError):  # its runner failed of that, too
            left += queue.scan([whole()]).depth if queue is not None else 0
    return left


def _reason(thread: RunnerThread, error: Exception) -> str:
    text = str(error) if isinstance(error, QToolError) else one_line(error)
    return text if text.startswith(thread.name) else f"{thread}: {text}"
