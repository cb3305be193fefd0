"""Plain values out of what was unpickled: checked, bounded, and real.

Lists and dictionaries belong to this reading alone, so they are changed in
place; only what stood for something else is made anew.
"""

from __future__ import annotations

from qtool.errors import UnsafeQFile
from qtool.msgdata import Opaque
from qtool.qfile.inert import Inert, Role
from qtool.qfile.kinds import FLAT_ITEMS, HASHED_ODDITIES, LONG_BYTES
from qtool.qfile.standard import MAKERS, SETS, wrong

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

MAX_DEPTH = 100
"""A value that is nested deeper is refused."""

_FINAL = frozenset((str, int, float, bool, type(None)))
_SEQUENCES = frozenset((list, tuple, set, frozenset))
_CONTAINERS = _SEQUENCES | {dict}
_STR, _TEXT = frozenset((str,)), frozenset((str, bytes))
_SIZED = _TEXT | {list, tuple}
_MOMENTS = frozenset(("date", "datetime", "time", "timedelta", "timezone"))


class Values:
    """Rebuilds the values of one pickle."""

    __slots__ = ("_byte_strings", "_done", "_oddities", "_strict", "budget")

    def __init__(self, size: int, *, byte_strings: bool, strict: bool) -> None:
        self.budget = 50_000 + 2 * size
        """How many items and characters may still be made of it.

        Each costs a byte of file at least, unless it is shared a lot.
        """
        self._oddities = 0
        self._byte_strings = byte_strings
        # Python 2 wrote ``str``: bytes that are meant to be text.
        self._strict = strict
        self._done: dict[int, Any] = {}
        # By identity: what holds other containers or stand-ins, and was rebuilt.

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return ``value`` with no stand-in left in it."""
        kind = type(value)
        if kind in _FINAL:
            return value
        if kind is bytes:
            if not self._byte_strings:
                return value
            self.spend(len(value))
            return value.decode("latin-1")
        key = id(value)
        if key in self._done:
            return self._done[key][1]
        if is_leaf(value, kind):
            self.spend(1 + len(value))
            return value
        if depth > MAX_DEPTH:
            raise UnsafeQFile("it is nested too deep")
        if isinstance(value, Inert):
            return self._stood_for(value, depth)
        if isinstance(value, type):
            return self._class(value)
        if kind not in _CONTAINERS:
            return value  # rebuilt before: it was found again in what holds it
        self._done[key] = (value, value)
        # The original is kept as well: its identity must not be used again.
        rebuilt = self._container(value, kind, depth + 1)
        self._done[key] = (value, rebuilt)
        return rebuilt

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        self.spend(len(value))
        if kind is dict:
            return self._dict(value, depth)
        if kind is list:
            for index, item in enumerate(value):
                if type(item) not in _FINAL:
                    value[index] = self.plain(item, depth)
            return value
        items = [self.plain(item, depth) for item in value]
        return tuple(items) if kind is tuple else self._of_hashable(kind, items)

    def _dict(self, value: dict[Any, Any], depth: int) -> dict[Any, Any]:
        for key in value:
            if type(key) is not str:
                pairs = (
                    (self.plain(key, depth), self.plain(item, depth))
                    for key, item in value.items()
                )
                rebuilt: dict[Any, Any] = self._of_hashable(dict, pairs)
                return rebuilt
        for key, item in value.items():
            if type(item) not in _FINAL:
                value[key] = self.plain(item, depth)
        return value

    def spend(self, cost: int) -> None:
        """Pay for items and characters that are made of what was unpickled.

        Raises:
            UnsafeQFile: They are more than the file can have written.
        """
        self.budget -= cost
        if self.budget < 0:
            raise UnsafeQFile("it holds more values than it can have written")

    def _of_hashable(self, kind: Callable[[Any], Any], items: Iterable[Any]) -> Any:
        """Return a set of the items, or a dictionary of the pairs."""
        kept = list(items)
        keys = [pair[0] for pair in kept] if kind is dict else kept
        self._oddities += sum(type(key) not in _TEXT for key in keys)
        if self._oddities > HASHED_ODDITIES or not all(map(_is_key, keys)):
            raise UnsafeQFile("it has unfit keys")
        return kind(kept)

    def _stood_for(self, value: Inert, depth: int) -> Any:
        self.spend(1)
        if value.built is None:
            # Found again within itself, it is what it is: a cycle.
            value.built = value.name
            args = tuple(
                arg if type(arg) is bytes else self.plain(arg, depth + 1)
                for arg in value.args
            )
            if value.role is Role.VALUE and value.state is None:
                value.built = self._value(value.name, args)
            elif value.role is Role.HEADER:
                value.built = self._header(value)
            elif value.role is Role.SYMBOL or not self._strict:
                state = self.plain(value.state, depth + 1)
                value.built = Opaque(value.name, args, state)
            else:
                raise UnsafeQFile(f"its metadata holds a {value.name}")
        return value.built

    def _value(self, name: str, args: tuple[Any, ...]) -> Any:
        """Return a value of the standard library; what it copies may be shared."""
        self.spend(sum(len(arg) for arg in args if type(arg) in _SIZED))
        if name not in SETS:
            return MAKERS[name](args)
        match args:
            case (list() | tuple() as items,):
                return self._of_hashable(SETS[name], items)
        raise wrong("set")

    def _class(self, value: type) -> Opaque:
        name = getattr(value, "name", "")
        if self._strict:
            raise UnsafeQFile(f"its metadata holds the class {name}")
        return Opaque(f"class {name}")

    def _header(self, value: Inert) -> Any:
        """Return a header's value, as Mailman keeps one in its metadata."""
        # Few files hold one, and the email package is dear to import.
        from qtool.qfile.construct import construct_header
        from qtool.qfile.outliner import Outliner

        return construct_header(Outliner(self, strict=self._strict).header(value))


def is_leaf(value: Any, kind: type) -> bool:
    """Tell whether a container holds nothing that is rebuilt."""
    if kind is dict:
        items: Any = value.values()
        return _STR.issuperset(map(type, value)) and _FINAL.issuperset(map(type, items))
    return kind in _SEQUENCES and _FINAL.issuperset(map(type, value))


def _is_key(value: Any) -> bool:
    """Tell whether hashing and comparing a value is cheap, whoever made it."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return len(value) <= FLAT_ITEMS and all(map(_is_flat, value))
    if kind.__module__ == "datetime":
        return kind.__name__ in _MOMENTS
    return kind is complex or _is_flat(value)


def _is_flat(value: Any) -> bool:
    kind = type(value)
    return len(value) <= LONG_BYTES if kind in _TEXT else kind in _FINAL
