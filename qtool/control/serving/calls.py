"""The calls of ``Control`` that are served on a socket: one table for both ends."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qtool.control.control import Control
from qtool.control.serving import wire
from qtool.errors import QToolError

if TYPE_CHECKING:
    from collections.abc import Callable

PROTOCOL = 1
"""Version of the calls; every reply names it."""
PREFIX = "/v1/"
BOARDS = "/v1/boards"
"""Streams a board a line, on every change and at least each second."""

_LOCAL = frozenset({"close", "leave", "on_close", "read_only_reason", "watch"})
"""What is each end's own."""
_PATHS = {"scan": "board"}


class BadCall(QToolError):
    """There is no such call."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call, as ``Control`` declares it.

    What its hints name is looked up when it is first made: a board makes few calls.
    """

    method: Callable[..., Any]

    @property
    def name(self) -> str:
        """That of the method."""
        return self.method.__name__

    @property
    def path(self) -> str:
        """Where it is asked for."""
        return PREFIX + _PATHS.get(self.name, self.name)

    @property
    def is_act(self) -> bool:
        """Whether it may change something."""
        return "is_act" in self.method.__dict__

    @cached_property
    def signature(self) -> inspect.Signature:
        """What a caller gives."""
        return inspect.signature(self.method)

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """The type of each, by name."""
        return {name: hint for name, hint in self._hints.items() if name != "return"}

    @cached_property
    def needed(self) -> frozenset[str]:
        """The names of those that have no default."""
        parameters = self.signature.parameters
        return frozenset(
            name
            for name in self.arguments
            if parameters[name].default is inspect.Parameter.empty
        )

    @property
    def result(self) -> Any:
        """The type of what it returns."""
        return self._hints["return"]

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        first = (self.method.__doc__ or "").partition("\n")[0]
        return first.replace("``", "`")

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return wire.hints_of(self.method)

    @property
    def verb(self) -> str:
        """The method of HTTP."""
        return "POST" if self.is_act else "GET"

    def bound(self, *args: object, **kwargs: object) -> dict[str, Any]:
        """Return what a caller gave, by name, in what ``json.dumps`` takes."""
        given = self.signature.bind(None, *args, **kwargs).arguments
        return {name: wire.dumped(given[name]) for name in given if name != "self"}

    def loaded(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that came in.

        Raises:
            BadCall: They are not those of this call.
        """
        for name in given:
            if name not in self.arguments:
                raise BadCall(f"{self.name} takes no {name!r}")
        for name in sorted(self.needed - given.keys()):
            raise BadCall(f"{self.name} needs {name!r}")
        found = {}
        for name, data in given.items():
            try:
                found[name] = wire.loaded(self.arguments[name], data)
            except (ValueError, TypeError) as error:
                raise BadCall(f"{self.name}: {name}: {error}") from error
        return found

    def from_query(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the arguments of a query, where everything is text.

        Raises:
            BadCall: They are not those of this call.
        """
        found: dict[str, Any] = dict(given)
        for name, text in given.items():
            if self.arguments.get(name) not in (str, str | None):
                try:
                    found[name] = json.loads(text)
                except (ValueError, RecursionError):
                    continue  # refused as the text that it is
        return self.loaded(found)


CALLS = {
    call.path: call
    for part in Control.__mro__
    for name, method in vars(part).items()
    if inspect.isfunction(method) and not name.startswith("_") and name not in _LOCAL
    for call in [Call(method=method)]
}
"""Every call by its path, in the order of ``Control`` and its parts."""


def table() -> list[str]:
    """Return the rows of the table for people."""
    return [
        f"| `{call.verb} {call.path}` | {_arguments(call)} | {call.about} |"
        for call in CALLS.values()
    ] + [f"| `GET {BOARDS}` |  | Stream a board a line, on every change. |"]


def _arguments(call: Call) -> str:
    return ", ".join(
        f"`{name}`" if name in call.needed else f"[`{name}`]" for name in call.arguments
    )
