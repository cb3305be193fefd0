"""Metadata as JSON: what JSON has no word for is an object with one ``$`` key.

One form for ``--json``, for what is sent and for what is edited. It is a round
trip for all that a queue keeps, except for what was cut because it never ends.
"""

from __future__ import annotations

import math

from qtool.msgdata.opaque import Opaque
from qtool.msgdata.shown import VALUE_ITEMS, in_order, show_value

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

MAX_DEPTH = 50
"""Deeper values are cut."""
MAX_ITEMS = 300_000
"""After that many values the rest is cut."""

_PLAIN = (str, bool, type(None))


class _Tagger:
    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_ITEMS

    def tagged(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is int:
            return value if value.bit_length() < 8000 else {"$int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        tag = _TAGS.get((kind.__module__, kind.__name__))
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            return {"$cut": kind.__name__}
        if tag is None:
            self.left -= VALUE_ITEMS  # showing takes time
            return {"$cut": show_value(value)}
        return tag(self, value, depth + 1)

    def many(self, values: Any, depth: int) -> list[Any]:
        kept = []
        for value in values:
            self.left -= 1
            if self.left < 0:
                kept.append({"$cut": "…"})
                break
            kept.append(self.tagged(value, depth))
        return kept

    def mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        if all(type(key) is str and not key.startswith("$") for key in value):
            parts = self.many(value.values(), depth)
            return dict(zip(value, parts, strict=False))
        return {"$dict": [self.many(pair, depth) for pair in value.items()]}

    def opaque(self, value: Opaque, depth: int) -> dict[str, Any]:
        return {
            "$opaque": [
                value.name,
                self.many(value.args, depth),
                self.tagged(value.state, depth),
            ]
        }


def _delta(value: Any) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _moment(value: Any) -> dict[str, Any]:
    """Return a datetime or a time, with its zone apart: a zone may have a name."""
    if type(value.tzinfo).__name__ not in ("NoneType", "timezone"):
        return {f"${type(value).__name__}": value.isoformat()}
    naive = value.replace(tzinfo=None, fold=0)
    tagged: dict[str, Any] = {f"${type(value).__name__}": naive.isoformat()}
    if value.fold:
        tagged["fold"] = 1
    if value.tzinfo is not None:
        tagged["zone"] = _zone(value.tzinfo)
    return tagged


def _zone(value: Any) -> list[Any]:
    return [_delta(value.utcoffset(None)), value.tzname(None)]


def _chunks(value: Any) -> list[list[str]]:
    return [[text, str(charset)] for text, charset in value._chunks]


_TAGS: dict[tuple[str, str], Callable[[_Tagger, Any, int], Any]] = {
    ("builtins", "list"): lambda tagger, value, depth: tagger.many(value, depth),
    ("builtins", "dict"): lambda tagger, value, depth: tagger.mapping(value, depth),
    ("builtins", "tuple"): lambda tagger, value, depth: {
        "$tuple": tagger.many(value, depth)
    },
    ("builtins", "set"): lambda tagger, value, depth: {
        "$set": tagger.many(in_order(value), depth)
    },
    ("builtins", "frozenset"): lambda tagger, value, depth: {
        "$frozenset": tagger.many(in_order(value), depth)
    },
    ("builtins", "bytes"): lambda _, value, __: {"$bytes": value.decode("latin-1")},
    ("builtins", "bytearray"): lambda _, value, __: {
        "$bytearray": value.decode("latin-1")
    },
    ("builtins", "complex"): lambda _, value, __: {"$complex": repr(value)},
    ("datetime", "datetime"): lambda _, value, __: _moment(value),
    ("datetime", "time"): lambda _, value, __: _moment(value),
    ("datetime", "date"): lambda _, value, __: {"$date": value.isoformat()},
    ("datetime", "timedelta"): lambda _, value, __: {"$timedelta": _delta(value)},
    ("datetime", "timezone"): lambda _, value, __: {"$timezone": _zone(value)},
    ("email.header", "Header"): lambda _, value, __: {"$header": _chunks(value)},
    (Opaque.__module__, "Opaque"): lambda tagger, value, depth: tagger.opaque(
        value, depth
    ),
}


def to_json(msgdata: Mapping[str, Any]) -> Any:
    """Return the metadata in values that ``json.dumps`` takes."""
    return _Tagger().tagged(dict(msgdata), 0)


# --- Back --------------------------------------------------------------------


def from_json(tagged: Any) -> dict[str, Any]:
    """Return the metadata that ``to_json`` was given.

    Raises:
        ValueError: It is no such form, or parts of it were cut.
    """
    try:
        msgdata = _value(tagged, 0)
    except (ArithmeticError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"this is no metadata: {error}") from error
    if type(msgdata) is not dict or not all(type(key) is str for key in msgdata):
        raise ValueError("this is no metadata: its keys must be text")
    return msgdata


def _value(tagged: Any, depth: int) -> Any:
    if depth > 4 * MAX_DEPTH:
        raise ValueError("this is nested too deep")
    if type(tagged) is list:
        return [_value(item, depth + 1) for item in tagged]
    if type(tagged) is not dict:
        return tagged
    tag = next((key for key in tagged if key.startswith("$")), None)
    if tag is None:
        return {key: _value(item, depth + 1) for key, item in tagged.items()}
    if tag not in _UNTAGS:
        raise ValueError(f"this cannot be read back: {tag}")
    return _UNTAGS[tag](tagged[tag], tagged, depth + 1)


def _items(tagged: Any, depth: int) -> list[Any]:
    if type(tagged) is not list:
        raise ValueError("this should be a list")
    return [_value(item, depth) for item in tagged]


def _untagged_moment(kind: str, text: str, tagged: dict[str, Any]) -> Any:
    import datetime

    moment = getattr(datetime, kind).fromisoformat(text)
    if "zone" in tagged:
        moment = moment.replace(tzinfo=_untagged_zone(tagged["zone"]))
    return moment.replace(fold=1) if tagged.get("fold") else moment


def _untagged_zone(tagged: Any) -> Any:
    from datetime import timedelta, timezone

    delta, name = tagged
    zone = timezone(timedelta(*delta))
    # The zone's own name is no name: it is made from its offset.
    return zone if name == zone.tzname(None) else timezone(timedelta(*delta), name)


def _untagged_date(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


def _untagged_delta(numbers: Any) -> Any:
    from datetime import timedelta

    return timedelta(*numbers)


def _untagged_header(chunks: Any) -> Any:
    from email.charset import Charset
    from email.header import Header

    header = Header()
    header._chunks = [  # type: ignore[attr-defined]  # append would encode anew
        (_text(text), Charset(_ascii(charset))) for text, charset in chunks
    ]
    return header


def _untagged_opaque(tagged: Any, depth: int) -> Opaque:
    name, args, state = tagged
    return Opaque(_text(name), tuple(_items(args, depth)), _value(state, depth))


def _ascii(value: Any) -> str:
    return _text(value).encode("ascii").decode("ascii")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("this should be text")
    return value


_UNTAGS: dict[str, Callable[[Any, dict[str, Any], int], Any]] = {
    "$int": lambda value, _, __: int(_text(value), 16),
    "$float": lambda value, _, __: float(_text(value)),
    "$bytes": lambda value, _, __: _text(value).encode("latin-1"),
    "$bytearray": lambda value, _, __: bytearray(_text(value), "latin-1"),
    "$complex": lambda value, _, __: complex(_text(value)),
    "$tuple": lambda value, _, depth: tuple(_items(value, depth)),
    "$set": lambda value, _, depth: set(_items(value, depth)),
    "$frozenset": lambda value, _, depth: frozenset(_items(value, depth)),
    "$dict": lambda value, _, depth: dict(_items(value, depth)),
    "$datetime": lambda value, whole, _: _untagged_moment("datetime", value, whole),
    "$time": lambda value, whole, _: _untagged_moment("time", value, whole),
    "$date": lambda value, _, __: _untagged_date(value),
    "$timedelta": lambda value, _, __: _untagged_delta(value),
    "$timezone": lambda value, _, __: _untagged_zone(value),
    "$header": lambda value, _, __: _untagged_header(value),
    "$opaque": lambda value, _, depth: _untagged_opaque(value, depth),
}
