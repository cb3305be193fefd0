"""What every measurement stands on: the disk, both sides, the samples."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.peer import Mailman
    from tests.bench.serving import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One run's ground."""

    directory: Path
    """An empty folder on a disk."""
    quick: bool
    """Fewer and smaller rounds: to see that it works, not what it takes."""
    programs: Path
    """The folder of qtool's own programs."""
    mailman: Mailman
    ours: Side
    theirs: Side
    message: Path
    """A message of 2 KB as it came over the wire."""
    qfile: Path
    """The same as Mailman's own enqueue writes it."""
    in_parts: Path
    """Another of its own, in two forms of one text."""
    eight_bit: Path
    """Another, whose subject is not ASCII: qtool's guard has to look at both halves."""

    def rounds(self, usual: int) -> int:
        """How many interleaved rounds to run."""
        return min(3, usual) if self.quick else usual

    def number(self, usual: int) -> int:
        """How many messages to use."""
        return max(10, usual // 10) if self.quick else usual

    @contextmanager
    def queue(
        self,
        name: str,
        *,
        filled: int = 0,
        settled: bool = False,
        sample: Path | None = None,
    ) -> Iterator[Path]:
        """A queue folder with so many copies of a qfile; removed afterwards.

        With ``settled`` they have been written back to the disk. The last step of
        a file's life, its removal, is dearer then: its blocks have to be freed.
        """
        queue = self.directory / name
        queue.mkdir()
        try:
            if filled:
                files.fill(queue, (sample or self.qfile).read_bytes(), filled)
            if settled:
                os.sync()
            yield queue
        finally:
            shutil.rmtree(queue)
            shutil.rmtree(self.directory / ".qtool", ignore_errors=True)
