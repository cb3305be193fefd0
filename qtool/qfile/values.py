"""Plain values out of what was unpickled: checked, bounded, and real.

Lists and dictionaries belong to this reading alone, so they are changed in
place; only what stood for something else is made anew.
"""

from __future__ import annotations

from qtool.errors import CorruptQFile, UnsafeQFile
from qtool.msgdata import Opaque
from qtool.qfile.inert import Inert, Role
from qtool.qfile.kinds import FLAT_ITEMS, HASHED_ODDITIES

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

MAX_DEPTH = 100
"""A value that is nested deeper is refused."""

_FINAL = frozenset((str, int, float, bool, type(None)))


class Values:
    """Rebuilds the values of one pickle."""

    __slots__ = ("_budget", "_byte_strings", "_done", "_strict")

    def __init__(self, size: int, *, byte_strings: bool, strict: bool) -> None:
        self._budget = 10_000 + size
        # Each value costs a byte of file at least, unless it is shared a lot.
        self._byte_strings = byte_strings
        # Python 2 wrote ``str``: bytes that are meant to be text.
        self._strict = strict
        self._done: dict[int, Any] = {}
        # By identity: lists, dictionaries and tuples that have been rebuilt.

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return ``value`` with no stand-in left in it."""
        kind = type(value)
        if kind in _FINAL:
            return value
        if kind is bytes:
            return value.decode("latin-1") if self._byte_strings else value
        key = id(value)
        if key in self._done:
            return self._done[key][1]
        if depth > MAX_DEPTH:
            raise UnsafeQFile("it is nested too deep")
        if isinstance(value, Inert):
            return self._stood_for(value, depth)
        if isinstance(value, type):
            return self._class(value)
        self._done[key] = (value, value)
        # The original is kept as well: its identity must not be used again.
        rebuilt = self._container(value, kind, depth + 1)
        self._done[key] = (value, rebuilt)
        return rebuilt

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        self._spend(len(value))
        if kind is dict:
            return self._dict(value, depth)
        if kind is list:
            for index, item in enumerate(value):
                if type(item) not in _FINAL:
                    value[index] = self.plain(item, depth)
            return value
        if kind in (tuple, set, frozenset):
            if all(type(item) in _FINAL for item in value):
                return value
            items = [self.plain(item, depth) for item in value]
            return tuple(items) if kind is tuple else _of_hashable(kind, items)
        raise UnsafeQFile("it holds a value of a strange kind")

    def _dict(self, value: dict[Any, Any], depth: int) -> dict[Any, Any]:
        for key in value:
            if type(key) is not str:
                pairs = (
                    (self.plain(key, depth), self.plain(item, depth))
                    for key, item in value.items()
                )
                rebuilt: dict[Any, Any] = _of_hashable(dict, pairs)
                return rebuilt
        for key, item in value.items():
            if type(item) not in _FINAL:
                value[key] = self.plain(item, depth)
        return value

    def _spend(self, items: int) -> None:
        self._budget -= items
        if self._budget < 0:
            raise UnsafeQFile("it holds more values than it can have written")

    def _stood_for(self, value: Inert, depth: int) -> Any:
        self._spend(1)
        if value.built is None:
            # Found again within itself, it is what it is: a cycle.
            value.built = value.name
            args = tuple(
                arg if type(arg) is bytes else self.plain(arg, depth + 1)
                for arg in value.args
            )
            if value.role is Role.VALUE and value.state is None:
                value.built = _VALUES[value.name](args)
            elif value.role is Role.HEADER:
                value.built = self._header(value)
            elif value.role is Role.SYMBOL or not self._strict:
                state = self.plain(value.state, depth + 1)
                value.built = Opaque(value.name, args, state)
            else:
                raise UnsafeQFile(f"its metadata holds a {value.name}")
        return value.built

    def _class(self, value: type) -> Opaque:
        name = getattr(value, "name", "")
        if self._strict:
            raise UnsafeQFile(f"its metadata holds the class {name}")
        return Opaque(f"class {name}")

    def _header(self, value: Inert) -> Any:
        """Return a header's value, as Mailman keeps one in its metadata."""
        # Few files hold one, and the email package is dear to import.
        from qtool.qfile.construct import construct_header
        from qtool.qfile.outline import Outliner

        return construct_header(Outliner(self, strict=self._strict).header(value))


_FLAT = _FINAL | {bytes}
_MOMENTS = frozenset(("date", "datetime", "time", "timedelta", "timezone"))


def _of_hashable(kind: Callable[[Iterable[Any]], Any], items: Iterable[Any]) -> Any:
    """Return a set of the items, or a dictionary of the pairs."""
    kept = list(items)
    keys = [pair[0] for pair in kept] if kind is dict else kept
    odd = [key for key in keys if type(key) is not str]
    if len(odd) > HASHED_ODDITIES or not all(map(_is_key, odd)):
        raise UnsafeQFile("it has unfit keys")
    return kind(kept)


