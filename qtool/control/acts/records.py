"""What the journal holds of an act: its record, as lines and as values.

    {"version": 2, "verb": ..., "count": 3}     what it is
    [["in", "17...", ".pck", "out"], ...]       its moves
    ["17...", ...]                              which were made, or may be in part,
                                                where not all were made
    {"done": 2, "left": 0}                      how it ended

The first two are there before anything is done, the others once it has ended. So the
beginning and the end of a file tell an act, of however many entries. Version 1 had the
moves in the first line, and the second listed all that were made.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from qtool.control.places import trash
from qtool.queues.filebase import IN_HAND

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

OWN_TRASH = "trash"
"""Stands for the trash of the act itself, whose number is not known before."""
_VERSION = 2
_FORMER = b'{"version": 1,'
_TAIL_BYTES = 128
"""More than the last line has."""
_LONGEST = 1 << 26
"""Bytes of the first line, or of a whole file of version 1, to tell an act in short."""
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
class Summary:
    """One act, as the beginning and the end of its file tell it."""

    number: int
    verb: str
    queue: str
    to: str
    at: float
    uid: int
    who: str
    why: str
    undoes: int = 0
    count: int = 0
    """Of how many entries."""
    done: int | None = None
    """To how many it was done; None where it is under way, or was cut off."""
    left: int = 0
    """How many others are as they were, and could be tried again."""
    is_under_way: bool = False
    damage: str = ""
    """Why nothing but its number is known; else empty."""

    @property
    def reach(self) -> int:
        """To how many entries it was done, or may have been."""
        return self.count if self.done is None else self.done


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Summary):
    """One act, as all of its file tells it."""

    moves: tuple[Moved, ...]
    made: frozenset[str] | None = None
    """Filebases of those that were made, or may be in part; None for any may be."""

    @property
    def carried_out(self) -> tuple[Moved, ...]:
        """The moves that were made, or may have been."""
        if self.made is None:
            return self.moves
        return tuple(move for move in self.moves if move.filebase in self.made)


_KINDS: dict[str, tuple[type, ...]] = {
    "verb": (str,), "queue": (str,), "to": (str,), "at": (float, int), "uid": (int,),
    "who": (str,), "why": (str,), "undoes": (int,), "count": (int,),
}  # fmt: skip
"""What the first line tells."""
_FIELDS = tuple(field.name for field in fields(Moved))
_NEEDED = _FIELDS.index("new_filebase")
"""So many fields of a move are always told; others where they are not as usual."""
_USUAL: tuple[Any, ...] = (None, False, "")


def begin_lines(record: Record) -> bytes:
    """Return the lines of an act's file that are there before it is done."""
    told = {name: getattr(record, name) for name in _KINDS}
    told["count"] = len(record.moves)
    moves = [_dumped(move) for move in record.moves]
    return _line({"version": _VERSION, **told}) + _line(moves)


def end_lines(
    done: Sequence[str], left: int, count: int, unsure: Sequence[str] = ()
) -> bytes:
    """Return the lines of an act's file that tell how it ended.

    Args:
        done: Filebases of the moves that were made.
        left: How many others can be tried again.
        count: How many there were.
        unsure: Filebases of moves that failed, and may be made in part.
    """
    made = b"" if len(done) == count else _line([*done, *unsure])
    return made + _line({"done": len(done), "left": left})


def summary(number: int, file: BinaryIO) -> Summary:
    """Return what the beginning and the end of an act's file tell.

    Raises:
        ValueError, KeyError, TypeError, IndexError, RecursionError: It is damaged.
    """
    first = file.read(len(_FORMER))
    if first == _FORMER:
        return _former(number, (first + file.read(_LONGEST)).splitlines())
    first += file.readline(_LONGEST)
    if not first.endswith(b"\n"):
        raise ValueError("its first line has no end")
    size = file.seek(0, os.SEEK_END)
    file.seek(max(len(first), size - _TAIL_BYTES))
    return Summary(number=number, **_told(first), **_ended(file.read()))


