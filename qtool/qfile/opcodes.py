"""The opcodes that real qfiles use, and how the guard reads each of them.

They are those that GNU Mailman 2.1 and 3 write: protocols 0 and 1 of Python 2,
2, 4 and 5, and metadata that was written again in protocol 0 or 1. An opcode
that is not here is refused.
"""

from __future__ import annotations

import re
from functools import cache

from qtool.qfile import kinds
from qtool.qfile.kinds import Machine

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Callable

PAIR = b"\x86\x94"
"""The token of a tuple of two that is memoized: what a header ends with."""

BINGET, _BINPUT = b"hq"


# --- Opcodes without operands -----------------------------------------------


def _pushes(kind: int) -> Callable[[Machine], None]:
    def push(machine: Machine) -> None:
        machine.stack.append(kind)

    return push


def _and_memoize(act: Callable[[Machine], None]) -> Callable[[Machine], None]:
    def both(machine: Machine) -> None:
        act(machine)
        machine.memo.append(machine.stack[-1])

    return both


def _new(machine: Machine) -> None:
    """Allocate an instance of a class, as picklers do: without arguments."""
    machine.stack.append(kinds.TUPLE)
    kinds.call(machine)


def _opens(kind: int) -> Callable[[Machine], None]:
    """Return what makes a container, memoizes it and begins what it holds."""

    def act(machine: Machine) -> None:
        machine.stack.append(kind)
        machine.memo.append(kind)
        kinds.mark(machine)

    return act


def _new_of_named(machine: Machine) -> None:
    """Name a class and allocate an instance of it, both memoized."""
    kinds.global_from_stack(machine)
    machine.stack[-1] = kinds.OBJECT
    machine.memo += b"go"


_CONTAINERS = {b"]": kinds.LIST, b"}": kinds.DICT, b"\x8f": kinds.SET}

_MAKERS = {
    **{token: _pushes(kind) for token, kind in _CONTAINERS.items()},
    b"\x85": kinds.tuple1,
    b"\x86": kinds.tuple2,
    b"\x87": kinds.tuple3,
    b"t": kinds.tuple_since_mark,
    b"l": kinds.list_since_mark,
    b"d": kinds.dict_since_mark,
    b"\x91": kinds.frozen_since_mark,
    b"\x93": kinds.global_from_stack,
    b"R": kinds.call,
    b"\x81": kinds.call,
    b"o": kinds.call_since_mark,
    b")\x81": _new,
}

OLD_ACTS = {
    **_MAKERS,
    b"(": kinds.mark,
    b")": _pushes(kinds.TUPLE),
    b"N": _pushes(kinds.SIMPLE),
    b"\x88": _pushes(kinds.SIMPLE),
    b"\x89": _pushes(kinds.SIMPLE),
    b"a": kinds.append,
    b"e": kinds.appends,
    b"s": kinds.set_item,
    b"u": kinds.set_items,
    b"\x90": kinds.add_items,
    b"b": kinds.build,
}
# STOP is not among them: what is behind it is another pickle's.

_ACTS = {
    **OLD_ACTS,
    **{token + b"\x94(": _opens(kind) for token, kind in _CONTAINERS.items()},
    b"\x93\x94)\x81\x94": _new_of_named,
    **{token + b"\x94": _and_memoize(act) for token, act in _MAKERS.items()},
}


# --- Opcodes with short operands, as the expression finds them ---------------

_SIZES = {_BINPUT: 2, ord("K"): 2, ord("M"): 3, ord("J"): 5, ord("G"): 9}
_MOMENT, _MEMOIZE = b"C\x0a", b"\x94"
# What a datetime is made from.


def operand(machine: Machine, token: bytes) -> bool:
    """Play an opcode that was found with its operand; False if it is none.

    The rest of a chunk comes here, too, and may be as long as such an opcode.
    """
    opcode = token[0]
    if len(token) == _SIZES.get(opcode):
        if opcode == _BINPUT:
            machine.put(token[1])
        else:
            machine.stack.append(kinds.NUMBER)
        return True
    if len(token) == 13 and token[:2] == _MOMENT and token[12:] == _MEMOIZE:
        machine.stack.append(kinds.BYTES)
        kinds.memoize(machine)
        return True
    if opcode in b"pgI" and token[-1:] == b"\n" and token[1:-1].isdigit():
        if opcode == b"g"[0]:
            machine.stack.append(machine.memo[int(token[1:])])
        elif opcode == b"p"[0]:
            machine.put(int(token[1:]))
        else:
            machine.stack.append(kinds.NUMBER)
        return True
    return False


_SHORT = b"|".join(
    [b"\\x00", *(b"\\x%02x.{%d}" % (size, size) for size in range(1, 256))]
)
_PLAIN = rb"K.|M..|J.{4}|G.{8}|h.|[()Naesub\x88\x89\x90]"


class Dialect:
    """How to read the opcodes of a pickle from 4 on, or of an older one."""

    __slots__ = ("acts", "split")

    def __init__(self, acts: dict[bytes, Callable[[Machine], None]], known: bytes):
        self.acts = acts
        """What each opcode without operand does, MEMOIZE behind it included."""
        self.split: Callable[[bytes, int, int], list[bytes]] = re.compile(known).findall
        """Splits a part of a pickle into opcodes, in one call.

        Each opcode is one string of the result: empty for text that was skipped,
        the opcode and its operand for others, and for the first that is not known
        to the expression, everything from there to the end.
        """


@cache
def dialect(*, modern: bool) -> Dialect:
    """Return how to read a pickle; the expressions are made when first needed."""
    if modern:
        makers = rb"[]}\x8f]\x94\(|\x93\x94\)\x81\x94|"
        makers += rb"(?:[]}\x8f\x85-\x87tld\x91\x93Ro]|\)\x81)\x94?|C\x0a.{10}\x94"
        text = rb"\x8c(?:%s)\x94" % _SHORT
    else:
        makers = rb"[]}\x85-\x87tldo]|q.|[pgI]\d{1,8}\n"
        text = rb"U(?:%s)|[SV][^\n]{0,%d}\n" % (_SHORT, kinds.LONG_BYTES)
    known = rb"(?s:%s|(%s|%s|.+))" % (text, makers, _PLAIN)
    return Dialect(_ACTS if modern else OLD_ACTS, known)
