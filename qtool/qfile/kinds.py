"""What the guard knows of an unpickler's state: the kinds of its values.

A kind is one byte, so that a stack of them is a ``bytearray`` and a question
about many values is one call on bytes.
"""

from __future__ import annotations

from qtool.errors import CorruptQFile, UnsafeQFile

STRING, BYTES, SIMPLE, NUMBER = b"syzn"
"""Text; bytes; None, True and False; an integer or a float."""
LONG = b"x"[0]
"""Text or bytes so long that comparing them as keys costs."""
TUPLE, DEEP = b"tT"
"""A tuple of a few of the first four kinds; any other tuple, or frozen set."""
LIST, DICT, SET, FROZEN = b"ldef"
CLASS, OBJECT, MARK = b"go("
"""A class that was named; an instance of one; where a sequence of values began."""

FLAT_ITEMS = 16
"""A longer tuple is no key and cannot be shared by keys: hashing it costs."""
LONG_BYTES = 1000
"""Longer text, in bytes, is ``LONG``. Keys that are equal are compared each time."""
LONG_KEYS = 20
"""How many keys may be ``LONG``."""
HASHED_ODDITIES = 1000
"""How many keys may be other than text: only the hash of text cannot be forged, and
keys of one hash are compared each with each."""
MEMO_GAP = 16
"""Picklers number what they memoize; an index that leaves out more is refused."""
MARKS = 1000
"""How many sequences may be open at once."""
LARGE = 1 << 16
"""From this size on, in bytes, what a file makes of its bytes is added up."""

_FLAT = b"snzy"
_TEXT = b"sy"
_HASHABLE = b"snzytofx"

_TUPLES = (b"\x85", b"\x86", b"\x87", b"t", b"\x91")
_CALLS = (b"R", b"\x81", b"o", b")\x81")
_WEIGHTS = {
    **{token + memo: 250 for token in _TUPLES for memo in (b"", b"\x94")},
    **{token + memo: 500 for token in _CALLS for memo in (b"", b"\x94")},
    b"": 70, b"N": 8, b"\x88": 8, b"\x89": 8, b")": 8, b"]": 90, b"]\x94": 98,
    b"}": 260, b"}\x94": 268, b"\x8f": 240, b"\x8f\x94": 248, b"(": 16,
    b"a": 0, b"e": 0, b"s": 0, b"u": 0, b"b": 0,
}  # fmt: skip


class _Weights(dict[bytes, int]):
    """Bytes of memory that an opcode asks for, about, until its value is rebuilt."""

    def __missing__(self, token: bytes) -> int:
        return 110


_WEIGHT = _Weights(_WEIGHTS)


class Machine:
    """An unpickler that deals in kinds."""

    __slots__ = (
        "data",
        "limit",
        "long_keys",
        "marks",
        "memo",
        "memory",
        "oddities",
        "position",
        "protocol",
        "stack",
        "steps",
        "stopped",
    )

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.limit = len(data)
        """Offset behind the last byte there is."""
        self.position = position
        self.protocol = 0
        self.stopped = False
        self.stack = bytearray()
        self.marks: list[int] = []
        self.memo = bytearray()
        self.oddities = self.long_keys = 0
        self.steps = 100_000 + self.limit // 8
        """How many opcodes it may still have; each takes time."""
        self.memory = 16_000_000 + self.limit * 8
        """How many bytes of memory it may still ask for, about."""

    def charge(self, tokens: list[bytes]) -> None:
        """Pay for the opcodes that ``tokens`` stand for."""
        self.steps -= len(tokens)
        if self.limit > LARGE:
            self.memory -= sum(map(_WEIGHT.__getitem__, tokens))
        if self.steps < 0 or self.memory < 0:
            raise UnsafeQFile("it would become far larger in memory than it is")

    # --- Values

    def since_mark(self) -> bytearray:
        """Take what was pushed since the last mark, and the mark."""
        mark = self.marks.pop()
        values = self.stack[mark + 1 :]
        del self.stack[mark:]
        return values

    def expect(self, kind: int) -> None:
        """Refuse unless the topmost value is of that kind."""
        if self.stack[-1] != kind:
            raise UnsafeQFile(
                f"at byte {self.position} it fills something that cannot be filled"
            )

    def hashed(self, keys: bytearray) -> None:
        """Refuse keys whose hash could be dear, or forged to be all the same."""
        odd = keys.translate(None, _TEXT)
        if odd:
            self.oddities += len(odd)
            self.long_keys += odd.count(LONG)
            many = self.oddities > HASHED_ODDITIES or self.long_keys > LONG_KEYS
            if many or odd.translate(None, _HASHABLE):
                raise UnsafeQFile(f"it has unfit keys before byte {self.position}")

    def put(self, index: int) -> None:
        """Note the topmost value under an index that older protocols choose."""
        memo = self.memo
        if self.protocol >= 4 or index > len(memo) + MEMO_GAP:
            raise UnsafeQFile(f"it has a wild memo index at byte {self.position}")
        kind = self.stack[-1]
        if index >= len(memo):
            memo.extend(bytes(index + 1 - len(memo)))
        memo[index] = kind

    def fail(self, what: str) -> CorruptQFile:
        """Return the error for damage at the current opcode."""
        return CorruptQFile(f"it is damaged: {what} at byte {self.position}")


