"""The part of ``Control`` that looks into queues, entry by entry."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from qtool.control.gate import opens_mail
from qtool.control.part import Part
from qtool.control.places import place

if TYPE_CHECKING:
    from qtool.control.desk.finding import Finder
    from qtool.control.models import Entry, EntryView, Found, QueueEntry


MOST_NAMED = 1000
"""So many entries are named that begin alike, at most."""


class Desk(Part):
    """Entries of queues, listed and looked at."""

    def entries(self, queue: str, number: int | None = None) -> list[QueueEntry]:
        """Return what is in a queue, oldest first; ``number`` entries at most."""
        from qtool.control.desk.entries import listed  # a board lists nothing

        return listed(place(self.configuration, queue), number)

    def names(self, queue: str) -> list[str]:
        """Return the names of a queue's entries with their suffixes, oldest first."""
        return place(self.configuration, queue).names()

    @opens_mail
    def entry(self, queue: str, filebase: str) -> EntryView:
        """Return what one entry holds; what is wrong with it is in the answer."""
        from qtool.control.desk.entries import viewed

        return viewed(place(self.configuration, queue), filebase)

    @opens_mail
    def content(self, queue: str, filebase: str, form: str = "raw") -> bytes:
        """Return an entry's message, or as `qfile` what `mailman qfile` prints.

        Raises:
            NoSuchEntry: It is not there.
            QFileError: It cannot be read.
        """
        from qtool.control.desk.contents import content_of  # needs the email package

        return content_of(place(self.configuration, queue), filebase, form)

    def find(
        self,
        queue: str,
        where: str = "",
        after: str = "",
        number: int = 100,
        seconds: float = 0.1,
        names_only: bool = False,
    ) -> Found:
        """Return the next entries that a filter matches, oldest first, as one page.

        Args:
            queue: Its name, or that of another place where entries are.
            where: The filter; without one it is every entry.
            after: The page begins behind this filebase: what the last one ended with.
            number: How many entries it has, at most.
            seconds: How long entries are read for it, about.
            names_only: Open nothing that the filter needs not: of what was found
                only that is known then which the name tells.

        Raises:
            FilterError: ``where`` is no filter; it says what was expected, and where.
        """
        from qtool.control.filters import parse  # who looks at all needs none

        saved = self.configuration.settings.filters
        wanted = parse(where, self.clock(), saved) if where.strip() else None
        return self._finder.find(
            queue, wanted, after, number, seconds, names_only=names_only
        )

    def described(self, queue: str, filebases: tuple[str, ...]) -> list[Entry]:
        """Return what lists show of some entries, without those that are gone."""
        return self._finder.described(queue, filebases)

    def named(self, queue: str, beginning: str) -> list[str]:
        """Return the filebases in a queue that begin so, a thousand at most."""
        page = place(self.configuration, queue).page("", MOST_NAMED, beginning)
        return [name.rpartition(".")[0] for name in page.names]

    @cached_property
    def _finder(self) -> Finder:
        from qtool.control.desk.cache import Cache
        from qtool.control.desk.finding import Finder

        # Where nothing may be changed, nothing is kept either.
        kept = None if self.read_only_reason() else self.configuration.state_directory
        cache = Cache(kept)
        self.on_close(cache.close)
        return Finder(self.configuration, cache, whys=self._reasons.whys)
