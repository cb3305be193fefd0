"""Whether Mailman works a queue: its master runs, and so does that runner of its."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.models import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.engine.mailman_processes import MailmanProcess
    from qtool.settings import RunnerSettings

    Processes = Mapping[tuple[str, int], MailmanProcess]


def states_of(
    settings: RunnerSettings, runs: bool, processes: Processes | None
) -> tuple[State, ...]:
    """Return the states of the slices of one of Mailman's runners.

    Args:
        settings: The runner.
        runs: Whether Mailman's master runs, and is to keep this runner.
        processes: Those of its runners; None where they are not known.
    """
    numbers = range(max(1, settings.instances))
    if not runs:
        return (State.MAILMAN_STOPPED,) * len(numbers)
    return tuple(
        State.MAILMAN
        if processes is None or (settings.name, number) in processes
        else State.MAILMAN_STOPPED
        for number in numbers
    )


def note_of(settings: RunnerSettings, master: str, states: tuple[State, ...]) -> str:
    """Return in words that a master runs, and which slices it does not keep."""
    gone = [n for n, state in enumerate(states) if state is State.MAILMAN_STOPPED]
    if not gone:
        return master
    if len(gone) == len(states):
        return f"Mailman runs ({master}), and its runner {settings.name} does not"
    which = ", ".join(f"{settings.name}:{n}:{len(states)}" for n in gone[:4])
    more = f" and {len(gone) - 4} more" if len(gone) > 4 else ""
    verb = "does" if len(gone) == 1 else "do"
    return f"Mailman runs ({master}), and of its runners {which}{more} {verb} not"
