"""Metadata as people see it: one harmless line for each key, within limits.

Metadata comes from a file, so nothing here trusts its shape: a value may share
one list a thousand times over, and showing it must end all the same.
"""

from __future__ import annotations

from qtool.msgdata.opaque import Opaque
from qtool.untrusted import visible

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

VALUE_CHARACTERS = 2000
"""A longer value is cut where it is shown."""
VALUE_ITEMS = 400
"""Of how many items, nested ones included, a shown value consists at most."""
VALUE_DEPTH = 12
"""How deep into nested values is shown."""

_NAME_CHARACTERS = 100


class _Shown:
    """Text in the making, which stops at its limits."""

    __slots__ = ("characters", "items", "parts")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.characters = VALUE_CHARACTERS
        self.items = VALUE_ITEMS

    def write(self, text: str) -> None:
        """Take as much of ``text`` as there is room for."""
        if len(text) > self.characters:
            text = f"{text[: max(self.characters, 0)]}…" if self.characters >= 0 else ""
            self.characters = -1
        else:
            self.characters -= len(text)
        self.parts.append(text)

    def show(self, value: Any, depth: int = 0) -> None:
        """Write one value, and those inside it."""
        kind = type(value)
        if kind in _BRACKETS:
            self._container(value, depth)
        elif kind is Opaque:
            self.write(value.name[:_NAME_CHARACTERS])
            self._list(value.args, "()", depth, self.show)
            if value.state is not None:
                self.show(value.state, depth + 1)
        else:
            self.write(_literal(value))

    def _container(self, value: Any, depth: int) -> None:
        brackets = _BRACKETS[type(value)]
        if not value and type(value) in (set, frozenset):
            self.write(f"{type(value).__name__}()")
        elif type(value) is dict:
            self._list(value.items(), brackets, depth, self._pair)
        elif type(value) in (set, frozenset):
            self._list(in_order(value), brackets, depth, self.show)
        else:
            self._list(value, brackets, depth, self.show)
            if type(value) is tuple and len(value) == 1:
                self.parts[-1] = ",)" if self.parts[-1] == ")" else self.parts[-1]

    def _pair(self, pair: tuple[Any, Any], depth: int) -> None:
        self.show(pair[0], depth)
        self.write(": ")
        self.show(pair[1], depth)

    def _list(
        self,
        values: Iterable[Any],
        brackets: str,
        depth: int,
        show: Callable[[Any, int], None],
    ) -> None:
        self.write(brackets[0])
        for number, value in enumerate(values):
            self.write(", " if number else "")
            self.items -= 1
            if depth >= VALUE_DEPTH or self.items < 0 or self.characters < 0:
                self.write("…")
                break
            show(value, depth + 1)
        self.write(brackets[1])


_BRACKETS: dict[type, str] = {
    list: "[]",
    tuple: "()",
    dict: "{}",
    set: "{}",
    frozenset: "{}",
}


def _literal(value: Any) -> str:
    if isinstance(value, str | bytes | bytearray):
        whole = repr(value[:VALUE_CHARACTERS])
        return f"{whole}…" if len(value) > VALUE_CHARACTERS else whole
    if isinstance(value, int) and value.bit_length() > 4 * VALUE_CHARACTERS:
        return f"an integer of {value.bit_length()} bits"
    if type(value).__module__ == "email.header":
        return header_text(value)
    return str(value) if type(value).__module__ == "datetime" else repr(value)


def header_text(value: Any) -> str:
    """Return a header's value as text, even where its character set fails."""
    try:
        return str(value)
    except (LookupError, TypeError, ValueError):
        return "".join(text for text, _ in value._chunks)


def in_order(values: Iterable[Any]) -> list[Any]:
    """Return the elements of a set in an order that is the same every time."""
    few = list(values)
    try:
        return sorted(few)
    except TypeError:
        return sorted(few, key=lambda value: (type(value).__name__, _brief(value)))


def _brief(value: Any) -> str:
    return value if isinstance(value, str) else show_value(value)


def show_value(value: Any) -> str:
    """Return one harmless line for a value: ``str`` of it, within limits."""
    if isinstance(value, str):
        return visible(value, VALUE_CHARACTERS)
    shown = _Shown()
    shown.show(value)
    return visible("".join(shown.parts), 2 * VALUE_CHARACTERS)


def format_msgdata(msgdata: Mapping[str, Any], *skips: str) -> list[str]:
    """Return one line ``key : value`` for each key, sorted and aligned.

    Args:
        msgdata: The metadata.
        skips: Keys to leave out.
    """
    keys = sorted((key for key in msgdata if key not in skips), key=str)
    if not keys:
        return ["*Empty*"]
    names = [visible(key, _NAME_CHARACTERS) for key in keys]
    width = min(max(map(len, names)), _NAME_CHARACTERS)  # escapes may be long
    return [
        f"{name:{width}}: {show_value(msgdata[key])}"
        for name, key in zip(names, keys, strict=True)
    ]


def dump_msgdata(msgdata: Mapping[str, Any], *skips: str) -> None:
    """Print the metadata, all but ``received_time`` and the keys in ``skips``."""
    for line in format_msgdata(msgdata, "received_time", *skips):
        print(line)  # noqa: T201  # the documented function prints
