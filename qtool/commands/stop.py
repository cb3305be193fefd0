"""``qtool stop``: end daemons, and wait until they are gone."""

from __future__ import annotations

import os
import select
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

from qtool.commands.output import DONE, FAILED, put, tell
from qtool.commands.site import open_control
from qtool.control.daemons import Daemon, daemon_of, holdings, states_below
from qtool.errors import Refused

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from qtool.control.daemons import Holding

_PATIENCE_SECONDS = 5.0
"""After this, a line says what is waited for."""


def run(options: Namespace) -> int:
    """Have daemons finish the messages in hand, and name each that has ended."""
    if options.all is not None and not options.all.is_dir():
        raise Refused(f"{options.all}: no such folder")
    states = (
        list(states_below(options.all.resolve()))
        if options.all is not None
        else [_state(options)]
    )
    with ExitStack() as doors:
        asked: dict[int, Daemon] = {}
        refusals = [line for state in states for line in _ask_all(state, asked, doors)]
        for line in refusals:
            tell(line)
        if not asked and not refusals:
            tell(f"no daemon runs in {options.all or states[0].parent}")
        _wait(asked)
    return FAILED if refusals else DONE


def _state(options: Namespace) -> Path:
    control = open_control(options)
    try:
        return control.configuration.state_directory
    finally:
        control.close()


def _ask_all(state: Path, asked: dict[int, Daemon], doors: ExitStack) -> Iterator[str]:
    """Send the signal to all that hold a spool; yield why where it is not done."""
    try:
        found = holdings(state)
    except PermissionError:
        yield f"{state.parent}: you may not see who runs there"
        return
    for holding in found:
        line = _ask(holding, asked, doors)
        if line is not None:
            yield line


def _ask(holding: Holding, asked: dict[int, Daemon], doors: ExitStack) -> str | None:
    """Send the signal to the daemon of a holding; return why that is not done."""
    found = daemon_of(holding)
    if not isinstance(found, Daemon):
        return found
    if found in asked.values():
        return None
    try:
        # What is opened stays that process, whatever becomes of its number.
        door = os.pidfd_open(found.pid)
        doors.callback(os.close, door)
        if daemon_of(holding) != found:
            return None
        signal.pidfd_send_signal(door, signal.SIGTERM)
    except ProcessLookupError:
        return None
    except PermissionError:
        return f"{found}: you may not signal it"
    asked[door] = found
    return None


def _wait(asked: dict[int, Daemon]) -> None:
    """Wait until all are gone, and name each that is."""
    waiting, doors, patience = dict(asked), select.poll(), _PATIENCE_SECONDS
    for door in waiting:
        doors.register(door, select.POLLIN)
    while waiting:
        gone: Sequence[tuple[int, int]] = doors.poll(patience * 1000)
        for door, _ in gone:
            doors.unregister(door)
            put(f"{waiting.pop(door)}: stopped")
        if not gone:
            for daemon in waiting.values():
                tell(f"{daemon}: still finishes the messages in hand")
            patience = 60.0
