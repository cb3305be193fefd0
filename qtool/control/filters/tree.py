"""A filter that has been read, and what it asks an entry.

With the name of an entry alone some terms can be answered and others not yet, so
there each has three answers: yes, no, and None for not known before the entry is
opened. A "no" of the whole is final, whatever the entry holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtool.control.filters.asked import Entry, Named, Part, Test


@dataclass(frozen=True, slots=True)
class Term:
    """One key with its value, or one bare word."""

    matches: Test
    from_names: bool

    def foreseen(self, entry: Named) -> bool | None:
        """Ask the name, if it can answer."""
        return self.matches(entry) if self.from_names else None


@dataclass(frozen=True, slots=True)
class Negation:
    """What a part does not match."""

    part: Part

    @property
    def from_names(self) -> bool:
        """Whether names alone answer the part."""
        return self.part.from_names

    def matches(self, entry: Entry) -> bool:
        """Whether the part does not."""
        return not self.part.matches(entry)

    def foreseen(self, entry: Named) -> bool | None:
        """Turn yes into no; what is not known stays so."""
        answer = self.part.foreseen(entry)
        return None if answer is None else not answer


@dataclass(frozen=True, slots=True)
class Several:
    """Parts of which all have to match, or one."""

    parts: tuple[Part, ...]
    decisive: bool
    """What one part says alone for the whole: "no" where all have to match, "yes"
    where one does."""

    @property
    def from_names(self) -> bool:
        """Whether names alone answer all of them."""
        return all(part.from_names for part in self.parts)

    def matches(self, entry: Entry) -> bool:
        """Ask one after the other until one decides."""
        for part in self.parts:
            if part.matches(entry) is self.decisive:
                return self.decisive
        return not self.decisive

    def foreseen(self, entry: Named) -> bool | None:
        """Ask until one decides; where none does, one unknown leaves all unknown."""
        answer: bool | None = not self.decisive
        for part in self.parts:
            foreseen = part.foreseen(entry)
            if foreseen is self.decisive:
                return foreseen
            if foreseen is None:
                answer = None
        return answer


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries somebody means. Times count from when it was read."""

    text: str
    """As it was written."""
    root: Part

    @property
    def needs_content(self) -> bool:
        """Whether names alone do not answer it."""
        return not self.root.from_names

    def matches(self, entry: Entry) -> bool:
        """Whether an entry is meant.

        What is not known of it (None, or empty) is like nothing: only a negation
        matches it. Without ``needs_content`` a ``Named`` will do.
        """
        return self.root.matches(entry)

    def may_match(self, entry: Named) -> bool:
        """Whether an entry can be meant, as far as its name tells.

        Where this says no there is no need to open it: ``matches`` would say no.
        """
        return self.root.foreseen(entry) is not False
