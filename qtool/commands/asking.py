"""A question that takes a typed word for an answer."""

from __future__ import annotations

import sys

from qtool.commands.output import erase, flush, tell
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
    flush()
    sys.stderr.write(f"{whole} Type {word} to do it: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == word


def answered(question: str) -> str:
    """Return what the person at the terminal types; nothing where nobody is there."""
    if not sys.stdin.isatty():
        return ""
    erase()
    flush()
    sys.stderr.write(f"{visible(question, _LONGEST_QUESTION)} ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def agreed(question: str, word: str, how: str) -> bool:
    """Ask the person at the terminal; tell a program how to go on.

    Args:
        question: As of ``confirmed``.
        word: Likewise.
        how: The command line that does it without asking.
    """
    if not sys.stdin.isatty():
        tell(f"nothing was done; to do it: {how}")
        return False
    if confirmed(question, word):
        return True
    tell("nothing was done")
    return False
