"""Who runs where: the processes that hold claims, found without a configuration.

A claim's facts are a note that may outlive its process, and its pid may be another
program's by now, or one of another container. So a process is only believed to hold
a claim while it has that claim's lock file open: no other program would.

A daemon all of whose runners were stopped holds no claim. It is found by its socket,
where the system says who is at the other end.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.serving.sockets import connected, peer_of
from qtool.errors import QToolError, Refused
from qtool.queues.claims import noted
from qtool.queues.state import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One process that says it holds claims of a spool."""

    host: str
    pid: int
    spool: Path
    locks: tuple[str, ...]
    """The lock files of its claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A ``qtool run`` that is there."""

    pid: int
    spool: Path

    def __str__(self) -> str:
        return f"pid {self.pid}, {self.spool}"


def state_of(spool: Path) -> Path:
    """Return the state folder of a spool, which need not be there."""
    return spool / STATE_FOLDER


def states_below(directory: Path) -> Iterator[Path]:
    """Yield the state folder of each spool in or below a folder; follows no link."""
    for folder, names, _ in os.walk(directory):
        if STATE_FOLDER in names:
            yield Path(folder) / STATE_FOLDER
        names[:] = sorted(name for name in names if not name.startswith("."))


def holdings(state: Path) -> list[Holding]:
    """Return who says to hold claims of a spool, by the notes; some may be gone.

    Raises:
        PermissionError: The notes are not for this user.
    """
    found: dict[tuple[str, int], set[str]] = {}
    for lock, holder in noted(os.fspath(state)):
        found.setdefault((holder.host, holder.pid), set()).add(lock)
    return [
        Holding(host=host, pid=pid, spool=state.parent, locks=tuple(sorted(locks)))
        for (host, pid), locks in found.items()
    ]


def daemon_of(holding: Holding) -> Daemon | str | None:
    """Return the daemon that a holding is of, or why it is not one to be stopped.

    None where the process is gone, or holds nothing there any more.
    """
    if holding.host != os.uname().nodename:
        return f"{holding.spool} is held by pid {holding.pid} on {holding.host}"
    try:
        if not _has_open(holding.pid, holding.locks):
            return None
        # A daemon's runners may be in processes of their own.
        for pid in (holding.pid, _parent(holding.pid)):
            if _is_run(_command(pid)):
                return Daemon(pid=pid, spool=holding.spool)
        holder = holding.pid
        if _is_engine(_command(holder)):
            holder = _parent(holder)  # the window that it ends with
        program = " ".join(_command(holder)[:3])
    except PermissionError:
        return f"{holding.spool} is held by pid {holding.pid}, another user's"
    except (FileNotFoundError, ProcessLookupError):
        return None
    return f"{holding.spool} is held by pid {holder} ({program}): no daemon"


def sockets_below(
    directory: Path, folders: Iterable[Path], late: Callable[[str, int], None]
) -> Iterator[tuple[Path, Path]]:
    """Yield the socket and the spool of each daemon that serves in or below a folder.

    Args:
        directory: That folder, without a link in its path.
        folders: Where sockets are.
        late: Is told which daemon does not answer for a while.
    """
    from qtool.control.serving.calls import CALLS
    from qtool.control.serving.link import Link

    for folder in folders:
        try:
            paths = sorted(folder.glob("*.sock"))
        except PermissionError:
            continue  # another user's
        for path in paths:
            try:
                site = Link(path, directory, late).ask(CALLS["/v1/site"], {})
            except QToolError:
                continue  # nobody's any more, or another user's: its claims tell
            spool = Path(site.spool).resolve()
            if spool.is_relative_to(directory):
                yield path, spool


def daemon_at(path: Path, spool: Path) -> Daemon | None:
    """Return the daemon that serves on a socket, if it is one to be stopped."""
    try:
        connection = connected(path)
    except Refused:
        return None
    if connection is None:
        return None
    with connection:
        pid = peer_of(connection).pid
    try:
        return Daemon(pid=pid, spool=spool) if _is_run(_command(pid)) else None
    except (FileNotFoundError, ProcessLookupError):
        return None  # of another container


def _has_open(pid: int, paths: Sequence[str]) -> bool:
    """Return whether a process has one of these files open."""
    wanted = set()
    for path in paths:
        with suppress(FileNotFoundError):
            facts = Path(path).stat()
            wanted.add((facts.st_dev, facts.st_ino))
    for opened in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            facts = opened.stat()
            if (facts.st_dev, facts.st_ino) in wanted:
                return True
    return False


def _parent(pid: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    return int(text.rpartition(")")[2].split()[1])


def _command(pid: int) -> list[str]:
    data = Path(f"/proc/{pid}/cmdline").read_bytes()
    return os.fsdecode(data).rstrip("\0").split("\0")


def _is_run(words: Sequence[str]) -> bool:
    """Return whether a command line is that of ``qtool run``."""
    for number, word in enumerate(words[:4]):
        if Path(word).name == "qtool":  # also that of `python -m qtool`
            return "run" in words[number + 1 :]
    return False


def _is_engine(words: Sequence[str]) -> bool:
    """Return whether a command line is that of a console's own engine."""
    return "qtool.commands.private" in words[:4]
