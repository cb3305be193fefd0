"""The one gate that every act passes: may anything be changed here at all?"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from qtool.errors import ReadOnly

P = ParamSpec("P")
R = TypeVar("R")


class Gated(Protocol):
    """Whoever has acts."""

    def read_only_reason(self) -> str:
        """Return why nothing may be changed; empty when acts are allowed."""
        ...


G = TypeVar("G", bound=Gated)


def act(method: Callable[Concatenate[G, P], R]) -> Callable[Concatenate[G, P], R]:
    """Mark a method as an act: it is refused where nothing may be changed.

    The reason is found anew each time, for it is read from the folders.

    Raises:
        ReadOnly: In one line, why.
    """

    @wraps(method)
    def gated(self: G, /, *args: P.args, **kwargs: P.kwargs) -> R:
        reason = self.read_only_reason()
        if reason:
            raise ReadOnly(reason)
        return method(self, *args, **kwargs)

    gated.__dict__["is_act"] = True
    return gated
