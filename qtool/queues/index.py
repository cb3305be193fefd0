"""One reading of a queue's folder, shared by everybody who asks about it.

Counting keeps no names, so the board of a queue of a million costs a second and
a few megabytes. Listing for one slice lists for its siblings too. A kept answer
serves again only where the folder shows that nothing has changed, or where the
question was put before the reading began.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from qtool.queues.counting import Count
from qtool.queues.folder import Stamp, chunks
from qtool.queues.listing import Batches, Names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.queues.listing import Batch
    from qtool.queues.slices import Slice
    from qtool.queues.switchboard import QueueScan

_KEEP = 200_000
"""Names that are kept for the next question, at most: some 25 MB."""

_FULL_SECONDS = 5.0
"""How long a full batch of the oldest entries may wait for its runner."""


_WORTH_SHARING = 100
"""From how many entries on a reading for one slice is made for its siblings too."""


class Sliced(Protocol):
    """Whoever asks for one slice."""

    slice: Slice


class _Reading:
    """What one reading of the folder gave."""

    def __init__(self, directory: str, batches: Batches) -> None:
        self.began = time.monotonic()
        self.stamp = Stamp(directory)
        self.batches: dict[Slice, Batch] = batches.by_slice
        for chunk in chunks(directory):
            batches.add_entries(chunk)
        batches.finish()

    def take(self, part: Slice, limit: int | None, *, fresh: bool) -> list[str] | None:
        """Return the kept answer for a slice, if there is one that may serve."""
        batch = self.batches.get(part)
        if batch is None:
            return None
        enough = limit is not None and limit <= len(batch.filebases)
        if fresh and not batch.after and (enough or not batch.is_full):
            return batch.filebases[:limit]
        is_young = time.monotonic() - self.began < _FULL_SECONDS
        if batch.is_full and enough and is_young and _is_worth_sharing(limit):
            # There are more in any case: what came since is younger, and what
            # went since cannot be dequeued. But each batch serves only once.
            del self.batches[part]
            return batch.filebases[:limit]
        return None


class Index:
    """The names in one queue's folder."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._siblings: WeakSet[Sliced] = WeakSet()
        self._meeting = threading.Lock()
        self._listing = threading.Lock()
        self._kept: dict[str, _Reading] = {}
        """The last reading, by extension."""
        self._in_hand: dict[Slice, str] = {}
        """The youngest entry that each slice's runner was given, where more waited."""
        self.readings = 0
        """How often the folder was read for a listing."""
        self._counting = threading.Lock()
        self._counted: tuple[tuple[Slice, ...], Stamp, QueueScan] | None = None

    def add_sibling(self, sibling: Sliced) -> None:
        """Let every listing for one sibling serve the others too."""
        with self._meeting:
            self._siblings.add(sibling)

    def _all_siblings(self) -> set[Sliced]:
        with self._meeting:
            return set(self._siblings)

    def count(self, slices: Sequence[Slice]) -> QueueScan:
        """Return what the names in the folder say about some slices."""
        with self._counting:
            if self._counted is not None:
                counted, stamp, scan = self._counted
                if counted == tuple(slices) and stamp.holds(self._directory):
                    return scan
            stamp = Stamp(self._directory)
            count = Count(slices)
            for chunk in chunks(self._directory):
                count.add(chunk)
            scan = count.result()
            self._counted = (tuple(slices), stamp, scan)
            return scan

    def names(self, part: Slice, *suffixes: str) -> list[str]:
        """Return the whole names of a slice with these suffixes, oldest first."""
        names = Names(part, suffixes)
        for chunk in chunks(self._directory):
            names.add_entries(chunk)
        return names.result()

    def filebases(
        self, asking: Sliced, extension: str, limit: int | None = None
    ) -> list[str]:
        """Return filebases of the slice of ``asking``, oldest first.

        Args:
            asking: Who asks; where it is a sibling, the others are listed with it.
            extension: Suffix of the names.
            limit: How many, at most. What there is beyond is never held, and where
                there is more the answer may be some seconds old.
        """
        asked = time.monotonic()
        with self._listing:
            reading = self._kept.get(extension)
            if reading is not None:
                fresh = reading.began >= asked or reading.stamp.holds(self._directory)
                found = reading.take(asking.slice, limit, fresh=fresh)
                if found is not None:
                    return self._hand_out(asking.slice, found, limit)
            found = self._read(asking, extension, limit)
            return self._hand_out(asking.slice, found, limit)

    def _hand_out(self, part: Slice, found: list[str], limit: int | None) -> list[str]:
        """Remember what a runner has in hand: no sibling's reading shall repeat it."""
        if limit is not None and limit <= len(found) and found:
            self._in_hand[part] = found[-1]
        else:
            self._in_hand.pop(part, None)
        return found

    def _read(self, asking: Sliced, extension: str, limit: int | None) -> list[str]:
        slices = {}
        siblings = self._all_siblings()
        if asking in siblings and _is_worth_sharing(limit):
            slices = dict.fromkeys((one.slice for one in siblings), "")
            if limit is not None:
                slices |= {part: self._in_hand.get(part, "") for part in slices}
        slices[asking.slice] = ""
        reading = _Reading(self._directory, Batches(slices, extension, limit))
        self.readings += 1
        own = reading.batches[asking.slice]
        if own.is_full:
            del reading.batches[asking.slice]
        held = sum(len(batch.filebases) for batch in reading.batches.values())
        if held <= _KEEP:
            self._kept[extension] = reading
        else:
            self._kept.pop(extension, None)
        return list(own.filebases)


def _is_worth_sharing(limit: int | None) -> bool:
    return limit is None or limit >= _WORTH_SHARING
