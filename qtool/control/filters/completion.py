"""What may stand where somebody is typing a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.filters.keys import KEYS, STATES

if TYPE_CHECKING:
    from collections.abc import Iterable


def complete(text: str, position: int, saved: Iterable[str] = ()) -> list[str]:
    """Return what the term before ``position`` can become.

    Args:
        text: The filter, as far as it is typed.
        position: Where the cursor is, in characters from 0.
        saved: The names that may follow an ``@``.

    Returns:
        Terms that begin with what is typed of this one, a sign for "not" included.
    """
    typed = text[_beginning(text[:position]) : position]
    bare = typed.lstrip("-")
    possible = [f"@{name}" for name in saved]
    for name, key in KEYS.items():
        signs = key.operators if bare.startswith(name) else key.operators[:1]
        possible += [name + sign for sign in signs]
    if bare.startswith(("state:", "state=")):
        states = dict.fromkeys(STATES.values())
        possible += [bare[:6] + (f'"{s}"' if " " in s else s) for s in states]
    before = typed[: len(typed) - len(bare)]
    return [
        before + each for each in possible if each.startswith(bare) and each != bare
    ]


def _beginning(text: str) -> int:
    """Return where the last term of a text begins."""
    start, quote = 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (at == start or text[at - 1] in "-:=~<>"):
            quote = character
        elif character.isspace() or character in "()":
            start = at + 1
    return start
