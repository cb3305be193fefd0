"""The journal: what each act moves from where to where, so that it can be taken back.

One file an act, `.qtool/journal/NUMBER.jsonl`. Its first line is written and synced
before anything is moved, so that after a crash whatever was moved can be found. Its
second line tells how it ended. Until then whoever acts has it locked: without a
second line and a lock the act was cut off. Where a file is now is never taken from the
journal: the folders are asked.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.acts.records import Record, begin_line, end_line, parsed
from qtool.errors import NoSuchAct
from qtool.queues import durable
from qtool.queues.state import make_state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

_LARGEST = 1 << 30
_SUFFIX = ".jsonl"
_TEMPORARY = ".new"
_DEAD = re.compile(r"[0-9]+-[0-9a-f]{12}\.new", re.ASCII)
_DEAD_SECONDS = 3600.0
"""How old what has no number yet is, when whoever wrote it cannot be at it."""


class Journal:
    """The acts on record at one spool.

    Args:
        state_directory: Where it is; made by the first act.
    """

    def __init__(self, state_directory: Path) -> None:
        self._state = state_directory
        self._folder = state_directory / "journal"

    def begin(self, record: Record) -> Begun:
        """Put an act on record before it is done.

        Raises:
            OSError: It cannot be written durably: nothing may be done.
        """
        make_state_folder(str(self._state))
        durable.make_folder(str(self._folder))
        self._forget_dead()
        temporary = self._folder / f"{os.getpid()}-{os.urandom(6).hex()}{_TEMPORARY}"
        durable.write_new(str(temporary), begin_line(record))
        begun, path = None, temporary
        try:
            begun = Begun(temporary)
            begun.number = self._numbered(temporary)
            path = self._path(begun.number)
            durable.sync_folder(str(self._folder))
        except BaseException:
            if begun is not None:
                begun.close()
            with suppress(OSError):
                path.unlink()
            raise
        return begun

    def _forget_dead(self) -> None:
        """Remove what was written by somebody who was killed before it had a number."""
        for name in os.listdir(self._folder):  # noqa: PTH208 - names are all we need
            if _DEAD.fullmatch(name):
                path = self._folder / name
                with suppress(OSError):
                    if time.time() - path.lstat().st_mtime > _DEAD_SECONDS:
                        path.unlink()

    def _numbered(self, temporary: Path) -> int:
        """Give a record the next number; of two who act at once each gets its own."""
        number = max(self.numbers(), default=0)
        while True:
            number += 1
            with suppress(FileExistsError):  # somebody else acts at the same time
                durable.rename_new(str(temporary), str(self._path(number)))
                return number

    def numbers(self) -> list[int]:
        """Return the numbers of all acts on record, the newest first."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - names are all we need
        except FileNotFoundError:
            return []
        stems = [n.removesuffix(_SUFFIX) for n in names if n.endswith(_SUFFIX)]
        numbers = (int(stem) for stem in stems if stem.isascii() and stem.isdecimal())
        named = set(stems)  # what has another name than ours is none of ours
        return sorted((n for n in numbers if n and str(n) in named), reverse=True)

    def read(self, number: int) -> Record:
        """Return one act.

        Raises:
            NoSuchAct: There is none of that number, or it cannot be understood.
        """
        record = self._read(number)
        if record is None:
            raise NoSuchAct(f"there is no act {number} on record")
        if record.damage:
            raise NoSuchAct(record.damage)
        return record

    def records(self) -> Iterator[Record]:
        """Return the acts, the newest first; of damaged ones that they are."""
        return filter(None, map(self._read, self.numbers()))

    def _read(self, number: int) -> Record | None:
        path = str(self._path(number))
        try:
            record = parsed(number, durable.read_small(path, _LARGEST).splitlines())
            locked = record.done is None and _is_locked(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = error.strerror or str(error)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
        else:
            return replace(record, is_under_way=True) if locked else record
        return Record(
            number=number, verb="", queue="", to="", at=0.0, uid=-1, who="", why="",
            moves=(), damage=f"act {number}: {path} cannot be read: {reason}",
        )  # fmt: skip

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}{_SUFFIX}"


class Begun:
    """An act that is on record, and under way until this is closed.

    Args:
        path: Its file, which may get another name.
    """

    number = 0

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags)
        with suppress(OSError):  # where there are no locks, none can be missed
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def end(self, done: Sequence[str], left: int = 0) -> None:
        """Note to which entries it was done, and how many others can be tried again.

        Raises:
            OSError: It cannot be noted durably: it is as if it had been cut off.
        """
        data = end_line(done, left)
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Be done with it, whatever has come of it."""
        os.close(self._descriptor)

    def __enter__(self) -> Begun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _is_locked(path: str) -> bool:
    """Return whether somebody is at it."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
