"""The one place where bytes of a qfile meet the unpickler."""

from __future__ import annotations

from _pickle import Unpickler, UnpicklingError
from io import BytesIO

from qtool.errors import CorruptQFile, UnsafeQFile
from qtool.qfile.inert import Inert, known_stand_in, unknown_stand_in
from qtool.untrusted import visible

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

MAX_UNKNOWN = 64
"""A file that names more classes than that is not looked at."""


class _InertUnpickler(Unpickler):
    """Answers each name with a stand-in, never with what the name stands for."""

    strict = True
    allowed: Container[str] = ()
    unknown: list[str]

    def find_class(self, module: str, name: str, /) -> type[Inert]:
        """Return the stand-in for a class."""
        return known_stand_in(module, name) or self._unknown_one(module, name)

    def _unknown_one(self, module: str, name: str) -> type[Inert]:
        full = f"{module}.{name}"
        if full in self.allowed:
            return unknown_stand_in(module, name, allowed=True)
        if self.strict:
            raise UnsafeQFile(
                f"it names {visible(full, 200)}, which no mail queue needs"
            )
        if len(self.unknown) >= MAX_UNKNOWN:
            raise UnsafeQFile(f"it names more than {MAX_UNKNOWN} unknown classes")
        if full not in self.unknown:
            self.unknown.append(full)
        return unknown_stand_in(module, name, allowed=False)


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
