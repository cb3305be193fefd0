"""Values as JSON and back, by the type hints of who takes them.

Models become objects, metadata its tagged form, and errors the name of their class
with their message: the other side raises the same one.
"""

from __future__ import annotations

import math
import os
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from qtool import errors
from qtool.errors import QToolError
from qtool.msgdata import from_json, to_json

_AS_IT_IS = frozenset({str, int, bool, type(None)})
_Load = Callable[[Any], Any]


def dumped(value: object) -> Any:
    """Return a value in what ``json.dumps`` takes."""
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if is_dataclass(value):
        return {each.name: dumped(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, list | tuple):
        return [dumped(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(map(dumped, value))
    if isinstance(value, bytes):
        return {"$bytes": value.decode("latin-1")}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return to_json(value)
    raise TypeError(f"{type(value).__name__} does not travel")


class Wire:
    """The way back: values by their types.

    Args:
        names: What hints name, also where only type checkers import it.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._loaders: dict[tuple[Any, bool], _Load] = {}

    def loaded(self, hint: object, data: Any) -> Any:
        """Return the value of that type which ``dumped`` was given.

        Raises:
            ValueError, TypeError: It is none of that type.
        """
        return self._loader(hint)(data)

    def hints_of(self, thing: object) -> dict[str, Any]:
        """Return the resolved hints of a model or a call."""
        return get_type_hints(thing, localns=self._names)

    def _loader(self, hint: Any, *, cut: bool = False) -> _Load:
        """Return what loads values of a type.

        Args:
            hint: The type.
            cut: Take metadata of which parts were cut: to be shown, not to be kept.
        """
        found = self._loaders.get((hint, cut))
        if found is None:
            found = self._loaders[hint, cut] = self._made(hint, cut=cut)
        return found

    def _made(self, hint: Any, *, cut: bool) -> _Load:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in (Union, types.UnionType):
            (inner,) = (each for each in arguments if each is not type(None))
            load = self._loader(inner, cut=cut)
            return lambda data: None if data is None else load(data)
        if origin is tuple and arguments[-1] is not Ellipsis:
            return _few([self._loader(each) for each in arguments])
        if origin in (list, tuple, frozenset):
            return _many(origin, self._loader(arguments[0]))
        if origin is Mapping:
            return _cut_metadata if cut else _metadata
        if is_dataclass(hint):
            return self._model(hint)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return hint
        if isinstance(hint, type) and issubclass(hint, os.PathLike):
            path: Any = hint
            return lambda data: path(_text(data))
        return _PLAIN[hint]

    def _model(self, kind: Any) -> _Load:
        hints = self.hints_of(kind)
        loaders = {name: self._loader(hint, cut=True) for name, hint in hints.items()}
        needed = {
            each.name
            for each in fields(kind)
            if each.default is MISSING and each.default_factory is MISSING
        }

        def model(data: Any) -> Any:
            if not isinstance(data, dict) or not needed <= data.keys():
                raise TypeError(f"expected a {kind.__name__}")
            # What a later qtool says besides is left alone.
            known = {
                name: loaders[name](data[name]) for name in loaders if name in data
            }
            return kind(**known)

        return model


def _many(kind: type, load: _Load) -> _Load:
    def many(data: Any) -> Any:
        if not isinstance(data, list):
            raise TypeError("expected a list")
        return kind(map(load, data))

    return many


def _few(loads: list[_Load]) -> _Load:
    def few(data: Any) -> Any:
        if not isinstance(data, list) or len(data) != len(loads):
            raise TypeError(f"expected a list of {len(loads)}")
        return tuple(load(each) for load, each in zip(loads, data, strict=True))

    return few


def _metadata(data: Any) -> Any:
    if not isinstance(data, dict):
        raise TypeError("expected an object")
    return from_json(data)


def _cut_metadata(data: Any) -> Any:
    try:
        return _metadata(data)
    except ValueError:
        return data  # its parts that were cut are shown as that


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise TypeError("expected text")
    return data


def _integer(data: Any) -> int:
    if not isinstance(data, int) or isinstance(data, bool):
        raise TypeError("expected a whole number")
    return data


def _number(data: Any) -> float:
    if isinstance(data, dict):
        data = float(_text(data.get("$float")))
    if not isinstance(data, int | float) or isinstance(data, bool):
        raise TypeError("expected a number")
    try:
        return float(data)
    except OverflowError as error:
        raise ValueError("this number is too large") from error


def _boolean(data: Any) -> bool:
    if not isinstance(data, bool):
        raise TypeError("expected true or false")
    return data


def _bytes(data: Any) -> bytes:
    if isinstance(data, str):  # what a person types
        return data.encode("utf-8", "surrogateescape")
    if not isinstance(data, dict):
        raise TypeError("expected text")
    return _text(data.get("$bytes")).encode("latin-1")


_PLAIN: dict[Any, _Load] = {
    str: _text,
    int: _integer,
    float: _number,
    bool: _boolean,
    bytes: _bytes,
    type(None): lambda data: data,
}


# --- Errors


def dumped_error(error: QToolError | OSError) -> dict[str, Any]:
    """Return an error as an object: its class, its message, and the system's facts."""
    if isinstance(error, QToolError):
        return {"type": type(error).__name__, "message": str(error)}
    name = None if error.filename is None else str(error.filename)
    return {
        "type": "OSError",
        "message": error.strerror or str(error),
        "errno": error.errno,
        "filename": name,
    }


def loaded_error(data: Any) -> QToolError | OSError:
    """Return the error that ``dumped_error`` was given, to be raised again.

    One whose class this qtool does not know is a plain ``QToolError``.
    """
    facts = data if isinstance(data, dict) else {}
    name, message = facts.get("type"), str(facts.get("message"))
    if name == "OSError" and isinstance(facts.get("errno"), int):
        return OSError(facts["errno"], message, facts.get("filename"))
    kind = vars(errors).get(str(name))
    if isinstance(kind, type) and issubclass(kind, QToolError):
        return kind(message)
    return QToolError(message)
