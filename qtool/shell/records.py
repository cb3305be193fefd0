"""``undo``, ``acts``, ``trash`` and ``audit``: what was done, and the way back."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from qtool.errors import Refused
from qtool.shell.handles import ask
from qtool.shell.mending import Done, done
from qtool.shell.shown import Listed, table, terminal_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.control import Control
    from qtool.control.models import Act, AuditRecord, Trashed

_MOST = 20


class Records:
    """The words of the prompt about what was done at a site."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def undo(
        self, number: int | None = None, *, yes: bool = False, why: str = ""
    ) -> Done:
        """Take an act back: your own last one, or that of a number.

        Args:
            number: Of the act; ``acts()`` lists them.
            yes: Do not ask, where it is another user's.
            why: For people and for the audit.
        """
        others = yes
        if number is not None and not yes:
            question = self._control.undo_question(number)
            if question is not None:
                ask(question, "nothing was done")
                others = True
        undo = partial(self._control.undo, number, others, why)
        return done(self._control, undo)

    def acts(self, number: int = _MOST) -> Listed[Act]:
        """Return the acts on record, the newest first."""
        return Listed(self._control.acts(number), _act_lines)

    def trash(self) -> Listed[Trashed]:
        """Return what each act put into the trash that is still there.

        The entries of act 17 are ``queues['trash:17']``.
        """
        return Listed(self._control.trash(), _trash_lines)

    def audit(
        self,
        text: str = "",
        *,
        since: str | float = 0.0,
        until: str | float = 0.0,
        who: str = "",
        act: str = "",
        file: str = "",
        number: int = _MOST,
    ) -> Listed[AuditRecord]:
        """Return who did what, the newest first.

        Args:
            text: Only where this is in what is told.
            since: From then on: how long ago (``2d``), a date, or epoch seconds.
            until: The same, for the end.
            who: A user, who logged in, or called sudo.
            act: As it is called: ``step``, ``discard``, ``confirm``.
            file: What was done to this filebase.
            number: The newest so many of them.
        """
        from qtool.control.paging import records

        wanted = (_past(since), _past(until), who, act, file, text)
        pages = records(self._control, number, *wanted)
        return Listed([each for page in pages for each in page.records], _audit_lines)


def _past(when: str | float) -> float:
    """Return the epoch seconds of a time, or of so long ago."""
    from qtool.settings.ini import duration_seconds

    if not isinstance(when, str):
        return when
    seconds = duration_seconds(when)
    if seconds is not None:
        return time.time() - seconds
    try:
        return datetime.fromisoformat(when).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise Refused(
            f"expected a time such as 2d or 2026-12-31, not {when!r}"
        ) from error


def _act_lines(acts: Sequence[Act]) -> Iterator[str]:
    from qtool.render.acts import ACT_COLUMNS, act_row

    if not acts:
        yield "nothing was done yet"
        return
    yield from table(ACT_COLUMNS, map(act_row, acts), terminal_width())
    yield from (act.damage for act in acts if act.damage)


def _trash_lines(heaps: Sequence[Trashed]) -> list[str]:
    from qtool.render.acts import TRASH_COLUMNS, trash_row

    now = time.time()
    rows = [trash_row(heap, now) for heap in heaps]
    return table(TRASH_COLUMNS, rows, terminal_width()) if rows else ["it is empty"]


def _audit_lines(found: Sequence[AuditRecord]) -> list[str]:
    from qtool.render.audit import columns, row

    width = terminal_width()
    rows = [row(record, width) for record in found]
    if not rows:
        return ["nothing like that is on record"]
    return table(columns(width), rows, width)
