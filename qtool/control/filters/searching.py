"""Following the graph of a pattern through a text.

All nodes that may come next are kept at once, so no character is read twice. Which
set follows which, by which character, is remembered: after the first few texts a
character costs one look into a dictionary.
"""

from __future__ import annotations

from qtool.control.filters.pattern import read

LONGEST_TEXT = 1000
"""How many characters of a text are searched; a line of a message has 998 at most."""
MOST_REMEMBERED = 20_000
"""Steps; a hostile text makes each of its own, which then are forgotten."""

_BEFORE_ALL, _AFTER_ALL, _WORD, _OTHER = range(4)


class Search:
    """A pattern to be looked for, anywhere in a text, letter case aside.

    Raises:
        WrongValue: The pattern is wrong, or too large.
    """

    def __init__(self, pattern: str) -> None:
        self._graph = read(pattern)
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._remembered = 0
        self._first = self._state(frozenset(), _BEFORE_ALL)

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
        return self._reached(state, _kind(rest) if rest else _AFTER_ALL)[1]

    def _step(self, state: _State, character: str) -> _State:
        kind = _kind(character)
        waiting, is_found = self._reached(state, kind)
        if is_found:
            following = _FOUND
        else:
            graph = self._graph
            fits = [leaf.fullmatch(character) for leaf in graph.leaves]
            nodes = graph.nodes
            following = self._state(
                frozenset(nodes[at].after[0] for at in waiting if fits[nodes[at].leaf]),
                kind,
            )
        if self._remembered >= MOST_REMEMBERED:
            self._remembered = 0
            for each in self._states.values():
                each.after.clear()
            self._states = {(self._first.nodes, _BEFORE_ALL): self._first}
        self._remembered += 1
        state.after[character] = following
        return following

    def _state(self, nodes: frozenset[int], before: int) -> _State:
        # A match may begin anywhere: the start is always among what comes next.
        nodes |= {self._graph.start}
        state = self._states.get((nodes, before))
        if state is None:
            state = self._states[nodes, before] = _State(nodes, before)
        return state

    def _reached(self, state: _State, ahead: int) -> tuple[list[int], bool]:
        """Return the leaves that a state leads to, and whether one is the end.

        Args:
            state: Where the text has led so far.
            ahead: The kind of the character that comes next.
        """
        nodes, before = self._graph.nodes, state.before
        seen, open_nodes = set(state.nodes), list(state.nodes)
        leaves = []
        while open_nodes:
            at = open_nodes.pop()
            node = nodes[at]
            if node.kind == "leaf":
                leaves.append(at)
            elif node.kind == "match":
                return leaves, True
            elif node.kind == "fork" or _holds(node.kind, before, ahead):
                new = [each for each in node.after if each not in seen]
                seen.update(new)
                open_nodes += new
        return leaves, False


class _State:
    """The nodes that may come next, and the kind of the character before them."""

    __slots__ = ("after", "before", "nodes")

    def __init__(self, nodes: frozenset[int], before: int) -> None:
        self.nodes = nodes
        self.before = before
        self.after: dict[str, _State] = {}


_FOUND = _State(frozenset(), _OTHER)


def _kind(character: str) -> int:
    return _WORD if character.isalnum() or character == "_" else _OTHER


def _holds(assertion: str, before: int, ahead: int) -> bool:
    if assertion == "^":
        return before == _BEFORE_ALL
    if assertion == "$":
        return ahead == _AFTER_ALL
    return ((before == _WORD) is not (ahead == _WORD)) is (assertion == "b")
