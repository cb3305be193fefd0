"""Telling people outside that a queue is sick, or well again."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

from qtool.control.models import VerdictKind
from qtool.control.serving import wire
from qtool.control.verdicts.again import Afresh
from qtool.control.verdicts.told import Told
from qtool.control.verdicts.vigil import WELL, Vigil
from qtool.engine.alerting import Alerter
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from qtool.control.control import Control
    from qtool.control.models import Board, Verdict
    from qtool.control.verdicts.vigil import Change

_LONGEST = 2000
SPOOL = ""
"""Stands for the spool as a whole where a queue is named."""


class Alerts:
    """Runs the ``[alert]`` command of a site on changes of its verdicts, until closed.

    What it has told is noted, so that the next one goes on from there.

    Args:
        control: The site; it is watched from now on.
        environment: What the command finds in its environment besides the facts.
        queues: Which are meant; empty for all of them, and the spool.
        ticks: Seconds that never go back.
    """

    def __init__(
        self,
        control: Control,
        environment: Mapping[str, str],
        queues: Collection[str] = (),
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = control.configuration.settings
        alert = settings.alert
        self._configuration = control.configuration
        self._queues = frozenset(queues)
        self._ticks = ticks
        self._told = Told(self._configuration.state_directory, settings.source)
        before = {q: one for q, one in self._told.read().items() if self._is_ours(q)}
        self._vigil = Vigil(alert.after_seconds, before)
        self._afresh = Afresh(before, ticks())
        self._alerter = Alerter(alert.command, environment)
        self._unwatch = control.watch(self.see)

    def see(self, board: Board) -> None:
        """Tell what has changed, if it has for long enough."""
        now = self._ticks()
        unsure = self._afresh.unsure(board, now)
        for change in self._vigil.see(self._verdicts(board), now, unsure):
            self._afresh.is_told(change.queue)
            facts, data = told(change, board)
            self._alerter.tell(facts, data, partial(self._note, change))

    def hush(self) -> None:
        """Find no more changes: what is stopped on purpose is neither sick nor well."""
        self._unwatch()

    def close(self) -> None:
        """Watch no more."""
        self._unwatch()
        self._alerter.close()

    def _note(self, change: Change) -> None:
        self._told.note(change.queue, change.after, self._is_there)

    def _is_there(self, queue: str) -> bool:
        return queue == SPOOL or queue in self._configuration.settings.runners

    def _is_ours(self, queue: str) -> bool:
        return not self._queues or queue in self._queues

    def _verdicts(self, board: Board) -> dict[str, Verdict]:
        found = {
            row.name: row.verdict
            for row in board.rows
            if row.verdict is not None and self._is_ours(row.name)
        }
        if self._queues:
            return found
        spool = board.site.verdict or WELL
        if spool.kind is VerdictKind.UNREADABLE:  # it is told of the spool, once
            found = {queue: self._vigil.told(queue) for queue in found}
        return {**found, SPOOL: spool}


def told(change: Change, board: Board) -> tuple[dict[str, str], bytes]:
    """Return what the command gets in its environment, and on standard input."""
    after = change.after
    facts = {
        "QTOOL_QUEUE": change.queue,
        "QTOOL_VERDICT": str(after.kind),
        "QTOOL_WORDS": after.words,
        "QTOOL_SEVERITY": str(after.severity),
        "QTOOL_EVIDENCE": after.evidence,
        "QTOOL_BEFORE": str(change.before.kind),
    }
    data = {
        "queue": change.queue,
        "at": board.at,
        "verdict": wire.dumped(after),
        "before": wire.dumped(change.before),
        "spool": board.site.spool,
        "config": board.site.source,
    }
    safe = {name: visible(text, _LONGEST) for name, text in facts.items()}
    return safe, json.dumps(data).encode() + b"\n"
