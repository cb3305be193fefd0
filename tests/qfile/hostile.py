"""Files that must never harm: how they are made, and what must become of them.

Each has an expectation. ``reject``: a strict reading refuses it. ``survive``: it
is decoded or refused, within bounds, and what is shown of it is safe. ``ok``: it
is odd and legitimate and must be decoded. ``marker`` is a path, relative to the
reader's folder, that exists only where a payload ran.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST = "MANIFEST.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One file that must never harm."""

    id: str
    """Category and name, for the report."""
    expect: str
    """``reject``, ``survive`` or ``ok``."""
    content: bytes
    marker: str = ""

    @property
    def category(self) -> str:
        """The kind of harm."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A hostile file on disk."""

    id: str
    file: str
    """Path, relative to the folder of the corpus."""
    expect: str
    marker: str = ""

    @property
    def category(self) -> str:
        """The kind of harm."""
        return self.id.partition("/")[0]


def generated(flips: int) -> Iterator[Hostile]:
    """Yield every small hostile file, and so many with one bit changed."""
    # They are made from this module's values.
    from tests.qfile import hostile_bombs, hostile_code, hostile_shape

    yield from hostile_code.code()
    yield from hostile_code.classes()
    yield from hostile_bombs.bombs()
    yield from hostile_shape.sound()
    yield from hostile_shape.structure()
    yield from hostile_shape.terminal()
    yield from hostile_shape.truncated()
    yield from hostile_shape.flipped(flips)


def write_corpus(folder: Path, files: Iterable[Hostile]) -> None:
    """Write the files and their manifest into a folder."""
    with (folder / MANIFEST).open("w") as manifest:
        for number, hostile in enumerate(files):
            name = f"{1700000000 + number}.5+{number:040x}.pck"
            path = folder / hostile.category / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(hostile.content)
            exhibit = Exhibit(
                id=hostile.id,
                file=f"{hostile.category}/{name}",
                expect=hostile.expect,
                marker=hostile.marker,
            )
            manifest.write(json.dumps(asdict(exhibit)) + "\n")


def read_corpus(folder: Path) -> Iterator[Exhibit]:
    """Read a manifest; keys that are not known to us are passed over."""
    for line in (folder / MANIFEST).read_text().splitlines():
        entry = json.loads(line)
        yield Exhibit(
            id=entry["id"],
            file=entry["file"],
            expect=entry["expect"],
            marker=entry.get("marker") or "",
        )
