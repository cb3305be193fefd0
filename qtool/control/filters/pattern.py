"""Patterns that cost time in proportion to the text, whoever wrote both.

The usual engine goes back and forth: ``(\\w+\\s?)*$`` on 29 characters would hold
the console up for minutes. RE2 would serve, but its package has no wheels for musl,
which Mailman's container images stand on, nor for every Python that qtool runs on;
a time limit would make the answer depend on the load of the machine. So a pattern
becomes a graph whose nodes are followed all at once, a character at a time, and the
standard library judges no more than a single character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.control.filters.values import WrongValue

if TYPE_CHECKING:
    from collections.abc import Callable

    Fragment = Callable[[int], int]
    """Puts nodes before a node that is there already; returns the first of them."""

LONGEST_PATTERN = 300
"""In characters."""
DEEPEST = 30
"""Groups within groups."""
MOST_STEPS = 500
"""Nodes of a graph, and the repetitions that make them."""
MOST_REPEATED = 200

_COUNTED = re.compile(r"\{(?=[\d,])(\d{1,300})?(?:(,)(\d{1,300})?)?\}", re.ASCII)
_ASSERTIONS = {"b": "b", "B": "B", "A": "^", "Z": "$", "z": "$"}
_CLASSES = frozenset("dDwWsS")
_CONTROLS = frozenset("nrtfv")


@dataclass(slots=True)
class Node:
    """One step of a graph: a character, an assertion, a fork, or the end of all."""

    kind: str
    """``leaf``, ``fork``, ``match``, or an assertion: one of ``^ $ b B``."""
    after: tuple[int, ...] = ()
    """The nodes behind it."""
    leaf: int = -1
    """Which of the leaves the character has to match."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A pattern, ready to be followed."""

    nodes: tuple[Node, ...]
    """The first of them is the end, ``match``."""
    start: int
    leaves: tuple[re.Pattern[str], ...]
    """Expressions of one character each."""

    def places_of(self, leaf: int) -> list[int]:
        """Return the nodes at which a leaf stands."""
        return [at for at, node in enumerate(self.nodes) if node.leaf == leaf]


def read(text: str) -> Graph:
    """Return the graph of a pattern.

    Raises:
        WrongValue: The pattern is wrong, too large, or cannot be searched in
            linear time.
    """
    if len(text) > LONGEST_PATTERN:
        expected = f"a pattern of at most {LONGEST_PATTERN} characters"
        raise WrongValue(expected, LONGEST_PATTERN)
    return _Reader(text).graph()


