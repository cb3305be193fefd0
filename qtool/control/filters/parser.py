"""Text to a filter.

    filter:   sequence { "or" sequence }
    sequence: part { ["and"] part }
    part:     { "-" | "not" } ( "(" filter ")" | "@" NAME | KEY SIGN value | value )
    value:    WORD | quoted

Read by hand, as the grammar is that small: a library's start alone costs more than
all that is read here, and would not say so well what it expected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from qtool.control.filters.keys import KEYS, anywhere
from qtool.control.filters.tree import Filter, Negation, Several, Term
from qtool.control.filters.values import WrongValue, shown
from qtool.errors import FilterError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qtool.control.filters.asked import Part

LONGEST = 10_000
"""Characters of a filter."""
DEEPEST = 30
"""Parentheses and saved filters within each other."""
MOST_TERMS = 500
"""Terms of a filter, with those of the saved ones in it."""

_SPACE = re.compile(r"\s*")
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)(<=|>=|[:=~<>])")
_WORD = re.compile(r"""[^\s()"]+""")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"' + "|" + r"'((?:[^']|'')*)'")
_SAVED = re.compile(r"@([A-Za-z0-9_.-]+)")
_JOINT = re.compile(r"(and|or|not)(?=[\s()]|\Z)", re.IGNORECASE)


def parse(text: str, now: float, saved: Mapping[str, str] | None = None) -> Filter:
    """Return the filter that a text describes; an empty one matches everything.

    Args:
        text: The filter.
        now: The present time in epoch seconds, which ages count from.
        saved: The filters that ``@NAME`` may stand for, by name.

    Raises:
        FilterError: The text is no filter; it says what was expected, and where.
    """
    return Filter(text, _Reader(text, now, saved or {}).filter())


