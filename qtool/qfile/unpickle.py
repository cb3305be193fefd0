"""The one place where bytes of a qfile meet the unpickler."""

from __future__ import annotations

from _pickle import Unpickler, UnpicklingError
from io import BytesIO

from qtool.errors import CorruptQFile, UnsafeQFile
from qtool.qfile.inert import Inert, Role, is_defect, known_stand_in, stand_in
from qtool.untrusted import visible

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

MAX_OTHERS = 64
"""How many classes that are not known by name one pickle may name."""


class _InertUnpickler(Unpickler):
    """Answers each name with a stand-in, never with what the name stands for."""

    strict = True
    allowed: Container[str] = ()
    unknown: list[str]
    made: dict[tuple[str, str], type[Inert]]

    def find_class(self, module: str, name: str, /) -> type[Inert]:
        """Return the stand-in for a class."""
        return known_stand_in(module, name) or self._other(module, name)

    def _other(self, module: str, name: str) -> type[Inert]:
        made = self.made.get((module, name))
        if made is None:
            if len(self.made) >= MAX_OTHERS:
                raise UnsafeQFile(f"it names more than {MAX_OTHERS} unknown classes")
            made = self.made[module, name] = self._made(module, name)
        return made

    def _made(self, module: str, name: str) -> type[Inert]:
        full = f"{module}.{name}"
        if full in self.allowed:
            return stand_in(full, Role.SYMBOL)
        if is_defect(module, name):
            return stand_in(full, Role.DEFECT)
        if self.strict:
            raise UnsafeQFile(
                f"it names {visible(full, 200)}, which no mail queue needs"
            )
        if full not in self.unknown:
            self.unknown.append(full)
        return stand_in(full, Role.UNKNOWN)


def load(
    pickle: bytes, *, strict: bool, allowed: Container[str], unknown: list[str]
) -> Any:
    """Return the object of a guarded pickle, made of plain values and stand-ins.

    Args:
        pickle: One pickle that has passed the guard.
        strict: Whether a class that mail queues do not need is an error.
        allowed: Full names of further classes.
        unknown: Where names of classes are noted that are neither.
    """
    # Byte strings of Python 2 stay bytes: what they mean is decided later.
    reader = _InertUnpickler(BytesIO(pickle), encoding="bytes")
    # Set from outside: the C class is made faster than a subclass with arguments.
    reader.strict, reader.allowed, reader.unknown = strict, allowed, unknown
    reader.made = {}  # a file may name one class a hundred thousand times
    try:
        return reader.load()
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        RuntimeError,
        TypeError,
        UnpicklingError,
        ValueError,
    ) as error:
        raise CorruptQFile(f"it cannot be unpickled: {visible(error, 200)}") from error
