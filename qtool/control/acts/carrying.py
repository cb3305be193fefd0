"""Carrying acts out: entry by entry, on record before, durable after.

Of two who want an entry one gets it, and the other is told so. Where a disk is full
or a folder may not be written the rest is left alone: what was done is on record.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from qtool.control.acts.groups import Groups
from qtool.control.acts.records import OWN_TRASH
from qtool.control.acts.swapping import edit, take_back
from qtool.control.audit.audit import noted
from qtool.control.models.mending import NOT_TRIED, ActionResult, Missed
from qtool.control.places import HELD, TRASH, place, trash
from qtool.errors import NoSuchEntry, QFileError, QToolError
from qtool.msgdata import from_json
from qtool.queues import durable
from qtool.queues.filebase import IN_HAND, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.control.acts.begun import Begun
    from qtool.control.acts.journal import Journal
    from qtool.control.acts.ongoing import Ongoing
    from qtool.control.acts.plans import Ways
    from qtool.control.acts.records import Moved, Record
    from qtool.control.acts.swapping import Change
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

Made: TypeAlias = "Callable[[dict[str, Any]], dict[str, Any]]"
_SINCE = ": what was processed or moved since cannot come back"
_EMPTIED = ": it was emptied from the trash, or moved from there"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_SYNC_SECONDS = 0.1
"""How long what was moved may stay undurable in a long act."""


def carry_out(
    configuration: Configuration,
    journal: Journal,
    record: Record,
    ways: Ways,
    ongoing: Ongoing,
    change: Change | None = None,
) -> ActionResult:
    """Put an act on record, carry it out, and tell what became of each entry.

    Args:
        configuration: The site.
        journal: Where it is put on record.
        record: The act.
        ways: Where the entries go.
        ongoing: Is told how far it is.
        change: What is done to an entry whose original is kept in the trash.

    Raises:
        OSError: It could not be put on record: nothing was done.
    """
    skipped, failed = tuple(ways.skipped), tuple(ways.failed)
    result = ActionResult(verb=record.verb, queue=record.queue, to=record.to)
    result = replace(result, skipped=skipped, failed=failed)
    if not ways.moves:
        return result
    with journal.begin(replace(record, moves=tuple(ways.moves))) as begun:
        noted(files=[move.filebase for move in ways.moves], number=begun.number)
        carrier = _Carrier(configuration, begun.number, change, bool(record.undoes))
        ongoing.begins(len(ways.moves), begun.number)
        carrier.carry(ways.moves, ongoing)
        carrier.end(begun)
    return replace(
        result,
        number=begun.number,
        done=tuple(carrier.done),
        skipped=(*skipped, *carrier.skipped),
        failed=(*failed, *carrier.failed),
        note="; ".join(carrier.notes),
    )


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _told(error: OSError, move: Moved) -> str:
    """Return what is wrong with the machine, and where, as far as that can be told."""
    where = ""
    if error.errno in _NO_ROOM and not move.swapped:
        where = move.target
    for name in (error.filename, error.filename2):
        folder = Path(name).parent if isinstance(name, str) else None
        if folder and not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            where = str(folder)
    return f"{where}: {_reason(error)}" if where else _reason(error)


class _Carrier:
    """Goes some ways, and remembers how that went."""

    def __init__(
        self,
        configuration: Configuration,
        number: int,
        change: Change | None,
        backwards: bool,
    ) -> None:
        self._configuration = configuration
        self._change = change
        self._number = number
        self._backwards = backwards
        self._left = 0
        self._unsure: list[str] = []  # may have changed where it stayed
        self._places: dict[str, Switchboard] = {}
        self._groups = Groups(self._place, self._msgdata)
        self._unsynced: dict[str, bool] = {}  # whether entries have only left it
        self._swept: set[str] = set()
        self._synced_at = time.monotonic()
        self.done: list[str] = []
        self.skipped: list[Missed] = []
        self.failed: list[Missed] = []
        self.notes: list[str] = []

    def carry(self, moves: Sequence[Moved], ongoing: Ongoing) -> None:
        """Go all ways, up to the first that the machine or a person does not allow."""
        try:
            with closing(self._groups.each(moves)) as each:
                for position, move in enumerate(each):
                    problem = self._tried(move) or self._synced_in_time()
                    problem = problem or ongoing.came_to(position + 1)
                    if problem:
                        self._leave(moves[position + 1 :], problem)
                        break
        finally:
            self._sync()

    def _leave(self, moves: Sequence[Moved], problem: str) -> None:
        self._left = len(moves)
        for move in moves:
            self._miss(self.skipped, move, NOT_TRIED + problem)

    def end(self, begun: Begun) -> None:
        """Put on record how that went."""
        try:
            begun.end(self.done, self._left + len(self.failed), self._unsure)
        except OSError as error:
            self.notes.append(f"its end is not on record: {_reason(error)}")

    def _tried(self, move: Moved) -> str:
        """Go a way; return what is wrong with the machine, mostly nothing."""
        try:
            try:
                self._go(move)
            except NoSuchEntry as error:
                if not self._backwards:
                    raise
                self._make_up(move, error)
            self.done.append(move.filebase)
        except NoSuchEntry as error:
            self._miss(self.skipped, move, str(error))
        except QFileError as error:
            self._fail(move, error.reason)
        except (QToolError, ValueError) as error:
            self._fail(move, str(error))
        except OSError as error:
            problem = _told(error, move)
            self._fail(move, problem + self._left_in_hand(move))
            return problem
        return ""

    def _fail(self, move: Moved, reason: str) -> None:
        self._miss(self.failed, move, reason)
        if move.msgdata is not None or move.swapped:
            self._unsure.append(move.filebase)

    def _left_in_hand(self, move: Moved) -> str:
        """Say where a disk that fails has left an entry, or a copy of it, in a hand."""
        held = []
        for end in (move, move.backwards):
            queue, hand = self._place(end.source), IN_HAND[end.suffix]
            try:
                if end.filebase in queue.get_files(hand):
                    held.append(queue.name)
            except OSError:  # what cannot be seen may be there
                held.append(queue.name)
        if not held:
            return ""
        self._unsure.append(move.filebase)
        return f"; it may be left in a hand in {' and '.join(held)}: undo, or try again"

    def _make_up(self, move: Moved, error: NoSuchEntry) -> None:
        """Give an entry that is back already what it lost, when that was cut off.

        Raises:
            NoSuchEntry: It is not there, or lost nothing.
        """
        target, name = self._place(move.target), move.new_filebase
        self._sweep(move.target)
        try:
            state = target.suffix_of(name)
        except NoSuchEntry:
            was_trash = move.source.startswith(TRASH) and not move.swapped
            since = _EMPTIED if was_trash else _SINCE
            raise NoSuchEntry(f"{error}{since}") from error
        if move.swapped:
            raise error
        lost = from_json(move.msgdata) if move.msgdata and state == WAITING else {}
        held = target.peek(name) if lost else None
        if held is None or lost.keys() <= held.msgdata.keys():
            raise NoSuchEntry(f"{name} is in {move.target} already") from error
        target.rewrite(name, {**held.msgdata, **lost}, was=held, sync=False)
        self._unsynced[move.target] = False

    def _go(self, move: Moved) -> None:
        source, target = self._place(move.source), self._place(move.target)
        if move.swapped and self._change is not None:
            edit(move, source, target, self._change)
        elif move.swapped:
            # Swapped again by an undo after one that was cut off, it would come back.
            self._sweep(move.target)
            take_back(move, source, target)
        else:
            source.transfer(
                move.filebase,
                target,
                suffix=move.suffix,
                new_suffix=move.new_suffix,
                new_filebase=move.new_filebase,
                msgdata=self._msgdata(move),
                prepared=self._groups.prepared.get(move.source),
                sync=False,
            )
        self._unsynced.setdefault(move.source, True)
        self._unsynced[move.target] = False

    def _msgdata(self, move: Moved) -> Made | None:
        """Return what makes the metadata from then on; None where they are kept."""
        if move.msgdata is None:
            return None
        if self._backwards:
            lost = from_json(move.msgdata)
            return lambda held: {**held, **lost}
        gone = frozenset(move.msgdata)
        return lambda held: {k: held[k] for k in held if k not in gone}

    def _sweep(self, name: str) -> None:
        """Put back, once, what is in the hand of somebody who was killed."""
        if name not in self._swept:
            self._swept.add(name)
            self._place(name).sweep()

    def _place(self, name: str) -> Switchboard:
        if name not in self._places:
            real = trash(self._number) if name == OWN_TRASH else name
            found = place(self._configuration, real)
            if real.startswith((HELD, TRASH)):  # its own group may add to it
                durable.make_folder(str(found.queue_directory.parent))
            self._places[name] = found
        return self._places[name]

    def _synced_in_time(self) -> str:
        if time.monotonic() - self._synced_at < _SYNC_SECONDS:
            return ""
        return self._sync()

    def _sync(self) -> str:
        """Make what was moved durable; return what is wrong, mostly nothing."""
        problem = ""
        for name in sorted(self._unsynced, key=self._unsynced.__getitem__):
            try:
                self._places[name].sync()
            except OSError as error:
                problem = _reason(error)
                note = f"{name}: what was moved may not outlast a loss of power"
                self.notes.append(f"{note}: {problem}")
        self._unsynced.clear()
        self._synced_at = time.monotonic()
        return problem

    @staticmethod
    def _miss(missed: list[Missed], move: Moved, reason: str) -> None:
        missed.append(Missed(filebase=move.filebase, reason=reason))
