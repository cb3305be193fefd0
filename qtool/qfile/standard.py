"""Values of the standard library, each made from checked arguments."""

from __future__ import annotations

from qtool.errors import CorruptQFile

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def wrong(name: str) -> CorruptQFile:
    """Return the error for a value whose arguments do not fit."""
    return CorruptQFile(f"it holds a malformed {name}")


def _date(args: tuple[Any, ...]) -> Any:
    from datetime import date  # most files hold none

    match args:
        case (bytes() as packed,) if len(packed) == 4:
            return _made("date", date, packed[0] << 8 | packed[1], *packed[2:])
    raise wrong("date")


def _datetime(args: tuple[Any, ...]) -> Any:
    from datetime import datetime, tzinfo

    match args:
        case (bytes() as packed, *zone) if len(packed) == 10 and len(zone) < 2:
            if not all(isinstance(one, tzinfo) for one in zone):
                raise wrong("datetime")
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
    raise wrong("datetime")


def _time(args: tuple[Any, ...]) -> Any:
    from datetime import time, tzinfo

    match args:
        case (bytes() as packed, *zone) if len(packed) == 6 and len(zone) < 2:
            if not all(isinstance(one, tzinfo) for one in zone):
                raise wrong("time")
            return _made(
                "time",
                time,
                packed[0] & 0x7F,
                *packed[1:3],
                int.from_bytes(packed[3:], "big"),
                *zone,
                fold=packed[0] >> 7,
            )
    raise wrong("time")


def _timedelta(args: tuple[Any, ...]) -> Any:
    from datetime import timedelta

    if len(args) > 3 or not all(type(arg) is int for arg in args):
        raise wrong("timedelta")
    return _made("timedelta", timedelta, *args)


def _timezone(args: tuple[Any, ...]) -> Any:
    from datetime import timedelta, timezone

    match args:
        case (timedelta(), *name) if all(type(one) is str for one in name):
            return _made("timezone", timezone, *args)
    raise wrong("timezone")


def _made(name: str, kind: Callable[..., Any], *args: Any, **kws: Any) -> Any:
    try:
        return kind(*args, **kws)
    except (ArithmeticError, TypeError, ValueError):
        raise wrong(name) from None


def _encoded(args: tuple[Any, ...]) -> bytes:
    """Return the bytes that Python 3 writes as text in protocols 0 to 2."""
    match args:
        case (str() as text, "latin1" | "latin-1") | (str() as text,):
            return bytes(_made("byte string", text.encode, "latin-1"))
    raise wrong("byte string")


def _complex(args: tuple[Any, ...]) -> complex:
    match args:
        case (int() | float() as real, int() | float() as imaginary):
            return complex(real, imaginary)
    raise wrong("complex number")


def _bytearray(args: tuple[Any, ...]) -> bytearray:
    match args:
        case ():
            return bytearray()
        case (bytes() as content,):
            return bytearray(content)
        case (str(), "latin-1" | "latin1"):
            return bytearray(_encoded(args))
    raise wrong("byte array")


def _bytes(args: tuple[Any, ...]) -> bytes:
    if args:
        raise wrong("byte string")
    return b""


MAKERS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "_codecs.encode": _encoded,
    "__builtin__.bytes": _bytes,
    "datetime.date": _date,
    "datetime.datetime": _datetime,
    "datetime.time": _time,
    "datetime.timedelta": _timedelta,
    "datetime.timezone": _timezone,
}
"""What makes a value from its arguments, by the full name of its class."""
SETS: dict[str, Callable[[list[Any]], Any]] = {}
"""What makes a set, by the same; what may be in it is for others to check."""
for _module in ("builtins", "__builtin__"):
    MAKERS |= {f"{_module}.bytearray": _bytearray, f"{_module}.complex": _complex}
    SETS |= {f"{_module}.frozenset": frozenset, f"{_module}.set": set}
