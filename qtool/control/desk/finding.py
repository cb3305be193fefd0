"""Looking for entries in a queue, page by page, and opening no more than must be.

Names come first: they are read in blocks that a search keeps between its pages, and
rule out what they can. What is left is looked up in the cache, or opened.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Any

from qtool.control.desk.blocks import Blocks, filebase_of
from qtool.control.desk.cache import Cache
from qtool.control.desk.entries import path_of, reason_of
from qtool.control.desk.fields import Row, values_of
from qtool.control.models import Found
from qtool.control.places import place
from qtool.queues.filebase import (
    ENTRY_SUFFIXES,
    PRESERVED,
    WAITING,
    are_usual,
    digest_of,
    is_filebase,
    when_of,
)
from qtool.queues.slices import bound_text, weighted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qtool.control.desk.blocks import Block
    from qtool.control.desk.cache import CacheRow, Key
    from qtool.control.filters import Filter
    from qtool.control.models import Entry
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

    Known = dict[str, tuple[Key, tuple[Any, ...]]]
    """What the cache has of entries: what their files were, and what they held."""
    Whys = Callable[[str, Sequence[str]], Mapping[str, str]]

MOST_HITS = 100_000
"""How many entries a page has, at most."""
LONGEST_SECONDS = 60.0

_BATCH = 256
_FORGET_SECONDS = 600.0


class Finder:
    """Finds entries of one site, for any thread.

    Args:
        configuration: The site.
        cache: What was read before.
        ticks: Seconds that never go back.
        whys: Says of entries of a queue, by filebase, why they were put aside where
            they do not say so themselves.
    """

    def __init__(
        self,
        configuration: Configuration,
        cache: Cache,
        ticks: Callable[[], float] = time.monotonic,
        whys: Whys = lambda _queue, _filebases: {},
    ) -> None:
        self._configuration = configuration
        self._cache = cache
        self._whys = whys
        self._ticks = ticks
        self._blocks = Blocks(ticks)
        self._forgot: dict[str, float] = {}

    def find(
        self,
        name: str,
        wanted: Filter | None,
        after: str,
        number: int,
        seconds: float,
        *,
        names_only: bool,
    ) -> Found:
        """Return one page of a search; see ``Control.find``."""
        number = min(max(number, 1), MOST_HITS)
        queue = place(self._configuration, name)
        looking = _Looking(queue, self._configuration, self._cache, self._whys)
        block = self._blocks.block(queue, after, number, everything=wanted is None)
        deadline = self._ticks() + min(max(seconds, 0.0), LONGEST_SECONDS)
        found: list[Row] = []
        read = 0
        for row, is_hit in looking.through(block.behind(after), wanted, names_only):
            read += 1
            after = row.filebase
            if is_hit:
                found.append(row)
            if len(found) >= number or self._ticks() >= deadline:
                break
        looking.remember()
        at_end = not block.names or block.ends_at(after)
        if at_end:
            self._forget_gone(block)
        return Found(
            entries=tuple(row.entry() for row in found),
            read=read,
            total=block.total,
            after=after,
            complete=at_end and not block.more,
        )

    def described(self, name: str, filebases: Sequence[str]) -> list[Entry]:
        """Return what lists show of some entries, without those that are gone."""
        queue = place(self._configuration, name)
        looking = _Looking(queue, self._configuration, self._cache, self._whys)
        names = [f"{each}{WAITING}" for each in filebases if is_filebase(each)]
        rows = [row for row, is_hit in looking.through(names, None, False) if is_hit]
        looking.remember()
        return [row.entry() for row in rows]

    def _forget_gone(self, block: Block) -> None:
        """Have the cache forget, now and then, what is not in a block any more."""
        now, names = self._ticks(), block.names
        if not names or now - self._forgot.get(block.queue, -_FORGET_SECONDS) < (
            _FORGET_SECONDS
        ):
            return
        if are_usual([block.after or names[0], names[0], names[-1]]):
            present = set(map(filebase_of, names))
            last = max(present)
            self._cache.forget_others(block.queue, block.after, last, present)
            if not block.more:
                self._forgot[block.queue] = now


class _Looking:
    """One look through entries of a queue."""

    def __init__(
        self, queue: Switchboard, configuration: Configuration, cache: Cache, whys: Whys
    ) -> None:
        self._queue = queue
        self._whys = whys
        self._cache = cache
        self._folder = path_of(queue, "", "")
        self._starts = _starts_of(configuration, queue.name)
        self._news: list[CacheRow] = []

    def through(
        self, names: Sequence[str], wanted: Filter | None, names_only: bool
    ) -> Iterator[tuple[Row, bool]]:
        """Yield every entry in order, and whether it is wanted."""
        waiting, size = iter(names), 8
        while batch := list(islice(waiting, size)):
            rows = [self._row(name) for name in batch]
            if wanted is None:
                open_, sure = rows, names_only
            else:
                open_ = [row for row in rows if wanted.may_match(row)]
                sure = names_only and not wanted.needs_content
            known, told = ({}, {}) if sure or not open_ else self._known(open_)
            chosen = set(map(id, open_))
            for row in rows:
                is_hit = id(row) in chosen
                if is_hit and not sure:
                    is_hit = self._read(row, known, told) and (
                        wanted is None or wanted.matches(row)
                    )
                yield row, is_hit
            size = _BATCH

    def remember(self) -> None:
        """Have the cache keep what was read."""
        self._cache.add(self._queue.name, self._news)
        self._news = []

    def _row(self, name: str) -> Row:
        filebase, _, suffix = name.rpartition(".")
        starts = self._starts
        part = bisect_right(starts, digest_of(filebase)) - 1 if starts else 0
        when, queue = when_of(filebase), self._queue
        return Row(queue.name, filebase, f".{suffix}", when, part, queue.honours_due)

    def _known(self, rows: Sequence[Row]) -> tuple[Known, Mapping[str, str]]:
        queue, filebases = self._queue.name, [row.filebase for row in rows]
        return self._cache.rows(queue, filebases), self._whys(queue, filebases)

    def _read(self, row: Row, known: Known, told: Mapping[str, str]) -> bool:
        """Learn what an entry holds; return whether it is still there."""
        facts = self._facts(row)
        if facts is None:
            return False
        key = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
        row.size = facts.st_size
        before = known.get(row.filebase)
        if before is not None and before[0] == key:
            row.fill(before[1])
        else:
            values, lasting = values_of(self._queue, row.filebase, facts.st_size)
            row.fill(values)
            if lasting:
                self._news.append((row.filebase, key, values))
        if row.suffix == PRESERVED and not row.why:
            row.why = reason_of(self._queue, row.filebase)
        row.why = row.why or told.get(row.filebase)
        return True

    def _facts(self, row: Row) -> os.stat_result | None:
        """Return what the system knows of an entry, whose state may have changed."""
        path = self._folder + row.filebase
        try:
            return os.lstat(path + row.suffix)
        except OSError:
            pass
        for suffix in ENTRY_SUFFIXES:
            try:
                facts = os.lstat(path + suffix)
            except OSError:
                continue
            row.suffix = suffix
            return facts
        return None


def _starts_of(configuration: Configuration, name: str) -> list[str]:
    """Return where the slices of a queue's runner begin; nothing where it is one."""
    runner = configuration.settings.runners.get(name)
    proportions = runner.proportions if runner and runner.served else ()
    if len(proportions) < 2:
        return []
    return [bound_text(part.lower) for part in weighted(proportions)]
