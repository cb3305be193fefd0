"""Looking for entries in a queue, page by page, and opening no more than must be.

Names come first: they are read in blocks that a search keeps between its pages, and
rule out what they can. What is left is looked up in the cache, or opened.
"""

from __future__ import annotations

import math
import os
import time
from bisect import bisect_right
from typing import TYPE_CHECKING

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
    from collections.abc import Callable, Mapping, Sequence

    from qtool.control.desk.blocks import Block
    from qtool.control.desk.cache import CacheRow
    from qtool.control.filters import Filter
    from qtool.control.models import Entry
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

    Whys = Callable[[str, Sequence[str]], Mapping[str, str]]

MOST_HITS = 100_000
"""How many entries a page has, at most."""
LONGEST_SECONDS = 60.0

_FIRST_BATCH, _BATCH = 8, 256
_FORGET_SECONDS = 600.0
_UNKNOWN = ("", None, None, None)


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
        looking = self._looking(queue, wanted, names_only=names_only)
        block = self._blocks.block(queue, after, number, everything=wanted is None)
        deadline = self._ticks() + min(max(seconds, 0.0), LONGEST_SECONDS)
        found: list[Row] = []
        begin, size = block.place_behind(after), _FIRST_BATCH
        at = begin
        while len(found) < number and (batch := block.names[at : at + size]):
            gone_through, hits = looking.through(batch, number - len(found), deadline)
            found += hits
            at += gone_through
            after = filebase_of(block.names[at - 1])
            size = _BATCH
            if self._ticks() >= deadline:
                break
        looking.remember()
        at_end = not block.names or block.ends_at(after)
        if at_end and not names_only:
            self._forget_gone(block)
        return Found(
            entries=tuple([row.entry() for row in found]),
            read=at - begin,
            total=block.total,
            after=after,
            complete=at_end and not block.more,
        )

    def described(self, name: str, filebases: Sequence[str]) -> list[Entry]:
        """Return what lists show of some entries, without those that are gone."""
        looking = self._looking(place(self._configuration, name), None)
        names = [f"{each}{WAITING}" for each in filebases if is_filebase(each)]
        _, rows = looking.through(names, len(names), math.inf)
        looking.remember()
        return [row.entry() for row in rows]

    def _looking(
        self, queue: Switchboard, wanted: Filter | None, *, names_only: bool = False
    ) -> _Looking:
        starts = _starts_of(self._configuration, queue.name)
        return _Looking(
            queue, starts, self._cache, self._whys, self._ticks, wanted, names_only
        )

    def _forget_gone(self, block: Block) -> None:
        """Have the cache forget, now and then, what is not in a block any more."""
        now, names = self._ticks(), block.names
        if not names or now - self._forgot.get(block.queue, -_FORGET_SECONDS) < (
            _FORGET_SECONDS
        ):
            return
        if are_usual([block.after or names[0], names[0], names[-1]]):
            stretch = block.queue, block.after, filebase_of(names[-1])
            if self._cache.number(*stretch) > len(names):
                self._cache.forget_others(*stretch, set(map(filebase_of, names)))
            if not block.more:
                self._forgot[block.queue] = now


class _Looking:
    """One look through entries of a queue.

    Args:
        queue: Where they are.
        starts: Where the slices of its runner begin; nothing where it is one.
        cache: What was read before.
        whys: See ``Finder``.
        ticks: Seconds that never go back.
        wanted: Which are meant; None: all.
        names_only: Open nothing that the filter needs not.
    """

    def __init__(
        self,
        queue: Switchboard,
        starts: Sequence[str],
        cache: Cache,
        whys: Whys,
        ticks: Callable[[], float],
        wanted: Filter | None,
        names_only: bool,
    ) -> None:
        self._queue = queue
        self._starts = starts
        self._cache = cache
        self._whys = whys
        self._ticks = ticks
        self._wanted = wanted
        needs_content = wanted is not None and wanted.needs_content
        self._names_do = names_only and not needs_content
        self._folder = path_of(queue, "", "")
        self._news: list[CacheRow] = []

    def through(
        self, names: Sequence[str], number: int, deadline: float
    ) -> tuple[int, list[Row]]:
        """Return how many entries were gone through, and which of them are wanted.

        Args:
            names: Of the entries, in order.
            number: How many are wanted, at most.
            deadline: When to open no more of them.
        """
        rows, wanted = self._rows(names), self._wanted
        open_ = rows if wanted is None else list(filter(wanted.may_match, rows))
        hits: list[Row] = []
        if self._names_do:
            hits = open_[:number]
            whole = len(hits) < number
            return len(rows) if whole else rows.index(hits[-1]) + 1, hits
        known, told = self._known(open_)
        for row in open_:
            if self._read(row, known, told) and (wanted is None or wanted.matches(row)):
                hits.append(row)
            if len(hits) >= number or self._ticks() >= deadline:
                return rows.index(row) + 1, hits
        return len(rows), hits

    def remember(self) -> None:
        """Have the cache keep what was read."""
        self._cache.add(self._queue.name, self._news)
        self._news = []

    def _rows(self, names: Sequence[str]) -> list[Row]:
        queue, due, starts = self._queue.name, self._queue.honours_due, self._starts
        rows, part = [], 0
        for name in names:
            filebase, _, suffix = name.rpartition(".")
            if starts:
                part = bisect_right(starts, digest_of(filebase)) - 1
            when = when_of(filebase)
            rows.append(Row(queue, filebase, f".{suffix}", when, part, due))
        return rows

    def _known(
        self, rows: Sequence[Row]
    ) -> tuple[Mapping[str, CacheRow], Mapping[str, str]]:
        queue, filebases = self._queue.name, [row.filebase for row in rows]
        return self._cache.rows(queue, filebases), self._whys(queue, filebases)

    def _read(
        self, row: Row, known: Mapping[str, CacheRow], told: Mapping[str, str]
    ) -> bool:
        """Learn what an entry holds; return whether it is still there."""
        try:
            facts = os.lstat(self._folder + row.filebase + row.suffix)
        except OSError:
            moved = self._facts_by_now(row)
            if moved is None:
                return False
            facts = moved
        inode, changed = facts.st_ino, facts.st_mtime_ns
        size = row.size = facts.st_size
        found = known.get(row.filebase, _UNKNOWN)
        if found[1] != inode or found[2] != changed or found[3] != size:
            values, lasting = values_of(self._queue, row.filebase, size)
            found = (row.filebase, inode, changed, size, *values)
            if lasting:
                self._news.append(found)
        row.fill(found)
        if row.suffix == PRESERVED and not row.why:
            row.why = reason_of(self._queue, row.filebase)
        if not row.why and told:
            row.why = told.get(row.filebase, "")
        return True

    def _facts_by_now(self, row: Row) -> os.stat_result | None:
        """Return what the system knows of an entry whose state has changed."""
        for suffix in ENTRY_SUFFIXES:
            try:
                facts = os.lstat(self._folder + row.filebase + suffix)
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