class _Reader:
    """Reads one text, from left to right."""

    def __init__(
        self,
        text: str,
        now: float,
        saved: Mapping[str, str],
        *,
        within: tuple[str, ...] = (),
        depth: int = 0,
        terms: int = 0,
    ) -> None:
        self._text = text
        self._now = now
        self._saved = saved
        self._within = within
        """The saved filters that this one stands in, the outermost first."""
        self._depth = depth
        self.terms = terms
        self._at = 0

    def filter(self) -> Part:
        if len(self._text) > LONGEST:
            self._wrong(f"at most {LONGEST} characters", LONGEST)
        if self._is_over():
            return Several((), decisive=False)
        part = self._alternatives()
        if not self._is_over():
            self._wrong("a ( before this )")
        return part

    def _alternatives(self) -> Part:
        parts = [self._sequence()]
        while self._take_joint("or"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Several(tuple(parts), decisive=True)

    def _sequence(self) -> Part:
        parts = [self._part()]
        while self._take_joint("and") or not self._ends_here():
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Several(tuple(parts), decisive=False)

    def _ends_here(self) -> bool:
        if self._is_over() or self._text[self._at] == ")":
            return True
        joint = _JOINT.match(self._text, self._at)
        return joint is not None and joint[1].lower() == "or"

    def _part(self) -> Part:
        negated = False
        while self._take_joint("not") or self._take("-"):
            negated = not negated
        part = self._plain()
        return Negation(part) if negated else part

    def _plain(self) -> Part:
        if self._ends_here() or _JOINT.match(self._text, self._at):
            self._wrong("something to look for")
        opening = self._at
        if self._take("("):
            self._deeper(opening)
            part = self._alternatives()
            self._depth -= 1
            if not self._take(")"):
                self._wrong("a ) for this (", opening)
        elif self._text[self._at] == "@":
            part = self._named()
        else:
            part = self._term()
        return part

    def _term(self) -> Part:
        self._one_more(self._at)
        key = _KEY.match(self._text, self._at)
        if key is None:
            return Term(anywhere(self._value()[0]), from_names=False)
        name, sign = key[1].lower(), key[2]
        known = KEYS.get(name)
        if known is None:
            self._wrong(_no_key(key[1]))
        if sign not in known.operators:
            signs = " ".join(known.operators)
            self._wrong(f"{name} with one of {signs}", key.start(2))
        self._at = start = key.end()
        value, offsets = self._value()
        try:
            test = known.make(sign, value, self._now)
        except WrongValue as error:
            at = min(error.position, len(offsets) - 1)
            self._wrong(str(error), start + offsets[at])
        return Term(test, known.from_names)

    def _value(self) -> tuple[str, Sequence[int]]:
        """Return a value, and how far each character of it is from where it began."""
        start = self._at
        if self._text.startswith(('"', "'"), start):
            quoted = _QUOTED.match(self._text, start)
            if quoted is None:
                self._wrong("an end of this quotation", start)
            self._at = quoted.end()
            value, offsets = self._unquoted(quoted[0])
        else:
            word = _WORD.match(self._text, start)
            if word is None:
                self._wrong("a value, in quotes where it holds spaces or parentheses")
            self._at = word.end()
            value, offsets = word[0], range(len(word[0]))
        if not value:
            self._wrong("a value that is not empty", start)
        self._end_of_word()
        return value, offsets

    @staticmethod
    def _unquoted(quoted: str) -> tuple[str, Sequence[int]]:
        """Return what stands in quotes; a doubled one is one of the value."""
        mark = quoted[0]
        offsets, at = [], 1
        while at < len(quoted) - 1:
            offsets.append(at)
            at += 2 if quoted[at] == mark else 1
        return "".join(quoted[at] for at in offsets), offsets

    def _named(self) -> Part:
        """Return the saved filter that is named here."""
        start = self._at
        name = _SAVED.match(self._text, start)
        text = self._saved.get(name[1]) if name else None
        if name is None or text is None:
            self._wrong(_no_saved(name[1] if name else "", self._saved))
        self._at = name.end()
        self._end_of_word()
        if name[1] in self._within:
            circle = " -> ".join(f"@{each}" for each in (*self._within, name[1]))
            self._wrong(f"filters that do not name each other ({circle})", start)
        self._deeper(start)
        inner = _Reader(
            text, self._now, self._saved, within=(*self._within, name[1]),
            depth=self._depth, terms=self.terms,
        )  # fmt: skip
        try:
            part = inner.filter()
        except FilterError as error:
            reason = f"in @{name[1]}, {error}"
            raise self._error(reason, start) from error
        self._depth -= 1
        self.terms = inner.terms
        return part

    def _one_more(self, position: int) -> None:
        self.terms += 1
        if self.terms > MOST_TERMS:
            self._wrong(f"at most {MOST_TERMS} terms, saved filters counted", position)

    def _deeper(self, position: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._wrong(f"at most {DEEPEST} parentheses within each other", position)

    def _end_of_word(self) -> None:
        # Without this, subject~^(Re|Fwd) would be two terms that nobody meant.
        rest = self._text[self._at : self._at + 1]
        if rest and not rest.isspace() and rest != ")":
            self._wrong('a space here, or "quotes" around a value with such a sign')

    def _take_joint(self, word: str) -> bool:
        self._is_over()
        joint = _JOINT.match(self._text, self._at)
        if joint is None or joint[1].lower() != word:
            return False
        self._at = joint.end()
        return True

    def _take(self, sign: str) -> bool:
        if self._is_over() or self._text[self._at] != sign:
            return False
        self._at += 1
        return True

    def _is_over(self) -> bool:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._at == len(self._text)

    def _wrong(self, expected: str, position: int | None = None) -> NoReturn:
        at = self._at if position is None else position
        raise self._error(f"at character {at + 1}: expected {expected}", at)

    def _error(self, reason: str, position: int) -> FilterError:
        before = "" if self._within else "filter, "
        return FilterError(f"{before}{reason}", text=self._text, position=position)


def _no_key(name: str) -> str:
    near = _nearest(name.lower(), KEYS)
    if near:
        return f"a key, not {shown(name)}: did you mean {near}?"
    return f"one of {', '.join(KEYS)} before the sign, or quotes, not {shown(name)}"


def _no_saved(name: str, saved: Mapping[str, str]) -> str:
    if not saved:
        return "quotes around a word with @, as no filter is saved"
    near = _nearest(name, saved)
    if near:
        return f"a saved filter, not {shown('@' + name)}: did you mean @{near}?"
    known = visible(", ".join(f"@{each}" for each in saved), 80)
    return f"one of {known}, or quotes, not {shown('@' + name)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only mistakes need it

    return next(iter(get_close_matches(name[:40], known, n=1)), "")