# --- What opcodes do; each is called with the machine alone -----------------


def mark(machine: Machine) -> None:
    """Begin a sequence of values."""
    if len(machine.marks) >= MARKS:
        raise UnsafeQFile("it is nested too deep")
    machine.marks.append(len(machine.stack))
    machine.stack.append(MARK)


def memoize(machine: Machine) -> None:
    """Note the topmost value under the next index."""
    if machine.protocol < 4:
        raise UnsafeQFile(f"it has a strange opcode at byte {machine.position}")
    machine.memo.append(machine.stack[-1])


def tuple_of(values: bytearray) -> int:
    """Return the kind of a tuple of these."""
    if MARK in values:
        raise CorruptQFile("it is damaged: a tuple reaches over a mark")
    flat = len(values) <= FLAT_ITEMS and not values.translate(None, _FLAT)
    return TUPLE if flat else DEEP


def tuple1(machine: Machine) -> None:
    """Make a tuple of the topmost value."""
    machine.stack[-1] = tuple_of(machine.stack[-1:])


def tuple2(machine: Machine) -> None:
    """Make a tuple of the two topmost values."""
    machine.stack[-2:] = bytes([tuple_of(machine.stack[-2:])])


def tuple3(machine: Machine) -> None:
    """Make a tuple of the three topmost values."""
    machine.stack[-3:] = bytes([tuple_of(machine.stack[-3:])])


def tuple_since_mark(machine: Machine) -> None:
    """Make a tuple of the values since the mark."""
    machine.stack.append(tuple_of(machine.since_mark()))


def list_since_mark(machine: Machine) -> None:
    """Make a list of the values since the mark."""
    machine.since_mark()
    machine.stack.append(LIST)


def dict_since_mark(machine: Machine) -> None:
    """Make a dictionary of the values since the mark."""
    machine.hashed(machine.since_mark()[::2])
    machine.stack.append(DICT)


def frozen_since_mark(machine: Machine) -> None:
    """Make a frozen set of the values since the mark."""
    values = machine.since_mark()
    machine.hashed(values)
    machine.stack.append(FROZEN if tuple_of(values) == TUPLE else DEEP)


def append(machine: Machine) -> None:
    """Append the topmost value to the list below it."""
    machine.stack.pop()
    machine.expect(LIST)


def appends(machine: Machine) -> None:
    """Append the values since the mark to the list below it."""
    machine.since_mark()
    machine.expect(LIST)


def set_item(machine: Machine) -> None:
    """Put the two topmost values into the dictionary below them."""
    machine.stack.pop()
    machine.hashed(machine.stack[-1:])
    machine.stack.pop()
    machine.expect(DICT)


def set_items(machine: Machine) -> None:
    """Put the pairs of values since the mark into the dictionary below it."""
    machine.hashed(machine.since_mark()[::2])
    machine.expect(DICT)


def add_items(machine: Machine) -> None:
    """Put the values since the mark into the set below it."""
    machine.hashed(machine.since_mark())
    machine.expect(SET)


def global_from_stack(machine: Machine) -> None:
    """Name a class by the two topmost values."""
    if not machine.stack.endswith(b"ss"):
        raise UnsafeQFile(f"it computes the name of a class at byte {machine.position}")
    machine.stack[-2:] = b"g"


def call(machine: Machine) -> None:
    """Call a class with a tuple of arguments."""
    if not machine.stack.endswith((b"gt", b"gT")):
        raise UnsafeQFile(f"it calls what is no class at byte {machine.position}")
    machine.stack[-2:] = b"o"


def call_since_mark(machine: Machine) -> None:
    """Call the class behind the mark with the values behind that."""
    values = machine.since_mark()
    if values[0] != CLASS:
        raise UnsafeQFile(f"it calls what is no class at byte {machine.position}")
    machine.stack.append(OBJECT)


def build(machine: Machine) -> None:
    """Set the state of an instance."""
    state = machine.stack.pop()
    if state in (CLASS, MARK) or machine.stack[-1] != OBJECT:
        raise UnsafeQFile(f"it changes a class at byte {machine.position}")
