"""What runs at a Mailman site: its master, and where its programs are."""

from __future__ import annotations

import os
import stat
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.engine.mailman_lease import read_claim
from qtool.engine.mailman_register import Register
from qtool.errors import ClaimsUnsupported, Refused
from qtool.queues.state import STATE_FOLDER
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtool.settings import Settings

_COMMON_PLACES = (
    Path("/opt/mailman/venv/bin"),
    Path("/opt/mailman/mm/venv/bin"),
    Path("/usr/lib/mailman3/bin"),
)
_LONGEST_COMMAND_LINE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class MailmanMaster:
    """A master of Mailman that runs, as its lock tells."""

    pid: int
    host: str
    """The machine's name; empty when it is this one."""
    programs: Path | None
    """The folder of the program it was started as, where that can be seen."""

    def __str__(self) -> str:
        where = f" on {visible(self.host, 80)}" if self.host else ""
        return f"pid {self.pid}{where}"


def running_master(settings: Settings) -> MailmanMaster | None:
    """Return the master that holds the lock; None when there is none, or no more."""
    claim = read_claim(settings.lock_file) if settings.lock_file is not None else None
    if claim is None or _is_for_ours(claim.text, settings.queue_root / STATE_FOLDER):
        return None
    host, pid = claim.host, claim.pid
    program = _master_program(pid)
    if program is not None:
        return MailmanMaster(pid=pid, host="", programs=program.parent)
    if _is_this_machine(host):
        hidden = MailmanMaster(pid=pid, host="", programs=None)
        return hidden if _is_hidden(pid) else None
    if claim.expires < time.time():
        return None
    return MailmanMaster(pid=pid, host=host, programs=None)


def _is_for_ours(claim: str, state_directory: Path) -> bool:
    """Return whether the lock is held for runners of ours, as it may be anywhere."""
    try:
        with closing(Register(state_directory, only_looks=True)) as register:
            return claim == register.noted() and register.has_holder()
    except (OSError, ClaimsUnsupported):
        return False


def _is_this_machine(host: str) -> bool:
    # No look-up of the full name: that may ask the network, and wait for it.
    label = host.partition(".")[0].lower()
    return label in {"localhost", os.uname().nodename.partition(".")[0].lower()}


def command_line(pid: int) -> list[str]:
    """Return the words of a process; none where it has ended, or is hidden."""
    try:
        with Path(f"/proc/{pid}/cmdline").open("rb") as stream:
            words = stream.read(_LONGEST_COMMAND_LINE).split(b"\0")
    except OSError:
        return []
    return [os.fsdecode(word) for word in words]


def _master_program(pid: int) -> Path | None:
    """Return the ``master`` that process runs, if it runs one and lets us see it."""
    programs = map(Path, command_line(pid)[:4])
    return next((program for program in programs if program.name == "master"), None)


def _is_hidden(pid: int) -> bool:
    """Say whether there is another user's process that /proc does not show us."""
    if pid == 0 or Path(f"/proc/{pid}").exists():
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        pass
    return False


def runner_program(settings: Settings) -> Path:
    """Return Mailman's own ``runner``.

    Looked for where the configuration or the caller says, where the running
    master was started from, beside the configuration, and in the usual places.

    Raises:
        Refused: It is in none of them.
    """
    master = running_master(settings)
    file = Path(os.path.abspath(settings.source))  # noqa: PTH100 - keep symbolic links
    places = _present(
        [
            settings.program_directory,
            master.programs if master else None,
            *(folder / "bin" for folder in (file.parent, *file.parents[1:3])),
            file.parent / "venv" / "bin",
            *_COMMON_PLACES,
        ]
    )
    for place in places:
        program = place / "runner"
        if (
            place.is_absolute()
            and _is_program(program)
            and _is_program(place / "master")
        ):
            return program
    raise Refused(
        "Mailman's own program 'runner' is in none of"
        f" {', '.join(str(place) for place in dict.fromkeys(places))}:"
        " name its folder with --mailman-bin, or as bin_dir in mailman.cfg's layout"
    )


def _present(places: Iterable[Path | None]) -> list[Path]:
    return [place for place in places if place is not None]


def _is_program(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and os.access(path, os.X_OK)
