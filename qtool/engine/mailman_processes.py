"""The runners of a Mailman that runs, as the system shows their processes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.engine.mailman_site import command_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPEC = re.compile(r"--runner=([^:=\s]+):([0-9]{1,6}):[0-9]{1,6}", re.ASCII)
_DEAD, _SUSPENDED = frozenset("ZXx"), frozenset("Tt")
_DOING = {
    "R": "computes",
    "S": "sleeps, or waits for the network",
    "D": "waits for a disk",
    "T": "is stopped by a signal",
    "t": "is stopped by a debugger",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailmanProcess:
    """One runner slice of Mailman's."""

    pid: int
    state: str
    """A letter, as ``ps`` shows it."""

    @property
    def is_suspended(self) -> bool:
        """Whether it does nothing until somebody lets it go on."""
        return self.state in _SUSPENDED

    @property
    def told(self) -> str:
        """What it does, in words."""
        return f"its runner (pid {self.pid}) {_DOING.get(self.state, 'is there')}"


def processes_of(master: int) -> Mapping[tuple[str, int], MailmanProcess] | None:
    """Return the runners that a master keeps, by name and number of the slice.

    None where the system does not show that, or the master is just starting some.
    """
    found = {}
    for pid in _children(master):
        words = command_line(pid)
        specs = filter(None, map(_SPEC.fullmatch, words))
        spec, state = next(specs, None), _state(pid)
        if spec is not None and state and state not in _DEAD:
            found[spec[1], int(spec[2])] = MailmanProcess(pid=pid, state=state)
        elif any(Path(word).name == "master" for word in words[:4]):
            return None
    return found or None


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _state(pid: int) -> str:
    """Return the letter of a process's state; empty where it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].strip()[:1]
