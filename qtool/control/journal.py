"""The journal: what each act moves from where to where, so that it can be taken back.

One file an act, `.qtool/journal/NUMBER.jsonl`. Its first line is written and synced
before anything is moved, so that after a crash whatever was moved can be found. Its
second line tells how it ended. Where a file is now is never taken from the journal:
the folders are asked.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool.control.places import trash
from qtool.errors import NoSuchAct
from qtool.queues import durable
from qtool.queues.state import make_state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OWN_TRASH = "trash"
"""Stands for the trash of the act itself, whose number is not known before."""
_VERSION = 1
_LARGEST = 1 << 30
_TEMPORARY = ".new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One entry's way: from where, to where, and what it lost of its metadata."""

    source: str
    """Name of the place."""
    filebase: str
    suffix: str
    target: str
    new_filebase: str
    new_suffix: str
    msgdata: Any = None
    """In tagged JSON, what its metadata had besides before; None where it is kept."""
    swapped: bool = False
    """Both places have an entry of that name, and changed files."""

    @property
    def backwards(self) -> Moved:
        """The way back; the metadata is put together by who goes it."""
        return Moved(
            source=self.target,
            filebase=self.new_filebase,
            suffix=self.new_suffix,
            target=self.source,
            new_filebase=self.filebase,
            new_suffix=self.suffix,
            msgdata=self.msgdata,
            swapped=self.swapped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One act, as its file tells it."""

    number: int
    verb: str
    queue: str
    to: str
    at: float
    uid: int
    who: str
    why: str
    moves: tuple[Moved, ...]
    undoes: int = 0
    done: tuple[str, ...] | None = None
    """Filebases it was done to; None where it was cut off."""

    @property
    def carried_out(self) -> tuple[Moved, ...]:
        """The moves that were made, or may have been."""
        if self.done is None:
            return self.moves
        done = set(self.done)
        return tuple(move for move in self.moves if move.filebase in done)


class Journal:
    """The acts on record at one spool.

    Args:
        state_directory: Where it is; made by the first act.
    """

    def __init__(self, state_directory: Path) -> None:
        self._state = state_directory
        self._folder = state_directory / "journal"

    def begin(self, record: Record) -> int:
        """Put an act on record before it is done; return the number it gets.

        Raises:
            OSError: It cannot be written durably: nothing may be done.
        """
        make_state_folder(str(self._state))
        durable.make_folder(str(self._folder))
        facts = {"version": _VERSION, **asdict(record)}
        for name in ("number", "done"):
            del facts[name]
        temporary = self._folder / f"{os.getpid()}-{os.urandom(6).hex()}{_TEMPORARY}"
        durable.write_new(str(temporary), _line(facts))
        number = max(self.numbers(), default=0)
        while True:
            number += 1
            try:
                durable.rename_new(str(temporary), str(self._path(number)))
            except FileExistsError:
                continue  # somebody else acts at the same time
            durable.sync_folder(str(self._folder))
            return number

    def end(self, number: int, done: Sequence[str]) -> None:
        """Note to which entries an act was done."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path(number), flags)
        try:
            data = _line({"done": list(done)})
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def numbers(self) -> list[int]:
        """Return the numbers of all acts on record, the newest first."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - names are all we need
        except FileNotFoundError:
            return []
        stems = (name.removesuffix(".jsonl") for name in names if name[-6:] == ".jsonl")
        return sorted((int(s) for s in stems if s.isdecimal()), reverse=True)

    def read(self, number: int) -> Record:
        """Return one act.

        Raises:
            NoSuchAct: There is none of that number, or it cannot be understood.
        """
        try:
            lines = durable.read_small(str(self._path(number)), _LARGEST).splitlines()
            return _parsed(number, lines)
        except FileNotFoundError:
            raise NoSuchAct(f"there is no act {number} on record") from None
        except (ValueError, KeyError, TypeError, IndexError) as error:
            reason = f"act {number}: {self._path(number)} cannot be read: {error}"
            raise NoSuchAct(reason) from error

    def records(self, before: int | None = None) -> Iterator[Record]:
        """Return the acts, the newest first; those below ``before``."""
        for number in self.numbers():
            if before is None or number < before:
                yield self.read(number)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.jsonl"


def _line(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=True).encode("ascii") + b"\n"


def _parsed(number: int, lines: list[bytes]) -> Record:
    facts: dict[str, Any] = json.loads(lines[0])
    if facts.pop("version") != _VERSION:
        raise ValueError("another qtool has written it")
    facts["moves"] = tuple(_move(move, number) for move in facts["moves"])
    return Record(number=number, done=_ending(lines), **facts)


def _move(facts: dict[str, Any], number: int) -> Moved:
    move = Moved(**facts)
    return replace(move, target=trash(number)) if move.target == OWN_TRASH else move


def _ending(lines: list[bytes]) -> tuple[str, ...] | None:
    try:
        return tuple(json.loads(lines[1])["done"])
    except (IndexError, ValueError):  # cut off, maybe in the middle of the line
        return None
