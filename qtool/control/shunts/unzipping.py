"""Reading a compressed log at any place, without all that stands before it."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zlib import _Decompress

GZIP = b"\x1f\x8b"
"""How what is compressed begins."""
APART = 4 << 20
"""Bytes between two places from which it can be read."""
STAND_BYTES = 48 << 10
"""Memory that one of them takes, about: what may still be referred to, mostly."""

_FED = 64 << 10
_MOST_MEMBERS = 100_000


class _Stand:
    """Where a reading stands in a compressed file."""

    def __init__(self) -> None:
        self._position = self._members = 0
        self._machine: _Decompress | None = None

    def copy(self) -> _Stand:
        """Return another one that stands there."""
        made = _Stand()
        made._position = self._position
        made._members = self._members
        made._machine = self._machine and self._machine.copy()
        return made

    def read_all(self, descriptor: int, size: int) -> tuple[bytes, str]:
        """Return the next bytes, and what is wrong with those behind them.

        There are less than ``size`` only at the end, or where something is wrong.

        Raises:
            OSError: It cannot be read.
        """
        found = bytearray()
        try:
            while data := self._more(descriptor, size - len(found)):
                found += data
                if len(found) == size:
                    break
        except zlib.error as error:  # what came before is good
            return bytes(found), str(error)
        return bytes(found), ""

    def _more(self, descriptor: int, most: int) -> bytes:
        while True:
            fed = os.pread(descriptor, _FED, self._position)
            if self._machine is None and not self._begins(fed):
                return b""
            assert self._machine is not None
            machine = self._machine
            data = machine.decompress(fed, most)
            if not (fed or data or machine.eof):
                raise zlib.error("it is cut off")
            rest = machine.unused_data if machine.eof else machine.unconsumed_tail
            self._position += len(fed) - len(rest)
            if machine.eof:
                self._machine = None
            if data:
                return data

    def _begins(self, fed: bytes) -> bool:
        """Begin the next part, as there are several where files were joined."""
        if not fed.startswith(GZIP):
            return False  # what is behind the last is padding
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise zlib.error("it has too many parts")
        self._machine = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return True


class Unzipped:
    """What is in one compressed file; remembers places to read on from."""

    def __init__(self) -> None:
        self._stands = [_Stand()]
        self._kept = -1, b""
        self._damage = ""

    @property
    def memory(self) -> int:
        """The bytes that this takes, about."""
        return len(self._stands) * STAND_BYTES + len(self._kept[1])

    def read(self, descriptor: int, offset: int, size: int) -> bytes:
        """Return what comes out there, less than ``size`` bytes only at the end.

        Raises:
            OSError: It cannot be read, or not be decompressed.
        """
        found = bytearray()
        while len(found) < size:
            number, start = divmod(offset + len(found), APART)
            part = self._part(descriptor, number)[start : start + size - len(found)]
            if not part and self._damage and not found:
                raise OSError(f"not to be decompressed: {self._damage}")
            if not part:
                break
            found += part
        return bytes(found)

    def rest(self) -> None:
        """Keep nothing of what came out."""
        self._kept = -1, b""

    def _part(self, descriptor: int, number: int) -> bytes:
        """Return one of the parts of equal length, or what there is of the last."""
        while number >= len(self._stands):
            if len(self._part(descriptor, len(self._stands) - 1)) < APART:
                return b""
        if self._kept[0] != number:
            stand = self._stands[number].copy()
            data, self._damage = stand.read_all(descriptor, APART)
            self._kept = number, data
            if number + 1 == len(self._stands) and len(data) == APART:
                self._stands.append(stand)
        return self._kept[1]
