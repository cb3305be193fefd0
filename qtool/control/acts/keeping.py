"""How long acts stay on record: until nobody would take them back any more.

A record is no mail: what was held or moved is where it was put, and the audit log goes
on telling who did that. The newest one stays, so that no number is given twice; and
so does one by which alone a message can be put right that was left half-way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.places import place, trash_folder
from qtool.errors import NoSuchEntry, QFileError, QToolError
from qtool.msgdata import from_json
from qtool.queues.filebase import IN_HAND

if TYPE_CHECKING:
    from qtool.control.acts.journal import Journal
    from qtool.control.acts.records import Moved, Summary
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

_LEAST_SECONDS = 86400.0
"""Who keeps no trash takes back what was moved all the same."""


def forget_old(
    configuration: Configuration, journal: Journal, now: float, but: int = 0
) -> list[int]:
    """Remove the records of acts that are older than the trash keeps anything.

    Those stay of which something is in the trash or half-way, that are damaged, and
    those that have taken back one that stays.

    Args:
        configuration: The site.
        journal: Its acts.
        now: Epoch seconds.
        but: Number of one that stays.

    Returns:
        The numbers of those removed that had been cut off, for somebody to be told.
    """
    keep_seconds = configuration.settings.trash.keep_seconds
    before = now - max(keep_seconds, _LEAST_SECONDS)
    kept, cut_off = {but} if but else set(), []
    for number in reversed(journal.numbers()[1:]):
        if journal.changed_at(number) >= before:
            break  # and so are those after it
        if number in kept or _holds_trash(configuration, number):
            kept.add(number)  # of which it need not be known more
            continue
        for act in journal.summaries([number]):
            if act.undoes in kept or _is_open(act, configuration, journal):
                kept.add(number)
                continue
            journal.forget(number)
            if act.done is None:
                cut_off.append(number)
    return cut_off


def _holds_trash(configuration: Configuration, number: int) -> bool:
    """Return whether something of an act is in the trash."""
    heap = trash_folder(configuration) / str(number)
    try:
        return any(heap.iterdir())
    except FileNotFoundError:
        return False
    except OSError:  # it may hold something
        return True


def _is_open(act: Summary, configuration: Configuration, journal: Journal) -> bool:
    if act.damage or act.is_under_way:
        return True
    if act.done is not None and not act.left:
        return False
    try:
        places = _Places(configuration)
        return any(map(places.is_half_way, journal.read(act.number).carried_out))
    except (QToolError, OSError, ValueError):  # what cannot be seen may be there
        return True


class _Places:
    """What is in places now, each looked at once.

    Args:
        configuration: The site.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._places: dict[str, Switchboard] = {}
        self._names: dict[tuple[str, str], frozenset[str]] = {}

    def is_half_way(self, move: Moved) -> bool:
        """Return whether an entry is neither whole where it was nor gone from there."""
        ends = move, move.backwards
        if any(self._has(end, IN_HAND[end.suffix]) for end in ends):
            return True
        here, there = (self._has(end, end.suffix) for end in ends)
        return here and (there or self._is_stripped(move))

    def _is_stripped(self, move: Moved) -> bool:
        """Return whether it has lost metadata where it stayed."""
        lost = from_json(move.msgdata) if move.msgdata else {}
        try:
            held = self._place(move.source).peek(move.filebase) if lost else None
        except (NoSuchEntry, QFileError):  # nobody can give it anything
            return False
        return held is not None and not lost.keys() <= held.msgdata.keys()

    def _has(self, end: Moved, suffix: str) -> bool:
        key = end.source, suffix
        if key not in self._names:
            names = self._place(end.source).get_files(suffix)
            self._names[key] = frozenset(names)
        return end.filebase in self._names[key]

    def _place(self, name: str) -> Switchboard:
        if name not in self._places:
            self._places[name] = place(self._configuration, name)
        return self._places[name]
