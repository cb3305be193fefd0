"""The part of ``Control`` that looks into queues, entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.entries import listed, viewed
from qtool.control.gate import opens_mail
from qtool.control.part import Part

if TYPE_CHECKING:
    from qtool.control.models import EntryView, QueueEntry


class Desk(Part):
    """Entries of queues, listed and looked at."""

    def entries(self, queue: str, number: int | None = None) -> list[QueueEntry]:
        """Return what is in a queue, oldest first; ``number`` entries at most."""
        return listed(self.configuration.switchboards[queue], number)

    def names(self, queue: str) -> list[str]:
        """Return the names of a queue's entries with their suffixes, oldest first."""
        return self.configuration.switchboards[queue].names()

    @opens_mail
    def entry(self, queue: str, filebase: str) -> EntryView:
        """Return what one entry holds; what is wrong with it is in the answer."""
        return viewed(self.configuration.switchboards[queue], filebase)
