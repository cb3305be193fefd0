"""``qtool stop``: end daemons, and wait until they are gone."""

from __future__ import annotations

import os
import select
import signal
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands import steering
from qtool.commands.output import DONE, FAILED, USAGE, put, put_json, tell
from qtool.commands.search import socket_folders
from qtool.commands.site import open_control, tell_late
from qtool.control.serving.attaching import socket_name
from qtool.control.serving.daemons import (
    Daemon,
    daemon_at,
    daemon_of,
    holdings,
    sockets_below,
    state_of,
    states_below,
)
from qtool.errors import Refused

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence

    from qtool.commands.arguments import Parser
    from qtool.settings import Settings

_EXAMPLES = """\
examples:
  qtool stop                           the daemon of the site
  qtool stop out:0:4                   one slice of a runner; the daemon goes on
  qtool stop --all /srv/spools
"""

_PATIENCE_SECONDS = 2.0
"""After this, a line says what is waited for."""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("runner", metavar="RUNNER[:slice:range]", nargs="?",
                        help=f"{steering.HINT}; else the daemon")  # fmt: skip
    parser.add_argument("--all", metavar="DIR", type=Path,
                        help="the daemons of every spool at or below DIR")  # fmt: skip
    steering.json_argument(parser)


def run(options: Namespace) -> int:
    """Have daemons finish the messages in hand, and name each that has ended."""
    if options.runner is not None:
        return _stop_runner(options)
    if options.all is not None and not options.all.is_dir():
        raise Refused(f"{options.all}: no such folder")
    if options.all is not None:
        place = options.all.resolve()
        states, settings = list(states_below(place)), None
    else:
        settings = _settings(options)
        place = settings.queue_root
        states = [state_of(place)]
    stopped = 0
    refusals: list[str] = []
    with ExitStack() as doors:
        asked: dict[int, Daemon] = {}
        for state in states:
            refusals += _ask_all(state, asked, doors)
        stopped += _wait(asked, options)
        # Who is left holds no claim.
        asked = {}
        for path, spool in _sockets(place, settings):
            refusals += _ask(partial(daemon_at, path, spool), asked, doors)
        stopped += _wait(asked, options)
    for line in refusals:
        tell(line)
    if not stopped and not refusals:
        tell(f"no daemon runs in {options.all or place}")
    return FAILED if refusals else DONE


def _stop_runner(options: Namespace) -> int:
    if options.all is not None:
        tell(
            "--all is about daemons, and a runner is about one (see qtool stop --help)"
        )
        return USAGE
    return steering.steer(
        options, lambda control, *part: control.stop(*part), by_daemon=True
    )


def _settings(options: Namespace) -> Settings:
    control = open_control(options)
    control.close()
    return control.configuration.settings


def _sockets(place: Path, settings: Settings | None) -> list[tuple[Path, Path]]:
    """Return the sockets, with the spool of each, of one site or of all below."""
    folders = socket_folders(os.environ)
    if settings is None:
        return list(sockets_below(place, folders, tell_late))
    name = socket_name(settings)
    return [(folder / name, place) for folder in folders]


def _ask_all(state: Path, asked: dict[int, Daemon], doors: ExitStack) -> Iterator[str]:
    """Send the signal to all that hold a spool; yield why where it is not done."""
    try:
        found = holdings(state)
    except PermissionError:
        yield f"{state.parent}: you may not see who runs there"
        return
    for holding in found:
        yield from _ask(partial(daemon_of, holding), asked, doors)


def _ask(
    look: Callable[[], Daemon | str | None], asked: dict[int, Daemon], doors: ExitStack
) -> list[str]:
    """Send the signal to the daemon that is seen; return why where it is not done."""
    found = look()
    if not isinstance(found, Daemon):
        return [found] if found else []
    if found.pid in {each.pid for each in asked.values()}:
        return []
    try:
        # What is opened stays that process, whatever becomes of its number.
        door = os.pidfd_open(found.pid)
        doors.callback(os.close, door)
        if look() != found:
            return []
        signal.pidfd_send_signal(door, signal.SIGTERM)
    except ProcessLookupError:
        return []
    except PermissionError:
        return [f"{found}: you may not signal it"]
    asked[door] = found
    return []


def _wait(asked: dict[int, Daemon], options: Namespace) -> int:
    """Wait until all are gone, and name each that is; return how many."""
    waiting, doors, patience = dict(asked), select.poll(), _PATIENCE_SECONDS
    for door in waiting:
        doors.register(door, select.POLLIN)
    while waiting:
        gone: Sequence[tuple[int, int]] = doors.poll(patience * 1000)
        for door, _ in gone:
            doors.unregister(door)
            _say(waiting.pop(door), options)
        if not gone:
            for daemon in waiting.values():
                tell(f"{daemon}: still finishes the messages in hand")
            patience = 60.0
    return len(asked)


def _say(daemon: Daemon, options: Namespace) -> None:
    if options.json:
        put_json({"pid": daemon.pid, "spool": str(daemon.spool), "told": "stopped"})
    else:
        put(f"{daemon}: stopped")
