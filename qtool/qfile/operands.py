"""Opcodes that are read one by one: those with long operands, and rare ones.

Whatever length or index such an opcode announces is held against what there is.
"""

from __future__ import annotations

from qtool.errors import UnsafeQFile
from qtool.qfile import kinds
from qtool.qfile.kinds import Machine
from qtool.qfile.opcodes import OLD_ACTS

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from collections.abc import Callable

NAME_LENGTH = 255
"""Longest module or class name, in bytes."""
SINGLE_STEPS = 8
"""What such an opcode costs beyond one that an expression finds."""
DIGITS = 400
"""Longest number in text."""


def _skip(machine: Machine, size: int) -> None:
    if size > machine.limit - machine.position:
        raise machine.fail("more is announced than there is")
    machine.position += size


def _integer(machine: Machine, width: int) -> int:
    start = machine.position
    _skip(machine, width)
    return int.from_bytes(machine.data[start : start + width], "little")


def _sized(width: int, kind: int) -> Callable[[Machine], None]:
    def read(machine: Machine) -> None:
        size = _integer(machine, width)
        _skip(machine, size)
        machine.stack.append(kind if size <= kinds.LONG_BYTES else kinds.LONG)

    return read


def _line(machine: Machine, longest: int) -> bytes:
    start = machine.position
    end = machine.data.find(b"\n", start, start + longest + 1)
    if end < 0:
        raise machine.fail("a line does not end")
    machine.position = end + 1
    return machine.data[start:end]


def _text_line(machine: Machine) -> None:
    is_long = len(_line(machine, machine.limit)) > kinds.LONG_BYTES
    machine.stack.append(kinds.LONG if is_long else kinds.STRING)


def _number_line(machine: Machine) -> None:
    _line(machine, DIGITS)
    machine.stack.append(kinds.NUMBER)


def _index_line(machine: Machine) -> int:
    line = _line(machine, 8)
    if not line.isdigit():
        raise machine.fail("a memo index is no number")
    return int(line)


def _fixed(size: int) -> Callable[[Machine], None]:
    def read(machine: Machine) -> None:
        _skip(machine, size)
        machine.stack.append(kinds.NUMBER)

    return read


def _get(read: Callable[[Machine], int]) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(machine.memo[read(machine)])


def _put(read: Callable[[Machine], int]) -> Callable[[Machine], None]:
    return lambda machine: machine.put(read(machine))


def _class(machine: Machine) -> None:
    _line(machine, NAME_LENGTH)
    _line(machine, NAME_LENGTH)
    machine.stack.append(kinds.CLASS)


def _instance(machine: Machine) -> None:
    machine.since_mark()
    _line(machine, NAME_LENGTH)
    _line(machine, NAME_LENGTH)
    machine.stack.append(kinds.OBJECT)


def _frame(machine: Machine) -> None:
    if _integer(machine, 8) > machine.limit - machine.position:
        raise machine.fail("a frame is longer than what is left")


def _stop(machine: Machine) -> None:
    machine.stack.pop()
    machine.stopped = True


_ACTS: dict[int, Callable[[Machine], None]] = {
    ord("X"): _sized(4, kinds.STRING),
    ord("T"): _sized(4, kinds.STRING),
    0x8C: _sized(1, kinds.STRING),
    ord("U"): _sized(1, kinds.STRING),
    ord("B"): _sized(4, kinds.BYTES),
    ord("C"): _sized(1, kinds.BYTES),
    0x8A: _sized(1, kinds.NUMBER),
    ord("S"): _text_line,
    ord("V"): _text_line,
    ord("I"): _number_line,
    ord("L"): _number_line,
    ord("F"): _number_line,
    ord("K"): _fixed(1),
    ord("M"): _fixed(2),
    ord("J"): _fixed(4),
    ord("G"): _fixed(8),
    ord("c"): _class,
    ord("i"): _instance,
    ord("g"): _get(_index_line),
    ord("h"): _get(lambda machine: _integer(machine, 1)),
    ord("j"): _get(lambda machine: _integer(machine, 4)),
    ord("p"): _put(_index_line),
    ord("q"): _put(lambda machine: _integer(machine, 1)),
    ord("r"): _put(lambda machine: _integer(machine, 4)),
    0x94: kinds.memoize,
    0x95: _frame,
    ord("."): _stop,
}


def single(machine: Machine) -> None:
    """Play the opcode at the machine's position, whatever it is."""
    data = machine.data
    opcode = data[machine.position]
    machine.steps -= SINGLE_STEPS
    act = _ACTS.get(opcode) or OLD_ACTS.get(bytes([opcode]))
    if act is None:
        raise UnsafeQFile(
            f"it has an opcode that no mail queue needs, 0x{opcode:02x},"
            f" at byte {machine.position}"
        )
    machine.position += 1
    act(machine)
    if data[machine.position : machine.position + 1] == b"\x94":
        if machine.stopped:
            return
        kinds.memoize(machine)
        machine.position += 1


def begin(machine: Machine) -> None:
    """Read the protocol of a pickle, where it tells one, and its first frame."""
    data, position = machine.data, machine.position
    if data[position] == 0x80:
        machine.protocol = data[position + 1]
        machine.position += 2
        if not 2 <= machine.protocol <= 5:
            raise UnsafeQFile(f"it is a pickle of protocol {machine.protocol}")
        if data[position + 2] == 0x95:
            machine.position += 1
            _frame(machine)
