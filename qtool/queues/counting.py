"""Counting a queue by its names alone, for any slices, keeping none of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtool.queues import filebase
from qtool.queues.filebase import EDITED, TAKEN, WAITING, WRITING
from qtool.queues.folder import HEX, as_lines, plain_names
from qtool.queues.slices import spread_of
from qtool.queues.switchboard import QueueScan, SliceScan

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from qtool.queues.slices import Slice

_USUAL = re.compile(
    r"^([1-9][0-9]{9}\.(?:[0-9]{0,21}[1-9]|0))\+"
    rf"({HEX}{{2}})({HEX}{{38}})(\.pck|\.bak|\.psv)$",
    re.MULTILINE,
)
"""Names of entries from 2001 to 2286: their times compare as text."""

_LATEST = "~"
"""Sorts after every time."""
_MOST_SAMPLED = 1024
"""Times of what waits that are kept for their distribution, at most."""


class _Sample:
    """Times of what waits: of all names, or of evenly chosen ones where many are."""

    def __init__(self) -> None:
        self.times: list[str] = []
        self._step = 1
        self._seen = 0

    def add(self, found: Sequence[tuple[str, str, str, str]]) -> None:
        """Take some names, in the order of the folder."""
        first = -self._seen % self._step
        self._seen += len(found)
        self.times += [n[0] for n in found[first :: self._step] if n[3] == WAITING]
        while len(self.times) > _MOST_SAMPLED:
            self.times, self._step = self.times[::2], 2 * self._step


class Count:
    """Adds up names as they are read, and says what each slice holds."""

    def __init__(self, slices: Sequence[Slice]) -> None:
        self._slices = slices
        self._spread = spread_of(tuple(slices))
        parts = range(len(self._spread))
        self._waiting = [0] * len(parts)
        self._taken = [0] * len(parts)
        self._oldest = [_LATEST for _ in parts]
        self._oldest_taken = [float("inf") for _ in parts]
        self._sample = _Sample()
        self._unusual: list[tuple[int, float]] = []
        """Part and time of what waits with an unusual time."""
        self._by_prefix = self._spread.by_prefix()
        self._preserved = 0
        self._foreign = 0

    def add(self, chunk: Sequence[os.DirEntry[str]]) -> None:
        """Count some entries of the folder."""
        lines, names = as_lines(plain_names(chunk))
        self._foreign += len(chunk) - len(names)
        found = _USUAL.findall(lines)
        if len(found) != len(names):
            self._add_unusual(name for name in names if not _USUAL.fullmatch(name))
        waiting, oldest, by_prefix = self._waiting, self._oldest, self._by_prefix
        part_of = self._spread.part_of
        self._sample.add(found)
        for when, head, tail, suffix in found:
            part = by_prefix[head]
            if part is None:
                part = part_of(head + tail)
            if suffix == WAITING:
                waiting[part] += 1
                if when < oldest[part]:
                    oldest[part] = when
            elif suffix == TAKEN:
                self._take(part, float(when))
            else:
                self._preserved += 1

    def _add_unusual(self, names: Iterable[str]) -> None:
        """Count names one by one."""
        for text in names:
            name = filebase.parse(text)
            if name is None:
                self._foreign += 1
            elif name.suffix == WRITING:
                continue
            elif name.suffix == WAITING:
                part = self._spread.part_of(name.digest)
                self._waiting[part] += 1
                self._unusual.append((part, name.when))
            elif name.suffix in (TAKEN, EDITED):
                self._take(self._spread.part_of(name.digest), name.when)
            else:
                self._preserved += 1

    def _take(self, part: int, when: float) -> None:
        self._taken[part] += 1
        self._oldest_taken[part] = min(when, self._oldest_taken[part])

    def result(self) -> QueueScan:
        """Return what was counted."""
        unusual = [when for _, when in self._unusual[:_MOST_SAMPLED]]
        times = sorted([*map(float, self._sample.times), *unusual])
        return QueueScan(
            when_p50=_at(times, 0.5),
            when_p95=_at(times, 0.05),
            slices=tuple(map(self._slice_scan, self._slices)),
            preserved=self._preserved,
            foreign=self._foreign,
        )

    def _slice_scan(self, part: Slice) -> SliceScan:
        parts = self._spread.parts_of(part)
        times = [when for number, when in self._unusual if number in parts]
        usual = min(self._oldest[number] for number in parts)
        taken = min(self._oldest_taken[number] for number in parts)
        if usual != _LATEST:
            times.append(float(usual))
        return SliceScan(
            depth=sum(self._waiting[number] for number in parts),
            in_flight=sum(self._taken[number] for number in parts),
            oldest=min(times, default=None),
            oldest_taken=None if taken == float("inf") else taken,
        )


def _at(times: Sequence[float], share: float) -> float | None:
    """Return the time that a share of the sorted ones is before."""
    return times[int(share * (len(times) - 1))] if times else None