class _Reader:
    """Reads one pattern, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._steps = 0
        self._nodes = [Node("match")]
        self._leaves: dict[str, int] = {}
        self._expressions: list[re.Pattern[str]] = []

    def graph(self) -> Graph:
        fragment = self._alternatives(0)
        if self._at < len(self._text):
            raise WrongValue("a ( before this )", self._at)
        start = fragment(0)
        return Graph(tuple(self._nodes), start, tuple(self._expressions))

    def _alternatives(self, depth: int) -> Fragment:
        branches = [self._sequence(depth)]
        while self._take("|"):
            branches.append(self._sequence(depth))
        if len(branches) == 1:
            return branches[0]
        return lambda after: self._add("fork", *[each(after) for each in branches])

    def _sequence(self, depth: int) -> Fragment:
        parts: list[Fragment] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._atom(depth)))

        def fragment(after: int) -> int:
            for part in reversed(parts):
                after = part(after)
            return after

        return fragment

    def _atom(self, depth: int) -> Fragment:
        at = self._at
        character = self._text[at]
        self._at += 1
        if character == "(":
            return self._group(depth, at)
        if character == "[":
            return self._leaf(self._class(at), at)
        if character == "\\":
            return self._escape(at)
        if character in "^$":
            return lambda after: self._add(character, after)
        if character in "*+?" or _COUNTED.match(self._text, at):
            raise WrongValue("something to repeat before this", at)
        return self._leaf("." if character == "." else re.escape(character), at)

    def _group(self, depth: int, at: int) -> Fragment:
        if depth == DEEPEST:
            raise WrongValue(f"at most {DEEPEST} groups within groups", at)
        if self._take("?") and not self._take(":"):
            raise WrongValue("( or (?: and no look-around", at)
        fragment = self._alternatives(depth + 1)
        if not self._take(")"):
            raise WrongValue("a ) for this (", at)
        return fragment

    def _escape(self, at: int) -> Fragment:
        character = self._text[self._at : self._at + 1]
        self._at += 1
        kind = _ASSERTIONS.get(character)
        if kind is not None:
            return lambda after: self._add(kind, after)
        if character in _CLASSES | _CONTROLS and character:
            return self._leaf(f"\\{character}", at)
        if not character or character.isalnum():
            raise WrongValue(r"\d, \w, \s, \b or a sign after \ ", at)
        return self._leaf(re.escape(character), at)

    def _class(self, at: int) -> str:
        """Return a class in brackets, with nothing in it that ``re`` may warn of."""
        written = ["["]
        if self._take("^"):
            written.append("^")
        first = True
        while first or not self._take("]"):
            character = self._text[self._at : self._at + 1]
            self._at += 1
            if character == "\\":
                character += self._text[self._at : self._at + 1]
                self._at += 1
                if character[1:].isalnum() and character[1] not in _CLASSES | _CONTROLS:
                    raise WrongValue(r"\d, \w, \s or a sign after \ ", self._at - 2)
            elif character != "-":
                character = re.escape(character)
            if not character:
                raise WrongValue("a ] for this [", at)
            if character == written[-1] == "-":
                raise WrongValue("one - from the first to the last", self._at - 1)
            written.append(character)
            first = False
        return "".join([*written, "]"])

    def _repeated(self, part: Fragment) -> Fragment:
        at = self._at
        counted = _COUNTED.match(self._text, at)
        if counted:
            self._at = counted.end()
            low = int(counted[1] or 0)
            high = int(counted[3]) if counted[3] else None if counted[2] else low
        elif at < len(self._text) and self._text[at] in "*+?":
            self._at += 1
            low = int(self._text[at] == "+")
            high = 1 if self._text[at] == "?" else None
        else:
            return part
        if max(low, high or 0) > MOST_REPEATED or (high is not None and high < low):
            raise WrongValue(f"a number of times up to {MOST_REPEATED}", at)
        self._take("?")  # whether it takes few or many does not change the answer
        if self._at < len(self._text) and self._text[self._at] in "*+?":
            raise WrongValue("something to repeat before this", self._at)

        def fragment(after: int) -> int:
            needed = low
            if high is None:
                loop = self._add("fork", after)
                first = part(loop)
                self._nodes[loop].after = (first, after)
                after = first if low else loop
                needed -= bool(low)
            for _ in range((high or low) - low):
                after = self._add("fork", part(after), after)
            for _ in range(needed):
                self._step()
                after = part(after)
            return after

        return fragment

    def _leaf(self, expression: str, at: int) -> Fragment:
        number = self._leaves.get(expression)
        if number is None:
            number = self._leaves[expression] = len(self._leaves)
            try:
                leaf = re.compile(expression, re.IGNORECASE | re.DOTALL)
            except re.error as error:
                raise WrongValue(f"a class of characters ({error.msg})", at) from None
            self._expressions.append(leaf)
        known = number
        return lambda after: self._add("leaf", after, leaf=known)

    def _add(self, kind: str, *after: int, leaf: int = -1) -> int:
        self._step()
        self._nodes.append(Node(kind, after, leaf))
        return len(self._nodes) - 1

    def _step(self) -> None:
        # Counted, too, where nothing is repeated many times: that adds no node.
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise WrongValue("a smaller pattern: it repeats too much", 0)

    def _take(self, character: str) -> bool:
        found = self._text.startswith(character, self._at)
        self._at += found
        return found
