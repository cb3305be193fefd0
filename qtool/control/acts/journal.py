"""The journal: what each act moves from where to where, so that it can be taken back.

One file an act, `.qtool/journal/NUMBER.jsonl`; see `qtool.control.acts.records`. What
is to be moved is written and synced before anything is, so that after a crash whatever
was moved can be found. Its last line tells how it ended. Until then whoever acts has it
locked: without that line and a lock the act was cut off. Where a file is now is never
taken from the journal: the folders are asked.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.acts.begun import Begun, is_locked, lock
from qtool.control.acts.records import (
    Record,
    Summary,
    begin_lines,
    parsed,
    summary,
)
from qtool.errors import NoSuchAct, Refused
from qtool.queues import durable
from qtool.queues.state import make_state_folder
from qtool.queues.writers import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LARGEST = 1 << 30
_SUFFIX = ".jsonl"
_DAMAGE = (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError)
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
            Refused: The journal is being removed.
        """
        make_state_folder(str(self._state))
        durable.make_folder(str(self._folder))
        with ExitStack() as stack:
            self._enter(stack)
            begun = self._written(record)
            begun.at_end = stack.pop_all()
        return begun

    def _enter(self, stack: ExitStack) -> None:
        """Keep the folder where it is for as long as that has not ended."""
        descriptor = os.open(self._folder, FOLDER)
        stack.callback(os.close, descriptor)
        if not lock(descriptor, fcntl.LOCK_SH) or not self._is_at(descriptor):
            raise Refused("qtool leave is at work here: nothing was done")

    def _is_at(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._folder.stat())
        except FileNotFoundError:
            return False

    def _written(self, record: Record) -> Begun:
        self._forget_dead()
        temporary = self._folder / f"{os.getpid()}-{os.urandom(6).hex()}{_TEMPORARY}"
        durable.write_new(str(temporary), begin_lines(record))
        begun, path = None, temporary
        try:
            begun = Begun(temporary, len(record.moves))
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
        """Return all of one act.

        Raises:
            NoSuchAct: There is none of that number, or it cannot be understood.
        """
        path = str(self._path(number))
        try:
            locked = is_locked(path)  # before: it may end meanwhile
            record = parsed(number, durable.read_small(path, _LARGEST))
            return replace(record, is_under_way=locked and record.done is None)
        except FileNotFoundError:
            raise self.missing(number) from None
        except _DAMAGE as error:
            raise NoSuchAct(_damage(number, path, error)) from error

    def summary(self, number: int) -> Summary:
        """Return one act without its moves; raises as ``read`` does."""
        found = self._summary(number)
        if found is None:
            raise self.missing(number)
        if found.damage:
            raise NoSuchAct(found.damage)
        return found

    def missing(self, number: int) -> NoSuchAct:
        """Return what to raise where an act is not there."""
        if 0 < number < max(self.numbers(), default=0):
            return NoSuchAct(f"act {number} is not on record any more")
        return NoSuchAct(f"there is no act {number} on record")

    def summaries(self, numbers: Iterable[int] | None = None) -> Iterator[Summary]:
        """Return acts, of damaged ones that they are; all, the newest first."""
        numbers = self.numbers() if numbers is None else numbers
        return filter(None, map(self._summary, numbers))

    def changed_at(self, number: int) -> float:
        """Return when an act was put on record, or ended; 0 where it is not there."""
        with suppress(FileNotFoundError):
            return self._path(number).lstat().st_mtime
        return 0.0

    def forget(self, number: int) -> None:
        """Remove an act from the record; whoever reads it goes on with what it has."""
        with suppress(OSError):  # somebody else was faster, or it is no file
            self._path(number).unlink()

    def _summary(self, number: int) -> Summary | None:
        path = str(self._path(number))
        try:
            with durable.opened(path) as file:
                locked = not lock(file.fileno(), fcntl.LOCK_SH)
                found = summary(number, file)
            return replace(found, is_under_way=locked and found.done is None)
        except FileNotFoundError:
            return None
        except _DAMAGE as error:
            return Summary(
                number=number, verb="", queue="", to="", at=0.0, uid=-1, who="", why="",
                damage=_damage(number, path, error),
            )  # fmt: skip

    def under_way(self) -> list[Summary]:
        """Return the acts that somebody is at, the newest first."""
        locked = (n for n in self.numbers() if self._is_locked(n))
        return [r for r in map(self._summary, locked) if r and r.is_under_way]

    def _is_locked(self, number: int) -> bool:
        try:
            return is_locked(str(self._path(number)))
        except OSError:
            return False

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Keep acts from beginning.

        Raises:
            Refused: One is under way.
        """
        try:
            descriptor = os.open(self._folder, FOLDER)
        except FileNotFoundError:  # there was no act yet
            yield
            return
        try:
            if not lock(descriptor, fcntl.LOCK_EX):
                raise Refused("an act is under way")
            yield
        finally:
            os.close(descriptor)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}{_SUFFIX}"


def _damage(number: int, path: str, error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
    return f"act {number}: {path} cannot be read: {reason}"
