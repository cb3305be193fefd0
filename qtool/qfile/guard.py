"""The guard: every opcode of a pickle is looked at before the unpickler runs.

An allow-list of classes alone does not make unpickling safe: nine bytes can ask
for two gigabytes, a class that is allowed can be changed for the whole process,
shared tuples make one hash take for ever. So the guard plays the pickle through
on the *kinds* of the values. It lets pass only opcodes that GNU Mailman's files
use, lengths and memo indices that the file can back, calls and states of
stand-ins and of nothing else, and keys whose hash is cheap. What would take more
memory than a file of its size deserves is refused as well.

Most opcodes of a real file write strings, and most others come in a few fixed
sequences. A compiled expression finds those, so that Python code runs once per
sequence.
"""

from __future__ import annotations

from qtool.errors import CorruptQFile
from qtool.qfile.kinds import STRING, TUPLE, Machine
from qtool.qfile.opcodes import BINGET, PAIR, dialect, operand
from qtool.qfile.operands import begin, single

_CHUNK = 8192
# How far the expression looks ahead: what it finds behind an opcode that it
# does not know is looked at again, so a larger chunk would be wasted on those.


class Pickle:
    """One pickle that passed: where it ends and how it was written."""

    __slots__ = ("end", "protocol", "start")

    def __init__(self, start: int, end: int, protocol: int) -> None:
        self.start = start
        """Offset of its first byte."""
        self.end = end
        """Offset of the first byte behind it."""
        self.protocol = protocol
        """Its protocol; 0 for those that tell none, which are 0 or 1."""


def scan(data: bytes, start: int) -> Pickle:
    """Look at every opcode of the pickle that begins at ``start``.

    Raises:
        CorruptQFile: It is truncated or damaged.
        UnsafeQFile: It holds what no mail queue needs.
    """
    machine = Machine(data, start)
    try:
        begin(machine)
        while not machine.stopped:
            _run(machine)
    except IndexError:
        what = "it is truncated" if machine.position >= len(data) else "it is damaged"
        raise CorruptQFile(f"{what} at byte {machine.position}") from None
    return Pickle(start, machine.position, machine.protocol)


def _run(machine: Machine) -> None:
    """Play one chunk of the pickle, and the opcode that ends it."""
    stack, memo = machine.stack, machine.memo
    modern = machine.protocol >= 4
    push, remember = stack.append, memo.append if modern else _forget
    manner = dialect(modern=modern)
    act_of = manner.acts.get
    limit = min(machine.position + _CHUNK, machine.limit)
    tokens = manner.split(machine.data, machine.position, limit)
    machine.charge(tokens)
    for token in tokens:
        if not token:  # a string: most of any file
            push(STRING)
            remember(STRING)
        elif token == PAIR and stack.endswith(b"ss"):  # a header
            stack.pop()
            stack[-1] = TUPLE
            remember(TUPLE)
        elif (act := act_of(token)) is not None:
            act(machine)
        elif token[0] == BINGET and len(token) == 2:  # what was memoized
            push(memo[token[1]])
        elif not operand(machine, token):
            # It is the rest of the chunk, from an opcode that was not skipped.
            machine.position = limit - len(token)
            single(machine)
            return
    machine.position = limit
    if not tokens:
        single(machine)  # nothing is left: it is truncated


def _forget(kind: int) -> None:
    """Leave it to PUT, which older protocols write, to fill the memo."""
