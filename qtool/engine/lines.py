"""What a master and the process of one of its runners say to each other.

Objects in JSON, one a line, over a pair of sockets: nothing is unpickled.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from qtool.engine import step
from qtool.engine.status import Counts
from qtool.queues.switchboard import Enqueued
from qtool.settings import RunnerSettings, Settings
from qtool.settings.idle import IdleTest
from qtool.wire import Wire, dumped

_CHUNK = 1 << 16
_NONE = Counts()

Said = dict[str, Any]
"""One line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a process is told first: which runner it is, and how that stands."""

    name: str
    slice: int
    is_common: bool
    """Whether the master's configuration is what ``qtool.config`` is, too."""
    path: tuple[str, ...]
    """Where modules are found."""
    log_level: int
    sleep_seconds: float
    only_asked: bool
    stops: bool
    pauses: bool

    @property
    def told(self) -> str:
        """What it is called in lists of processes."""
        return f"{self.name}:{self.slice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a process says of its runner."""

    seen: int = 0
    """The last of what was asked that it has begun with."""
    is_open: bool = False
    stopping: bool = False
    pausing: bool = False
    waiting: bool = False
    not_idle: str = ""
    counts: Counts = _NONE
    filebase: str | None = None
    """Of the message in hand."""
    at_work: bool = False
    """With that message, or with something else."""
    seconds: float = 0.0
    """For how long."""
    thread: int = 0
    cpu_seconds: float = 0.0
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Where a runner stands that does not get done with something."""

    waits_for: str
    where: str
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A log record."""

    source: str
    level: int
    when: float
    text: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """What a runner failed of."""

    kind: str
    """The class, where it is an error of qtool's; empty otherwise."""
    note: str
    traceback: str
    is_final: bool
    """Whether the runner is not started again for it."""


WIRE = Wire(
    {
        **vars(step),
        "Any": Any,
        "Counts": Counts,
        "Enqueued": Enqueued,
        "IdleTest": IdleTest,
        "Mapping": Mapping,
        "Path": Path,
    }
)


class Line:
    """One end of what connects both.

    Args:
        door: The socket, which this closes.
    """

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._rest = b""
        self._sending = threading.Lock()
        self._is_cut = False
        """A line was begun, and cannot be ended."""

    def fileno(self) -> int:
        """Return what ``select`` looks at."""
        return self._door.fileno()

    def say(self, **said: Any) -> None:
        """Send one line.

        Raises:
            TimeoutError: Nobody listens, and no other line can be sent.
            OSError: Nobody is there any more.
        """
        data = json.dumps(said).encode("ascii") + b"\n"
        with self._sending:
            if self._is_cut:
                raise BrokenPipeError
            try:
                self._door.sendall(data)
            except TimeoutError:
                # What follows would be read as the rest of what was sent of this.
                self._is_cut = True
                self._door.shutdown(socket.SHUT_WR)
                raise

    def heard(self) -> list[Said] | None:
        """Return the lines that have come, after waiting for some; None at the end."""
        try:
            data = self._door.recv(_CHUNK)
        except ConnectionError:
            return None
        if not data:
            return None
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in whole]

    def close(self) -> None:
        """End it; the other side reads the end of the file."""
        self._door.close()


def dumped_settings(settings: Settings) -> Said:
    """Return settings in what ``json.dumps`` takes."""
    runners = [
        {**dumped(replace(runner, options={})), "options": dict(runner.options)}
        for runner in settings.runners.values()
    ]
    return {**dumped(replace(settings, runners={})), "runners": runners}


def loaded_settings(said: Said) -> Settings:
    """Return the settings that ``dumped_settings`` was given."""
    runners = {}
    for each in said["runners"]:
        runner = WIRE.loaded(RunnerSettings, {**each, "options": {}})
        options = MappingProxyType(each["options"])
        runners[runner.name] = replace(runner, options=options)
    settings: Settings = WIRE.loaded(Settings, {**said, "runners": {}})
    return replace(settings, runners=MappingProxyType(runners))
