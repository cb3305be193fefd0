"""Findings as they are put together: names counted, the first of them kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtool.control.models import Finding, Severity
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_NAMED = 10
_LONGEST_NAME = 200
_FORM = re.compile(r"\{\{|\{(?:n|s|ies|es|is|it|them)\}")


class Names:
    """Names of one kind: how many there are, and which come first."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.count = 0
        self._first: list[str] = []
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Count a name."""
        self.count += 1
        self._first.append(name)
        if len(self._first) >= 1000:
            self._first = sorted(self._first)[:MOST_NAMED]

    def take(self, first: Iterable[str], count: int) -> None:
        """Count so many names at once, of which the first are told."""
        self.count += count
        self._first = sorted([*self._first, *first])[:MOST_NAMED]

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def first(self) -> tuple[str, ...]:
        """The first names, safe to be shown."""
        shown = sorted(self._first)[:MOST_NAMED]
        return tuple(visible(name, _LONGEST_NAME) for name in shown)


def finding(
    kind: str,
    severity: Severity,
    names: Names | Iterable[str],
    words: str,
    fix: str = "",
    *,
    queue: str = "",
    fixable: bool = False,
) -> list[Finding]:
    """Return the finding about some names; nothing where there are none.

    ``{n}`` in ``words`` becomes their number; ``{s}``, ``{is}`` and ``{them}`` become
    what goes with it. What is the site's own in them is to be ``verbatim``.
    """
    noted = names if isinstance(names, Names) else Names(names)
    if not noted:
        return []
    return [
        Finding(
            kind=kind,
            severity=severity,
            queue=queue,
            count=noted.count,
            names=noted.first,
            words=counted(words, noted.count),
            fix=counted(fix, noted.count),
            fixable=fixable,
        )
    ]


def counted(words: str, count: int) -> str:
    """Return words about ``count`` things, its number and its forms put in."""
    one = count == 1
    forms = {
        "{n}": f"{count:,}",
        "{s}": "" if one else "s",
        "{ies}": "y" if one else "ies",
        "{es}": "s" if one else "",
        "{is}": "is" if one else "are",
        "{it}": "it" if one else "they",
        "{them}": "it" if one else "them",
        "{{": "{",
    }
    return _FORM.sub(lambda form: forms[form[0]], words)


def verbatim(text: object) -> str:
    """Return a text of the site so that nothing in it counts as a form of words."""
    return str(text).replace("{", "{{")


def span(seconds: float) -> str:
    """Return a length of time in one unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"
