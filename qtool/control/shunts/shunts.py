"""The part of ``Control`` that tells why messages were put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from qtool.control.part import Part
from qtool.errors import NoSuchEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.desk.desk import Desk
    from qtool.control.models import Entry, Failure, FailureGroup

_PAGE = 1000


class Shunts(Part):
    """Why messages are in ``shunt`` and ``bad``, and what sending them on would do."""

    def reasons(
        self, queue: str, filebases: tuple[str, ...], log: str = ""
    ) -> list[Failure]:
        """Return why entries were put aside, in the order asked for.

        Args:
            queue: The place: ``shunt``, ``bad``, or any other.
            filebases: The entries.
            log: Path of the log to be read instead of the site's own.
        """
        return self._reasons.of(queue, filebases, log)

    def failures(
        self, queue: str = "shunt", where: str = "", log: str = ""
    ) -> list[FailureGroup]:
        """Return what entries were put aside for, those of a kind together.

        Args:
            queue: The place.
            where: A filter; empty for all entries.
            log: Path of the log to be read instead of the site's own.

        Raises:
            FilterError: ``where`` is no filter.
        """
        from qtool.control.shunts.groups import grouped  # few look

        entries = list(_all_found(cast("Desk", self), queue, where))
        told = self._reasons.of(queue, [entry.filebase for entry in entries], log)
        return grouped(told, entries, where)

    def rerun_warnings(self, queue: str, filebase: str) -> list[str]:
        """Return what speaks against sending an entry on, in sentences.

        All of it is evidence from its metadata, its traceback, the logs and the
        other queues; nothing is said where there is none.

        Raises:
            NoSuchEntry: It is not there.
        """
        found = self._reruns(queue, (filebase,))
        if filebase not in found:
            raise NoSuchEntry(f"{queue}: {filebase} is not there any more")
        return found[filebase]

    def _reruns(self, queue: str, filebases: Sequence[str]) -> dict[str, list[str]]:
        """Return the same for many, by filebase; what is gone is left out."""
        from qtool.control.shunts.rerun import warnings_of  # few look

        failures = self._reasons.of(queue, filebases)
        return warnings_of(self.configuration, failures)


def _all_found(desk: Desk, queue: str, where: str) -> Iterator[Entry]:
    after = ""
    while True:
        found = desk.find(queue, where, after, _PAGE)
        yield from found.entries
        if found.complete:
            return
        after = found.after
