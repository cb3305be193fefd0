"""A question that takes a typed word for an answer."""

from __future__ import annotations

import sys

from qtool.commands.output import erase
from qtool.errors import Refused
from qtool.untrusted import visible

_LONGEST_QUESTION = 2000


def confirmed(question: str, word: str = "yes", *, otherwise: str = "--yes") -> bool:
    """Return whether the person at the terminal has typed the word.

    Args:
        question: What is asked, without the word and a colon.
        word: The only answer that does it; any other does not.
        otherwise: What does it without asking, for programs.

    Raises:
        Refused: Nobody can be asked: standard input is no terminal.
    """
    whole = visible(question, _LONGEST_QUESTION)
    if not sys.stdin.isatty():
        raise Refused(f"{whole} (standard input is no terminal: {otherwise})")
    erase()
    sys.stdout.flush()
    sys.stderr.write(f"{whole} Type {word} to do it: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == word
