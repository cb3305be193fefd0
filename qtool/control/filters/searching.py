"""Following the graph of a pattern through a text.

All nodes that may come next are kept at once, as the bits of a number, so no
character is read twice. Which set follows which, by which character, is remembered:
after the first few texts a character costs one look into a dictionary.
"""

from __future__ import annotations

from itertools import product

from qtool.control.filters.pattern import read

LONGEST_TEXT = 2000
"""How many characters of a text are searched: two lines of the longest kind."""
MOST_REMEMBERED = 20_000
"""Steps. A hostile text makes new ones with each character."""

_EDGE, _WORD, _OTHER = range(3)
"""Kinds of what is before and behind a place: nothing, a letter, another sign."""
_MATCH = 1
"""The bit of the node that ends a pattern."""


class Search:
    """A pattern to be looked for, anywhere in a text, letter case aside.

    Raises:
        WrongValue: The pattern is wrong, or too large.
    """

    def __init__(self, pattern: str) -> None:
        graph = read(pattern)
        self._nodes = graph.nodes
        self._start = graph.start
        self._begin = 1 << len(graph.nodes)  # as if the node before all were behind us
        self._bytes = len(graph.nodes) // 8 + 1
        self._leaves = [
            (leaf.fullmatch, sum(1 << at for at in graph.places_of(number)))
            for number, leaf in enumerate(graph.leaves)
        ]
        self._leading: dict[tuple[int, int], dict[tuple[int, int], int]]
        self._leading = {around: {} for around in product(range(3), range(3))}
        self._states: dict[tuple[int, int], _State] = {}
        self._remembered = 0
        self._first = _State(self._begin, _EDGE)

    def found_in(self, text: str) -> bool:
        """Whether it matches within the first ``LONGEST_TEXT`` characters."""
        state = self._first
        for character in text[:LONGEST_TEXT]:
            following = state.after.get(character)
            if following is None:
                following = self._step(state, character)
            if following is _FOUND:
                return True
            state = following
        rest = text[LONGEST_TEXT : LONGEST_TEXT + 1]
        return bool(self._ahead(state, _kind(rest) if rest else _EDGE) & _MATCH)

    def _step(self, state: _State, character: str) -> _State:
        """Return what follows a state by a character, and remember it."""
        if self._remembered >= MOST_REMEMBERED:
            self._forget()
        self._remembered += 1
        kind = _kind(character)
        ahead = self._ahead(state, kind)
        if ahead & _MATCH:
            following = _FOUND
        else:
            behind = self._begin  # a match may begin anywhere
            for fits, mask in self._leaves:
                if ahead & mask and fits(character):
                    behind |= ahead & mask
            known = self._states.get((behind, kind))
            following = known or _State(behind, kind)
            self._states[behind, kind] = following
        state.after[character] = following
        return following

    def _forget(self) -> None:
        self._remembered = 0
        for each in (self._first, *self._states.values()):
            each.after.clear()
        self._states.clear()

    def _ahead(self, state: _State, kind: int) -> int:
        """Return the leaves that may come next, and the end where it is reached.

        Args:
            state: What is behind.
            kind: The kind of what comes next.
        """
        leading = self._leading[state.before, kind]
        ahead = 0
        for at, byte in enumerate(state.behind.to_bytes(self._bytes, "little")):
            if byte:  # eight nodes at a time: hostile texts keep hundreds
                reached = leading.get((at, byte))
                if reached is None:
                    behind = [8 * at + bit for bit in range(8) if byte >> bit & 1]
                    reached = self._reached(behind, state.before, kind)
                    leading[at, byte] = reached
                ahead |= reached
        return ahead

    def _reached(self, behind: list[int], before: int, ahead: int) -> int:
        """Return the leaves and the end that are reached without a character."""
        nodes = self._nodes
        open_nodes = [
            nodes[at].after[0] if at < len(nodes) else self._start for at in behind
        ]
        seen, reached = set(open_nodes), 0
        while open_nodes:
            at = open_nodes.pop()
            node = nodes[at]
            if node.kind in {"leaf", "match"}:
                reached |= 1 << at
            elif node.kind == "fork" or _holds(node.kind, before, ahead):
                new = [each for each in node.after if each not in seen]
                seen.update(new)
                open_nodes += new
        return reached


class _State:
    """The leaves just behind a place, and the kind of the character there."""

    __slots__ = ("after", "before", "behind")

    def __init__(self, behind: int, before: int) -> None:
        self.behind = behind
        self.before = before
        self.after: dict[str, _State] = {}


_FOUND = _State(0, _OTHER)


def _kind(character: str) -> int:
    return _WORD if character.isalnum() or character == "_" else _OTHER


def _holds(assertion: str, before: int, ahead: int) -> bool:
    if assertion == "^":
        return before == _EDGE
    if assertion == "$":
        return ahead == _EDGE
    return ((before == _WORD) is not (ahead == _WORD)) is (assertion == "b")
