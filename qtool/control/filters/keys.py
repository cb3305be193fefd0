"""What can be asked: each key, its operators, and how its value is read."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtool.control.filters.values import WrongValue, seconds, shown, size_bytes, whole
from qtool.queues.filebase import (
    EDITED,
    PRESERVED,
    PRESERVED_EDITED,
    TAKEN,
    WAITING,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qtool.control.filters.asked import Entry, Named, Test

    Make = Callable[[str, str, float], Test]
    """Operator, value and the present time to the test."""

STATES = {
    WAITING: "waiting",
    TAKEN: "in flight",
    PRESERVED: "preserved",
    EDITED: "edited",
    PRESERVED_EDITED: "edited",
}
"""What an entry of each suffix is called."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERED = ("<", ">", "<=", ">=")


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be asked of an entry."""

    operators: tuple[str, ...]
    make: Make
    """Raises ``WrongValue``."""
    from_names: bool = False
    """Whether the name of an entry answers it."""


def _text(
    value: Callable[[Entry], str | None], fold: Callable[[str], str] = str.casefold
) -> Make:
    """Return how a test of text is made."""

    def make(sign: str, wanted: str, _now: float) -> Test:
        fits = _fits(sign, wanted, fold)

        def test(entry: Entry) -> bool:
            text = value(entry) or ""
            return text != "" and fits(text)

        return test

    return make


def _texts(values: Callable[[Entry], Iterable[str | None]]) -> Make:
    """Return how a test of several texts is made, of which any one will do."""

    def make(sign: str, wanted: str, _now: float) -> Test:
        fits = _fits(sign, wanted, str.casefold)
        return lambda entry: any(text and fits(text) for text in values(entry))

    return make


def _fits(sign: str, wanted: str, fold: Callable[[str], str]) -> Callable[[str], bool]:
    """Return what a text is asked."""
    if sign == "~":
        # Patterns are seldom, and what follows them is not small.
        from qtool.control.filters.searching import Search

        return Search(wanted).found_in
    folded = fold(wanted)
    if sign == "=":
        return lambda text: fold(text) == folded
    return lambda text: folded in fold(text)


def _list_id(text: str) -> str:
    """Fold the address of a list as its id, as people know either."""
    return text.replace("@", ".").casefold()


def _name(sign: str, wanted: str, now: float) -> Test:
    if sign == ":":
        return lambda entry: entry.filebase.startswith(wanted)
    return _text(lambda entry: entry.filebase)(sign, wanted, now)


def _state(sign: str, wanted: str, _now: float) -> Test:
    folded = re.sub(r"[\s_-]+", " ", wanted.casefold())
    meant = frozenset(
        suffix
        for suffix, state in STATES.items()
        if (state == folded if sign == "=" else folded in state)
    )
    if not meant:
        known = ", ".join(dict.fromkeys(STATES.values()))
        raise WrongValue(f"one of {known}, not {shown(wanted)}")
    return lambda entry: entry.suffix in meant


def _number(
    value: Callable[[Any, float], float | None], read: Callable[[str], float]
) -> Make:
    """Return how a test of a number is made, which depends on the time or not."""

    def make(sign: str, wanted: str, now: float) -> Test:
        compare, number = _COMPARISONS[sign], read(wanted)

        def test(entry: Any) -> bool:
            found = value(entry, now)
            return found is not None and compare(found, number)

        return test

    return make


def _age(entry: Named, now: float) -> float | None:
    return now - entry.when if entry.when <= now else None


def _due(entry: Named, now: float) -> float | None:
    return entry.when - now if entry.due else None


_TEXT = (":", "=", "~")
_ANY = (":", "=", *_ORDERED)

KEYS = {
    "list": Key(_TEXT, _text(lambda entry: entry.list_id, _list_id)),
    "from": Key(_TEXT, _text(lambda entry: entry.sender)),
    "to": Key(_TEXT, _texts(lambda entry: entry.recipients)),
    "subject": Key(_TEXT, _text(lambda entry: entry.subject)),
    "id": Key(_TEXT, _text(lambda entry: entry.message_id)),
    "age": Key(_ORDERED, _number(_age, seconds), from_names=True),
    "due": Key(_ORDERED, _number(_due, seconds), from_names=True),
    "size": Key(_ORDERED, _number(lambda entry, _now: entry.size, size_bytes)),
    "attempts": Key(_ANY, _number(lambda entry, _now: entry.attempts, whole)),
    "slice": Key(
        _ANY, _number(lambda entry, _now: entry.slice, whole), from_names=True
    ),
    "why": Key(_TEXT, _text(lambda entry: entry.why)),
    "origin": Key(_TEXT, _text(lambda entry: entry.origin)),
    "state": Key((":", "="), _state, from_names=True),
    "name": Key(_TEXT, _name, from_names=True),
}
"""By the word that names it."""


def anywhere(word: str) -> Test:
    """Return the test of a bare word: subject, sender, recipients, list."""
    return _texts(
        lambda entry: (entry.subject, entry.sender, entry.list_id, *entry.recipients)
    )(":", word, 0.0)
