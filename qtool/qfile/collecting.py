"""Making many objects at once, none of which is garbage."""

from __future__ import annotations

import gc

LARGE = 1 << 20
"""From this size on, in bytes, a file may make so many that looking for cycles among
them again and again takes a third of the time."""


class _Later:
    """Keeps the collector from running while it is entered."""

    __slots__ = ("_was_enabled",)

    def __enter__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_enabled:
            gc.enable()


class _AsUsual:
    """Leaves the collector alone: small files are many, and this costs nothing."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


_AS_USUAL = _AsUsual()


def collecting_later(size: int) -> _Later | _AsUsual:
    """Return a context in which a file of ``size`` bytes is read.

    Where two threads read large files at the same time, the collector may run again
    when the first is done.
    """
    return _Later() if size >= LARGE else _AS_USUAL
