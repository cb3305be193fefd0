"""What the journal holds of an act: its record, as lines and as values."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from qtool.control.places import trash
from qtool.queues.filebase import IN_HAND

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN_TRASH = "trash"
"""Stands for the trash of the act itself, whose number is not known before."""
_VERSION = 1
_LAST_MOMENT = 253_402_300_799.0
"""The end of the year 9999: what is later is no time of an act."""


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
    original: str = ""
    """Of a swap, the mark of what was there before it."""

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
            original=self.original,
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
    """Filebases it was done to; None where it is under way, or was cut off."""
    left: int = 0
    """How many others are as they were, and could be tried again."""
    is_under_way: bool = False
    damage: str = ""
    """Why nothing but its number is known; else empty."""

    @property
    def carried_out(self) -> tuple[Moved, ...]:
        """The moves that were made, or may have been."""
        if self.done is None:
            return self.moves
        done = set(self.done)
        return tuple(move for move in self.moves if move.filebase in done)


_MOVED = tuple(field.name for field in fields(Moved))
_KINDS: dict[str, tuple[type, ...]] = {
    "verb": (str,), "queue": (str,), "to": (str,), "at": (float, int), "uid": (int,),
    "who": (str,), "why": (str,), "undoes": (int,),
}  # fmt: skip
"""What a record tells besides its moves."""


def begin_line(record: Record) -> bytes:
    """Return the first line of an act's file: everything but its end."""
    # By hand: ``asdict`` copies whatever is in it, and there may be 100,000 moves.
    moves = [{name: getattr(move, name) for name in _MOVED} for move in record.moves]
    told = {name: getattr(record, name) for name in _KINDS}
    return _line({"version": _VERSION, **told, "moves": moves})


def end_line(done: Sequence[str], left: int) -> bytes:
    """Return the second line of an act's file."""
    return _line({"done": list(done), "left": left})


def parsed(number: int, lines: list[bytes]) -> Record:
    """Return what the file of an act tells.

    Raises:
        ValueError, KeyError, TypeError, IndexError, RecursionError: It is damaged.
    """
    facts: dict[str, Any] = dict(json.loads(lines[0]))
    if facts.pop("version") != _VERSION:
        raise ValueError("another qtool has written it")
    for name, kinds in _KINDS.items():
        if type(facts[name]) not in kinds:
            raise ValueError(f"{name} is no {kinds[0].__name__}")
    if not 0 <= facts["at"] <= _LAST_MOMENT:
        raise ValueError("at is no time of an act")
    facts["moves"] = tuple(_move(move, number) for move in facts["moves"])
    done, left = _ending(lines)
    return Record(number=number, done=done, left=left, **facts)


def _move(facts: dict[str, Any], number: int) -> Moved:
    if facts["target"] == OWN_TRASH:
        facts["target"] = trash(number)
    names = ("source", "filebase", "target", "new_filebase")
    texts = [facts.get("original", ""), *(facts[name] for name in names)]
    if not all(type(text) is str for text in texts):
        raise ValueError("a place or a filebase is no text")
    if not {facts["suffix"], facts["new_suffix"]} <= IN_HAND.keys():
        raise ValueError("there is no such state of an entry")
    if type(facts["msgdata"]) not in (dict, type(None)):
        raise ValueError("msgdata are no metadata")
    return Moved(**facts)


def _ending(lines: list[bytes]) -> tuple[tuple[str, ...] | None, int]:
    try:
        facts = json.loads(lines[1])
    except (IndexError, ValueError):  # cut off, maybe in the middle of the line
        return None, 0
    return tuple(map(str, facts["done"])), int(facts.get("left", 0))


def _line(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=True).encode("ascii") + b"\n"