def _is_key(value: Any) -> bool:
    """Tell whether hashing and comparing a value is cheap, whoever made it."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return len(value) <= FLAT_ITEMS and all(type(item) in _FLAT for item in value)
    if kind.__module__ == "datetime":
        return kind.__name__ in _MOMENTS
    return kind in _FLAT or kind is complex


# --- Values of the standard library, from checked arguments -------------------


def _wrong(name: str) -> CorruptQFile:
    return CorruptQFile(f"it holds a malformed {name}")


def _date(args: tuple[Any, ...]) -> Any:
    from datetime import date  # most files hold none

    match args:
        case (bytes() as packed,) if len(packed) == 4:
            return _made("date", date, packed[0] << 8 | packed[1], *packed[2:])
    raise _wrong("date")


def _datetime(args: tuple[Any, ...]) -> Any:
    from datetime import datetime, tzinfo

    match args:
        case (bytes() as packed, *zone) if len(packed) == 10 and len(zone) < 2:
            if not all(isinstance(one, tzinfo) for one in zone):
                raise _wrong("datetime")
            return _made(
                "datetime",
                datetime,
                packed[0] << 8 | packed[1],
                packed[2] & 0x7F,
                *packed[3:7],
                int.from_bytes(packed[7:], "big"),
                *zone,
                fold=packed[2] >> 7,
            )
    raise _wrong("datetime")


def _time(args: tuple[Any, ...]) -> Any:
    from datetime import time, tzinfo

    match args:
        case (bytes() as packed, *zone) if len(packed) == 6 and len(zone) < 2:
            if not all(isinstance(one, tzinfo) for one in zone):
                raise _wrong("time")
            return _made(
                "time",
                time,
                packed[0] & 0x7F,
                *packed[1:3],
                int.from_bytes(packed[3:], "big"),
                *zone,
                fold=packed[0] >> 7,
            )
    raise _wrong("time")


def _timedelta(args: tuple[Any, ...]) -> Any:
    from datetime import timedelta

    if len(args) > 3 or not all(type(arg) is int for arg in args):
        raise _wrong("timedelta")
    return _made("timedelta", timedelta, *args)


def _timezone(args: tuple[Any, ...]) -> Any:
    from datetime import timedelta, timezone

    match args:
        case (timedelta(), *name) if all(type(one) is str for one in name):
            return _made("timezone", timezone, *args)
    raise _wrong("timezone")


def _made(name: str, kind: Callable[..., Any], *args: Any, **kws: Any) -> Any:
    try:
        return kind(*args, **kws)
    except (ArithmeticError, TypeError, ValueError):
        raise _wrong(name) from None


def _encoded(args: tuple[Any, ...]) -> bytes:
    """Return the bytes that Python 3 writes as text in protocols 0 to 2."""
    match args:
        case (str() as text, "latin1" | "latin-1") | (str() as text,):
            return bytes(_made("byte string", text.encode, "latin-1"))
    raise _wrong("byte string")


def _complex(args: tuple[Any, ...]) -> complex:
    match args:
        case (int() | float() as real, int() | float() as imaginary):
            return complex(real, imaginary)
    raise _wrong("complex number")


def _bytearray(args: tuple[Any, ...]) -> bytearray:
    match args:
        case ():
            return bytearray()
        case (bytes() as content,):
            return bytearray(content)
        case (str(), "latin-1" | "latin1"):
            return bytearray(_encoded(args))
    raise _wrong("byte array")


def _bytes(args: tuple[Any, ...]) -> bytes:
    if args:
        raise _wrong("byte string")
    return b""


def _set_of(kind: Callable[[Iterable[Any]], Any]) -> Callable[[tuple[Any, ...]], Any]:
    def build(args: tuple[Any, ...]) -> Any:
        match args:
            case (list() | tuple() as items,):
                return _of_hashable(kind, items)
        raise _wrong("set")

    return build


_VALUES: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "_codecs.encode": _encoded,
    "__builtin__.bytes": _bytes,
    "datetime.date": _date,
    "datetime.datetime": _datetime,
    "datetime.time": _time,
    "datetime.timedelta": _timedelta,
    "datetime.timezone": _timezone,
}
for _module in ("builtins", "__builtin__"):
    _VALUES[f"{_module}.bytearray"] = _bytearray
    _VALUES[f"{_module}.complex"] = _complex
    _VALUES[f"{_module}.frozenset"] = _set_of(frozenset)
    _VALUES[f"{_module}.set"] = _set_of(set)
