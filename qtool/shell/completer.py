"""Completion that never runs code: it reads the dictionaries of objects, no more."""

from __future__ import annotations

import builtins
import keyword
import re
import types
from typing import TYPE_CHECKING, Any

from prompt_toolkit.completion import Completer, Completion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

_PATH = re.compile(r"(?:(?<=[^\w.\"'\])])|^)([A-Za-z_]\w*(?:\.\w+)*\.)?(\w*)$")
_KEY = re.compile(
    r"(?:(?<=[^\w.\"'\])])|^)(switchboards|queues|runners)\[(['\"])([^'\"]*)$"
)
_DICTIONARIES = (types.GetSetDescriptorType, types.MemberDescriptorType)
_ROUTINES = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_NOTHING = object()


class StaticCompleter(Completer):
    """Completes names, attributes and the keys of the shell's own mappings.

    Args:
        names: What the prompt knows by name.
        keys: For names of mappings, what gives their keys.
    """

    def __init__(
        self, names: Mapping[str, object], keys: Mapping[str, Mapping[str, object]]
    ) -> None:
        self._names = names
        self._keys = keys

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Offer what may stand where the cursor is."""
        del complete_event
        line = document.current_line_before_cursor
        if found := _KEY.search(line):
            name, quote, start = found.groups()
            mapping = self._keys.get(name)
            # Only as long as the name still means the shell's own mapping.
            if mapping is not None and self._names.get(name) is mapping:
                yield from _fitting(mapping, start, end=f"{quote}]")
        elif found := _PATH.search(line):
            path, start = found.groups()
            if path:
                yield from _fitting(self._attributes(path[:-1].split(".")), start)
            elif start:
                yield from _fitting(self._all_names(), start)

    def _all_names(self) -> Iterator[str]:
        yield from self._names
        yield from dir(builtins)
        yield from keyword.kwlist

    def _attributes(self, path: list[str]) -> Iterable[str]:
        value = self._names.get(path[0], _NOTHING)
        for name in path[1:]:
            value = _plain_attribute(value, name)
        return () if value is _NOTHING else attribute_names(value)


def _fitting(names: Iterable[str], start: str, end: str = "") -> Iterator[Completion]:
    hidden = not start.startswith("_")
    for name in sorted(set(names)):
        if name.startswith(start) and not (hidden and name.startswith("_")):
            yield Completion(f"{name}{end}", start_position=-len(start), display=name)


def _plain_attribute(value: object, name: str) -> object:
    """Return an attribute that can be read without running anything.

    ``inspect.getattr_static`` asks metaclasses, which may run code.
    """
    if value is _NOTHING:
        return _NOTHING
    of_kind = _looked_up(_bases(type(value)), name)
    if _defines(of_kind, "__set__"):
        return _NOTHING  # computed, whatever the instance holds
    if issubclass(type(value), type):
        found = _looked_up(_bases(value), name)
    else:
        found = _own_dictionary(value).get(name, _NOTHING)
    found = of_kind if found is _NOTHING else found
    computed = _defines(found, "__get__") and type(found) not in _ROUTINES
    return _NOTHING if computed else found


def _looked_up(classes: tuple[type, ...], name: str) -> object:
    for each in classes:
        dictionary = type.__dict__["__dict__"].__get__(each)
        if name in dictionary:
            return dictionary[name]
    return _NOTHING


def _defines(value: object, name: str) -> bool:
    return _looked_up(_bases(type(value)), name) is not _NOTHING


def attribute_names(value: object) -> set[str]:
    """Return the names of attributes as dictionaries tell them, running no code."""
    names = set(_own_dictionary(value))
    classes = _bases(type(value))
    if issubclass(type(value), type):
        classes = (*classes, *_bases(value))
    for each in classes:
        names.update(type.__dict__["__dict__"].__get__(each))
    return {name for name in names if isinstance(name, str)}


def _bases(kind: object) -> tuple[type, ...]:
    # What ``kind.__mro__`` is, also for a metaclass that has its own idea of it.
    found: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return found


def _own_dictionary(value: object) -> Mapping[Any, Any]:
    for each in _bases(type(value)):
        descriptor = type.__dict__["__dict__"].__get__(each).get("__dict__")
        if descriptor is None:
            continue
        if not isinstance(descriptor, _DICTIONARIES):
            return {}  # a class that computes its dictionary
        found: Mapping[Any, Any] = descriptor.__get__(value)
        return found
    return {}
