"""Pauses on record: kept across restarts, and honoured by every process.

They are in one small file in the state folder. Who writes it holds a lock on the
folder, and the file is replaced as a whole, so who reads it needs none.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from qtool.errors import RunnerError
from qtool.queues import durable
from qtool.queues.state import make_state_folder
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_LAYOUT_VERSION = 1
_LARGEST = 1 << 20
"""Bytes of the file that are read."""
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """One runner, or one of its slices, takes nothing."""

    runner: str
    slice: int | None
    """Number of the slice; None for all of them."""
    who: str
    since: float
    """In epoch seconds."""
    reason: str = ""
    until: float | None = None
    """When it ends by itself, in epoch seconds."""

    def covers(self, runner: str, number: int | None) -> bool:
        """Return whether a slice is paused; None is the whole queue, or any of it."""
        return self.runner == runner and (
            self.slice is None or number is None or self.slice == number
        )

    def describe(self, now: float) -> str:
        """Return why it is paused, who did it, since when and until when."""
        until = "" if self.until is None else f", until {_clock(self.until, now)}"
        reason = f": {visible(self.reason, _LONGEST_REASON)};" if self.reason else ""
        since = _clock(self.since, now)
        return f"paused{reason} by {visible(self.who, 60)} since {since}{until}"


class Pauses:
    """The pauses of one spool.

    Args:
        state_directory: Where the file is; it is made by the first pause.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, state_directory: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self.now = clock
        self._folder = state_directory
        self._path = state_directory / "pauses.json"
        self._name = str(self._path)
        self._read_at: tuple[int, int, int] | None = None
        self._read: tuple[Pause, ...] = ()
        self._damage = ""

    def all(self) -> tuple[Pause, ...]:
        """Return the pauses that have not ended; asks the disk whether there are news.

        A file that says nothing we understand pauses everything: to take what
        somebody wanted left alone cannot be taken back.
        """
        self._look()
        now = self.now()
        return tuple(p for p in self._read if p.until is None or now < p.until)

    def of(self, runner: str, number: int | None) -> Pause | None:
        """Return the pause of a slice, or of any slice where ``number`` is None."""
        self._look()
        if self._damage:
            return Pause(runner=runner, slice=None, who="qtool", since=self.now(),
                         reason=self._damage)  # fmt: skip
        if not self._read:
            return None
        return next((p for p in self.all() if p.covers(runner, number)), None)

    def put(self, pause: Pause) -> None:
        """Record a pause, in the place of what it covers.

        Raises:
            RunnerError: It cannot be written down.
        """
        with self._changing() as pauses:
            pauses[:] = [
                p
                for p in pauses
                if p.runner != pause.runner
                or (pause.slice is not None and p.slice != pause.slice)
            ]
            pauses.append(pause)

    def remove(self, runner: str, number: int | None, count: int) -> bool:
        """End the pause of a runner, or of one of its ``count`` slices.

        Returns:
            Whether there was one.

        Raises:
            RunnerError: It cannot be written down.
        """
        if self.of(runner, number) is None:
            return False
        with self._changing() as pauses:
            ended = [p for p in pauses if p.covers(runner, number)]
            pauses[:] = [p for p in pauses if p not in ended]
            if number is not None:
                pauses += [
                    replace(p, slice=other)
                    for p in ended
                    if p.slice is None
                    for other in range(count)
                    if other != number
                ]
        return True

    # --- Behind the scenes

    def _look(self) -> None:
        """Read the file where it is another than the last time."""
        try:
            status = os.stat(self._name)  # noqa: PTH116 # before each message
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp != self._read_at:
                self._read, self._damage = _parsed(self._path), ""
                self._read_at = stamp
        except FileNotFoundError:
            self._read_at, self._read, self._damage = None, (), ""
        except (
            OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError
        ) as error:  # fmt: skip
            self._read_at, self._read, self._damage = None, (), ""
            # Who may not enter the folder runs nothing, and pauses do not matter.
            if os.access(self._folder, os.X_OK, effective_ids=True):
                self._damage = f"{self._path} cannot be read: {error}"

    @contextmanager
    def _changing(self) -> Iterator[list[Pause]]:
        """Let a list of the pauses be changed, and write it down."""
        try:
            make_state_folder(str(self._folder))
            place = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(place, fcntl.LOCK_EX)  # two who write would lose one
                pauses = list(self.all())
                if self._damage:
                    raise RunnerError(self._damage)
                yield pauses
                self._write(pauses)
                os.fsync(place)
            finally:
                os.close(place)
        except OSError as error:
            reason = error.strerror or str(error)
            raise RunnerError(f"{self._path}: {reason}") from error

    def _write(self, pauses: Sequence[Pause]) -> None:
        temporary = self._path.with_suffix(".tmp")
        with suppress(FileNotFoundError):
            temporary.unlink()  # of one who was killed: the lock is ours
        if not pauses:
            with suppress(FileNotFoundError):
                self._path.unlink()
            return
        import json  # looking where nothing is paused needs none

        kept = {"version": _LAYOUT_VERSION, "pauses": [asdict(p) for p in pauses]}
        durable.write_new(str(temporary), json.dumps(kept, indent=1).encode())
        temporary.replace(self._path)


def _parsed(path: Path) -> tuple[Pause, ...]:
    import json

    kept: Any = json.loads(durable.read_small(str(path), _LARGEST))
    if kept["version"] != _LAYOUT_VERSION:
        raise ValueError(f"its layout is version {kept['version']!r}")
    return tuple(
        Pause(
            runner=str(one["runner"]),
            slice=None if one["slice"] is None else int(one["slice"]),
            who=str(one["who"]),
            since=float(one["since"]),
            reason=str(one["reason"]),
            until=None if one["until"] is None else float(one["until"]),
        )
        for one in kept["pauses"]
    )


def _clock(when: float, now: float) -> str:
    """Return a time of this day as hours and minutes, another with its date."""
    from datetime import UTC, datetime

    try:
        local = datetime.fromtimestamp(when, UTC).astimezone()
        today = datetime.fromtimestamp(now, UTC).astimezone().date()
    except (OverflowError, ValueError, OSError):
        return "an unknown time"
    return local.strftime("%H:%M" if local.date() == today else "%Y-%m-%d %H:%M")
