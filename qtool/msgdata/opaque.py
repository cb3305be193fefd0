"""Values of classes that qtool does not know."""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any


class Opaque:
    """A value of a class that qtool does not know: kept, shown, never made real."""

    __slots__ = ("args", "name", "state")

    def __init__(self, name: str, args: tuple[Any, ...] = (), state: Any = None):
        self.name = name
        """Full name of the class, as the file tells it."""
        self.args = args
        """What the class was to be called with."""
        self.state = state
        """What was to be put into the instance; None for nothing."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and (self.name, self.args, self.state) == (
            other.name,
            other.args,
            other.state,
        )

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        # Its parts are untrusted: their own repr may never end.
        from qtool.msgdata.shown import show_value

        return show_value(self)
