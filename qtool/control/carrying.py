"""Carrying acts out: entry by entry, on record before, durable after.

Of two who want an entry one gets it, and the other is told so. Where a disk is full
or a folder may not be written the rest is left alone: what was done is on record.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from qtool.control.audit import noted
from qtool.control.journal import OWN_TRASH
from qtool.control.models.mending import ActionResult, Missed
from qtool.control.places import TRASH, place, trash
from qtool.errors import NoSuchEntry, QFileError, QToolError
from qtool.msgdata import from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.control.journal import Journal, Moved, Record
    from qtool.control.plans import Ways
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

Change: TypeAlias = "Callable[[Switchboard, str], None]"
_SINCE = ": what was processed or moved since cannot come back"
_SYNC_SECONDS = 0.1
"""How long what was moved may stay undurable in a long act."""


def carry_out(
    configuration: Configuration,
    journal: Journal,
    record: Record,
    ways: Ways,
    change: Change | None = None,
) -> ActionResult:
    """Put an act on record, carry it out, and tell what became of each entry.

    Args:
        configuration: The site.
        journal: Where it is put on record.
        record: The act.
        ways: Where the entries go.
        change: What is done to an entry whose original is kept in the trash.

    Raises:
        OSError: It could not be put on record: nothing was done.
    """
    result = ActionResult(
        verb=record.verb,
        queue=record.queue,
        to=record.to,
        skipped=tuple(ways.skipped),
        failed=tuple(ways.failed),
    )
    if not ways.moves:
        return result
    number = journal.begin(replace(record, moves=tuple(ways.moves)))
    noted(files=[move.filebase for move in ways.moves], number=number)
    carrier = _Carrier(configuration, number, change, backwards=bool(record.undoes))
    carrier.carry(ways.moves)
    journal.end(number, carrier.done)
    return replace(
        result,
        number=number,
        done=tuple(carrier.done),
        skipped=(*result.skipped, *carrier.skipped),
        failed=(*result.failed, *carrier.failed),
    )


class _Carrier:
    """Goes some ways, and remembers how that went."""

    def __init__(
        self,
        configuration: Configuration,
        number: int,
        change: Change | None,
        *,
        backwards: bool,
    ) -> None:
        self._configuration = configuration
        self._change = change
        self._number = number
        self._backwards = backwards
        self._places: dict[str, Switchboard] = {}
        self._unsynced: set[str] = set()
        self._synced_at = time.monotonic()
        self.done: list[str] = []
        self.skipped: list[Missed] = []
        self.failed: list[Missed] = []

    def carry(self, moves: Sequence[Moved]) -> None:
        """Go all ways, up to the first that the machine does not allow."""
        try:
            for position, move in enumerate(moves):
                try:
                    self._go(move)
                    self.done.append(move.filebase)
                except NoSuchEntry as error:
                    since = _SINCE if self._backwards else ""
                    self._miss(self.skipped, move, f"{error}{since}")
                except QFileError as error:
                    self._miss(self.failed, move, error.reason)
                except QToolError as error:
                    self._miss(self.failed, move, str(error))
                except OSError as error:
                    reason = error.strerror or str(error)
                    self._miss(self.failed, move, reason)
                    for left in moves[position + 1 :]:
                        self._miss(self.skipped, left, f"not tried after: {reason}")
                    break
                if time.monotonic() - self._synced_at >= _SYNC_SECONDS:
                    self._sync()
        finally:
            self._sync()

    def _go(self, move: Moved) -> None:
        source, target = self._place(move.source), self._place(move.target)
        if move.swapped:
            self._exchange(move.filebase, source, target)
            return
        source.transfer(
            move.filebase,
            target,
            suffix=move.suffix,
            new_suffix=move.new_suffix,
            new_filebase=move.new_filebase,
            msgdata=self._msgdata(source, move),
            sync=False,
        )
        self._unsynced |= {move.source, move.target}

    def _exchange(
        self, filebase: str, source: Switchboard, target: Switchboard
    ) -> None:
        """Change an entry beside whose original it was kept, or take that back."""
        if self._change is None:
            is_back = source.name.startswith(TRASH)
            queue, heap = (target, source) if is_back else (source, target)
            queue.swap(filebase, heap)
            return
        source.keep(filebase, target)
        try:
            self._change(source, filebase)
        except BaseException:
            target.erase(filebase)
            raise

    def _msgdata(self, source: Switchboard, move: Moved) -> dict[str, Any] | None:
        """Return the metadata an entry has from then on; None where it is kept."""
        if move.msgdata is None:
            return None
        held, lost = source.peek(move.filebase).msgdata, from_json(move.msgdata)
        if self._backwards:
            return {**held, **lost}
        return {key: value for key, value in held.items() if key not in lost}

    def _place(self, name: str) -> Switchboard:
        if name not in self._places:
            real = trash(self._number) if name == OWN_TRASH else name
            self._places[name] = place(self._configuration, real)
        return self._places[name]

    def _sync(self) -> None:
        for name in self._unsynced:
            self._places[name].sync()
        self._unsynced.clear()
        self._synced_at = time.monotonic()

    @staticmethod
    def _miss(missed: list[Missed], move: Moved, reason: str) -> None:
        missed.append(Missed(filebase=move.filebase, reason=reason))
