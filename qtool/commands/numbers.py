"""Numbers as options have them."""

from __future__ import annotations

from argparse import ArgumentTypeError

from qtool.untrusted import visible


def count(text: str) -> int:
    """Return how many are meant.

    Raises:
        argparse.ArgumentTypeError: It is no number.
    """
    return _number(text, 0)


def from_one(text: str) -> int:
    """Return how many are meant, one at least; raises as ``count`` does."""
    return _number(text, 1)


def _number(text: str, least: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        number = -1
    else:
        number = int(text)
    if number < least:
        words = f"expected a number from {least} on, not {visible(text, 80)!r}"
        raise ArgumentTypeError(words)
    return number
