"""What the grammars of a usual qfile's two halves have in common.

Picklers write the same opcodes in the same order for the same shape of object, and
most files have one of a few shapes, each half in one frame. Compiled expressions know
these. They work on bytes as characters, one for each: text in ASCII ends where it is
memoized, for that opcode is not ASCII, and then its length is compared.
"""

from __future__ import annotations

from struct import Struct

from qtool.qfile.guard import Pickle

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import TypeAlias

    Memo: TypeAlias = list[str | None]
    """Text by its memo index; None for what is no text."""

SHORT = r"\x8c.[\0-\x7f]*\x94"
"""The opcodes of a text of at most 255 characters."""
SHORT_KEPT = r"\x8c(.)([\0-\x7f]*)\x94"
"""The same, with its length and the text in groups."""
INTEGER = r"K.|M..|J.{4}"

_FRAME = Struct("<2sBQ").unpack_from
_FRAME_SIZE, _FRAME_OPCODE = 11, 0x95
_BEGINNINGS = (b"\x80\x04", b"\x80\x05")
_LARGEST = 1 << 16
# A longer half has more frames than one.


class UnusualError(Exception):
    """The half of a file is not what its beginning looks like."""


def strings(*texts: str) -> str:
    """Return the opcodes of texts that are new."""
    return "".join(f"\x8c{chr(len(text))}{text}\x94" for text in texts)


def frame(data: bytes, start: int) -> tuple[Pickle, str] | None:
    """Return a pickle of one frame, and the opcodes in it; None where it is none."""
    if len(data) < start + _FRAME_SIZE:
        return None
    beginning, opcode, size = _FRAME(data, start)
    begin = start + _FRAME_SIZE
    if (
        beginning not in _BEGINNINGS
        or opcode != _FRAME_OPCODE
        or size > _LARGEST
        or begin + size > len(data)
    ):
        return None
    opcodes = str(data[begin : begin + size], "latin-1")
    return Pickle(start, begin + size, beginning[1]), opcodes


def text_of(length: str, text: str, index: str, memo: Memo) -> str:
    """Return a text that is new, or one that was there before.

    Args:
        length: The operand of the opcode of a new one.
        text: What stands there.
        index: The operand of the opcode that gets one from the memo.
        memo: Where a new one is added.

    Raises:
        UnusualError: It is neither.
        IndexError: The memo has no such index.
    """
    if index:
        known = memo[ord(index)]
        if known is None:
            raise UnusualError
        return known
    if ord(length) != len(text):
        raise UnusualError
    memo.append(text)
    return text


def integer(opcode: str) -> int:
    """Return what the opcode of an integer pushes."""
    number = unsigned(opcode[1:])
    return number - (1 << 32) if opcode[0] == "J" and number >> 31 else number


def unsigned(digits: str) -> int:
    """Return an integer, least significant digit first."""
    return int.from_bytes(digits.encode("latin-1"), "little")