def parsed(number: int, data: bytes) -> Record:
    """Return all that the file of an act tells.

    Raises:
        ValueError, KeyError, TypeError, IndexError, RecursionError: It is damaged.
    """
    lines = data.splitlines()
    if data.startswith(_FORMER):
        return _former(number, lines)
    moves = [_loaded(move) for move in json.loads(lines[1])]
    ended = _ended(data[-_TAIL_BYTES:])
    made = None
    if ended and ended["done"] != len(moves):
        made = frozenset(map(str, json.loads(lines[2])))
    return Record(
        number=number,
        moves=tuple(_move(facts, number) for facts in moves),
        made=made,
        **_told(lines[0]),
        **ended,
    )


def _former(number: int, lines: list[bytes]) -> Record:
    """Return what a file of version 1 tells."""
    facts: dict[str, Any] = dict(json.loads(lines[0]))
    moves = tuple(_move(move, number) for move in facts.pop("moves"))
    made, ended = None, dict[str, Any]()
    try:
        end = json.loads(lines[1])
    except (IndexError, ValueError):  # cut off, maybe in the middle of the line
        pass
    else:
        made = frozenset(map(str, end["done"]))
        ended = {"done": len(made), "left": _count(end.get("left", 0))}
    facts |= {"version": _VERSION, "count": len(moves)}
    return Record(number=number, moves=moves, made=made, **_checked(facts), **ended)


def _told(line: bytes) -> dict[str, Any]:
    return _checked(dict(json.loads(line)))


def _checked(facts: dict[str, Any]) -> dict[str, Any]:
    if facts.pop("version") != _VERSION:
        raise ValueError("another qtool has written it")
    for name, kinds in _KINDS.items():
        if type(facts[name]) not in kinds:
            raise ValueError(f"{name} is no {kinds[0].__name__}")
    if not 0 <= facts["at"] <= _LAST_MOMENT:
        raise ValueError("at is no time of an act")
    return {name: facts[name] for name in _KINDS}


def _ended(tail: bytes) -> dict[str, Any]:
    """Return how an act ended, by the last bytes of its file; empty for cut off."""
    _, before, line = tail[:-1].rpartition(b"\n")
    if not (before and line.startswith(b"{") and tail.endswith(b"\n")):
        return {}  # that of its moves, or killed in the middle of the line
    facts = json.loads(line)
    return {"done": _count(facts["done"]), "left": _count(facts["left"])}


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a number of entries is none")
    return value


def _dumped(move: Moved) -> list[Any]:
    """Return a move as a list that is as short as can be."""
    # By hand: ``asdict`` copies whatever is in it, and there may be 100,000 moves.
    values: list[Any] = [
        move.source, move.filebase, move.suffix, move.target,
        None if move.new_filebase == move.filebase else move.new_filebase,
        None if move.new_suffix == move.suffix else move.new_suffix,
        move.msgdata, move.swapped, move.original,
    ]  # fmt: skip
    while len(values) > _NEEDED and values[-1] in _USUAL:
        values.pop()
    return values


def _loaded(values: list[Any]) -> dict[str, Any]:
    """Return the fields of a move that was ``_dumped``."""
    facts = dict(zip(_FIELDS, values, strict=False))
    facts["new_filebase"] = facts.get("new_filebase") or facts["filebase"]
    facts["new_suffix"] = facts.get("new_suffix") or facts["suffix"]
    return facts


def _move(facts: dict[str, Any], number: int) -> Moved:
    if facts["target"] == OWN_TRASH:
        facts["target"] = trash(number)
    names = ("source", "filebase", "target", "new_filebase")
    texts = [facts.get("original", ""), *(facts[name] for name in names)]
    if not all(type(text) is str for text in texts):
        raise ValueError("a place or a filebase is no text")
    if not {facts["suffix"], facts["new_suffix"]} <= IN_HAND.keys():
        raise ValueError("there is no such state of an entry")
    if type(facts.get("msgdata")) not in (dict, type(None)):
        raise ValueError("msgdata are no metadata")
    return Moved(**facts)


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode("ascii") + b"\n"
