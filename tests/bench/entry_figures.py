"""Entries of a large queue: listed, filtered by what names and messages say, sorted."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import files
from tests.bench.report import Figure, medians, milliseconds
from tests.bench.serving import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.ground import Ground

_RARE = "from:zoe"
_FREQUENT = "from:anne list:ant"


def entries(ground: Ground) -> Iterator[Figure]:
    """List, filter and sort, when nothing is known yet and from the cache."""
    count = ground.number(100_000)
    with ground.queue("entries") as root, closing(_side()) as side:
        files.fill(root / "in", ground.qfile.read_bytes(), count)
        search = {"root": str(root), "queue": "in"}

        def names() -> float:
            seconds, hits = side.ask("names", where="age>1s", **search)
            assert hits == count
            return float(seconds)

        def first() -> float:
            side.ask("forget", root=str(root))
            return float(side.ask("first", where=_FREQUENT, **search))

        def cold() -> float:
            side.ask("forget", root=str(root))
            return warm()

        def warm() -> float:
            seconds, hits = side.ask("content", where=_RARE, **search)
            assert hits == 0
            return float(seconds)

        took = medians(ground.rounds(15), {"first": first})
        # Each looks into the cache that the one before it has filled.
        took |= medians(ground.rounds(3), {"names": names, "cold": cold, "warm": warm})
        yield _seconds(f"filter {count:,} by age, all match", took["names"], 1)
        yield Figure(
            what=f"first of what a filter on content finds in {count:,}",
            ours=milliseconds(took["first"]),
            measured=1000 * took["first"],
            unit="ms",
            at_most=100,
        )
        cold_seconds = took["cold"]
        yield _seconds(f"filter {count:,} by content, all read", cold_seconds, 5)
        what = f"filter {count:,} by content, from the cache"
        yield _seconds(what, took["warm"], 1, cold_seconds)
        seconds = side.ask("by_size", **search)
        yield _seconds(f"sort {count:,} by size, from the cache", seconds)


def million_entries(ground: Ground) -> Iterator[Figure]:
    """The oldest entries of a huge queue, a filter on all of its names, and memory."""
    count = ground.number(1_000_000)
    with ground.queue("million-entries") as root, closing(_side()) as side:
        files.fill(root / "in", b"", count)
        search = {"root": str(root), "queue": "in"}
        before = side.ask("peak")
        seconds, hits = side.ask("names", where="age>1s slice:1", **search)
        assert hits == 0
        yield _seconds(f"filter {count:,} by age and slice", seconds)
        grown = side.ask("peak") - before
    yield Figure(
        what="memory that it takes",
        ours=f"{grown:.0f} MB",
        measured=grown,
        unit="MB",
        at_most=100,
    )


def _side() -> Side:
    return Side(Path(sys.executable), "tests.bench.entry_side")


def _seconds(
    what: str, seconds: float, at_most: float | None = None, cold: float | None = None
) -> Figure:
    return Figure(
        what=what,
        ours=milliseconds(seconds),
        beside="" if cold is None else f"without {milliseconds(cold)}",
        measured=seconds,
        unit="s",
        at_most=at_most,
    )
