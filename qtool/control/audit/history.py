"""The part of ``Control`` that tells who did what."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtool.control.part import Part
from qtool.errors import NoSuchAct

if TYPE_CHECKING:
    from qtool.control.models import AuditPage


class History(Part):
    """What is on record."""

    def audit(
        self,
        since: float = 0.0,
        until: float = 0.0,
        who: str = "",
        act: str = "",
        file: str = "",
        text: str = "",
        number: int = 100,
        after: str = "",
    ) -> AuditPage:
        """Return who did what, the newest first, a page at a time.

        Args:
            since: Of what began then or later, in epoch seconds; 0 for all.
            until: Of what began before that; 0 for all.
            who: Of this user, login or ``sudo`` user, or user id.
            act: Of this call.
            file: Of filebases that begin so.
            text: Where that is in what is told of it, in any case.
            number: As many at most. Fewer come where nothing else is found in a part
                of the file, and ``after`` says whether there is more.
            after: That of the page before; empty for the first.
        """
        from qtool.control.audit.records import Wanted, page_of  # few ask

        is_of = self._is_of
        wanted = Wanted(since, until, who, act, file, text.casefold(), is_of)
        folder = self.configuration.state_directory
        return page_of(folder, wanted, max(number, 1), after)

    def _is_of(self, number: int, beginning: str) -> bool:
        from qtool.control.acts.journal import Journal

        with suppress(NoSuchAct):
            moves = Journal(self.configuration.state_directory).read(number).moves
            return any(move.filebase.startswith(beginning) for move in moves)
        return False
