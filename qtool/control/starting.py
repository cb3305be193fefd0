"""Starting everything that a site is to run by itself."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from qtool.control.standing import ACTIVE
from qtool.errors import QToolError, Refused, RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.control.models import State
    from qtool.settings import RunnerSettings, Settings

T = TypeVar("T")

TAKES_LONG = "its start takes long, and goes on"

_PATIENCE_SECONDS = 10.0


def start_all(
    settings: Settings,
    states_of: Callable[[RunnerSettings], Sequence[State]],
    start: Callable[[RunnerSettings], tuple[Sequence[int], str]],
) -> str:
    """Start every runner that is not switched off; return what happened in a line.

    Args:
        settings: Which runners there are.
        states_of: Returns the states of a runner's slices.
        start: Starts a runner; returns which slices, and a line on one that waits.

    Raises:
        RunnerError: None could be started, and none waits.
        Refused: There is none to be started.
    """
    runners = _starting(settings)
    idle = [each for each in runners if not _is_active(states_of(each))]
    failures, waiting, started = list[str](), list[str](), set[str]()

    def begin(runner: RunnerSettings) -> None:
        try:
            numbers, waits = start(runner)
        except QToolError as error:
            failures.append(f"{runner.name}: {error}")
        else:
            started.update([runner.name] if numbers else [])
            waiting.extend([waits] if waits else [])

    late = side_by_side(begin, idle)
    waiting += [f"{runner.name}: {TAKES_LONG}" for runner in late]
    if not idle:
        return "every runner runs already"
    if failures and not (started or waiting):
        raise RunnerError("; ".join(failures))
    names = [runner.name for runner in idle if runner.name in started]
    first = [f"started {', '.join(names)}"] if names else []
    return "; ".join([*first, *waiting, *failures])


def _starting(settings: Settings) -> list[RunnerSettings]:
    """Return what is not switched off; other queues wait, or are Mailman's."""
    runners = [
        runner
        for runner in settings.runners.values()
        if runner.served and runner.start and runner.instances
        and runner.class_path is not None and not runner.foreign
    ]  # fmt: skip
    if not runners:
        raise Refused(_nothing_to_start(settings))
    return runners


def side_by_side(
    begin: Callable[[T], None], each: Sequence[T], seconds: float = _PATIENCE_SECONDS
) -> list[T]:
    """Begin each in a thread of its own; return those that are not through.

    A class may do what it likes while it is imported and made, for as long as it
    likes. What is not through goes on, and holds up none of the others.

    Args:
        begin: Begins one.
        each: What is to be begun.
        seconds: How long to wait for all of them.
    """
    errors: list[BaseException] = []

    def guarded(one: T) -> None:
        try:
            begin(one)
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(e,), daemon=True) for e in each]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if errors:
        raise errors[0]
    return [one for one, thread in zip(each, threads, strict=True) if thread.is_alive()]


def _is_active(states: Sequence[State]) -> bool:
    return bool(states) and set(states) <= ACTIVE


def _nothing_to_start(settings: Settings) -> str:
    if settings.source.startswith("--root"):
        return (
            "there is nothing to run: --root names no runner, a configuration"
            " does (--config FILE)"
        )
    return f"there is nothing to run: {settings.source} names no runner with a class"
