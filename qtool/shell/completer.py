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
_WHERE = re.compile(r"""\.where\((['"])((?:(?!\1)[^\\])*)$""")
_OF_A_QUEUE = re.compile(
    r"""(?x) (?:(?<=[^\w."'\])])|^) queues\[(?:'[^']*'|"[^"]*")\]
    (?:(?P<some> (?: \.(?:all|where) \((?:'[^']*'|"[^"]*")?\) )+)
      |(?P<one> \[(?:\d+|'[^']*'|"[^"]*")\]) )?
    \.(?P<start>\w*)$"""
)
_DICTIONARIES = (types.GetSetDescriptorType, types.MemberDescriptorType)
_ROUTINES = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_NOTHING = object()


class StaticCompleter(Completer):
    """Completes names, attributes and the keys of the shell's own mappings.

    Args:
        names: What the prompt knows by name.
        keys: For names of mappings, what gives their keys.
        saved: The names of saved filters.
    """

    def __init__(
        self,
        names: Mapping[str, object],
        keys: Mapping[str, Mapping[str, object]],
        saved: Iterable[str] = (),
    ) -> None:
        self._names = names
        self._keys = keys
        self._saved = saved

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Offer what may stand where the cursor is."""
        del complete_event
        line = document.current_line_before_cursor
        if found := _KEY.search(line):
            name, quote, start = found.groups()
            if self._are_the_shells(name):
                yield from _fitting(self._keys[name], start, end=f"{quote}]")
        elif found := _WHERE.search(line):
            quote, text = found.groups()
            yield from _of_filter(text, quote, self._saved)
        elif (found := _OF_A_QUEUE.search(line)) and self._are_the_shells("queues"):
            yield from _fitting(_after_a_queue(found), found["start"])
        elif found := _PATH.search(line):
            path, start = found.groups()
            if path:
                yield from _fitting(self._attributes(path[:-1].split(".")), start)
            elif start:
                yield from _fitting(self._all_names(), start)

    def _are_the_shells(self, name: str) -> bool:
        """Whether a name still means the shell's own mapping."""
        mapping = self._keys.get(name)
        return mapping is not None and self._names.get(name) is mapping

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


def _of_filter(text: str, quote: str, saved: Iterable[str]) -> Iterator[Completion]:
    """Offer what the last term of a filter can become, within its quotes."""
    from qtool.control.filters.completion import complete

    offered = [o for o in complete(text, len(text), saved) if quote not in o]
    begun = (text[at:] for at in range(len(text) + 1))
    typed = next(part for part in begun if all(o.startswith(part) for o in offered))
    for term in offered:
        yield Completion(term, start_position=-len(typed))


def _after_a_queue(found: re.Match[str]) -> Iterator[str]:
    """Return what a queue, some of its entries or one of them has."""
    from qtool.shell.entry import EntryHandle
    from qtool.shell.queues import Queue
    from qtool.shell.selection import Selection

    kind = Selection if found["some"] else EntryHandle if found["one"] else Queue
    return (name for each in kind.__mro__ for name in vars(each))


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
