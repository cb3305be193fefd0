"""The part of ``Control`` that finds what is wrong at a site, and puts it right."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.acting import acting_uid
from qtool.control.audit.audit import noted
from qtool.control.gate import act
from qtool.control.part import Part
from qtool.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtool.control.acts.tokens import Tokens
    from qtool.control.doctor.fixing import Fix
    from qtool.control.models import Board, Examined, Finding, Fixed, FixPreview
    from qtool.queues.switchboard import Switchboard

_LONGEST_SECONDS = 60.0


class Doctoring(Part):
    """Findings, and what is done about them."""

    if TYPE_CHECKING:

        def scan(self) -> Board:
            """Read everything afresh; see ``Control``."""

    def examine(self, queues: tuple[str, ...] = ()) -> list[Finding]:
        """Return what is wrong in queues, or everywhere; opens no entry.

        Args:
            queues: Which; without any it is the whole site.
        """
        from qtool.control.doctor.site import site_findings

        board = self.scan()
        named = queues or tuple(self.configuration.switchboards)
        found = [] if queues else site_findings(self.configuration, board)
        for name in named:
            found += self._queue_findings(self._queue(name), board)
        return self._as_far_as_allowed(found)

    def examine_entries(
        self, queue: str, after: str = "", seconds: float = 0.1
    ) -> Examined:
        """Open waiting entries of a queue, those behind ``after``, for some seconds."""
        from qtool.control.doctor import contents

        seconds = min(max(seconds, 0.0), _LONGEST_SECONDS)
        page = contents.read(self._queue(queue), after, seconds, time.monotonic)
        return replace(page, findings=tuple(self._as_far_as_allowed(page.findings)))

    @act
    def fix_preview(self, kind: str, queue: str = "") -> FixPreview:
        """Return what a fix would change, with a token for it.

        Args:
            kind: Of the findings that it puts right.
            queue: Where they are; empty for the whole site.

        Raises:
            Refused: There is no such fix.
        """
        from qtool.control.doctor.fixing import previewed

        fix = self._fix(kind, queue)
        with self._ongoing.begun(kind, queue, "") as ongoing:
            fix.looked_at = ongoing.looked_at
            return previewed(fix, kind, queue, self._tokens, acting_uid())

    def rehearse_fix(self, kind: str, queue: str = "") -> FixPreview:
        """Return what `fix_preview` would, without a token: nothing is written for it.

        That is for who may not act.
        """
        from qtool.control.doctor.fixing import previewed

        fix = self._fix(kind, queue)
        with self._ongoing.begun(kind, queue, "") as ongoing:
            fix.looked_at = ongoing.looked_at
            return previewed(fix, kind, queue)

    @act
    def fix(self, kind: str, queue: str, token: str) -> Fixed:
        """Put right what was previewed, and nothing else.

        Raises:
            Refused: The token is not one of such a preview.
        """
        from qtool.control.doctor.fixing import carried_out, verb_of

        fix = self._fix(kind, queue)
        plan = self._tokens.redeem(token, acting_uid(), verb_of(kind), queue)
        if plan.queue != queue:  # it is for a queue, and the site was named
            raise Refused(f"the token {token} is for {plan.verb} {plan.queue}")
        noted(files=plan.filebases)
        with self._ongoing.begun(plan.verb, queue, "") as ongoing:
            return carried_out(fix, kind, queue, plan.filebases, ongoing)

    # --- Behind the scenes

    @property
    def _tokens(self) -> Tokens:
        from qtool.control.acts.tokens import Tokens

        return Tokens(self.configuration.state_directory, self.clock)

    def _fix(self, kind: str, queue: str) -> Fix:
        from qtool.control.doctor.fixes import fix_of

        made = fix_of(kind, queue)
        found = self._queue(queue) if queue else None
        row = self.scan().row(queue) if queue else None
        return made(self.configuration, found, row, self.clock())

    def _queue(self, name: str) -> Switchboard:
        return self.configuration.switchboards[name]

    def _queue_findings(self, queue: Switchboard, board: Board) -> list[Finding]:
        from qtool.control.doctor.queue import QueueCheck, closed
        from qtool.control.doctor.site import unserved

        row = board.row(queue.name)
        found = unserved(row) if row is not None else []
        check = QueueCheck(self.configuration, queue, row, self.clock())
        try:
            return found + check.findings()
        except FileNotFoundError:
            return found  # a site as a whole tells whether there should be one
        except OSError as error:
            return found + closed(queue, error)

    def _as_far_as_allowed(self, found: Iterable[Finding]) -> list[Finding]:
        """Return findings, none of them fixable where nothing may be changed."""
        if self.read_only_reason():
            return [replace(each, fixable=False) for each in found]
        return list(found)
