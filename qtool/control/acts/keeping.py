"""How long acts stay on record: until nobody would take them back any more.

A record is no mail: what was held or moved is where it was put, and the audit log goes
on telling who did that. The newest one stays, so that no number is given twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.places import trash_folder

if TYPE_CHECKING:
    from qtool.control.acts.journal import Journal
    from qtool.control.acts.records import Summary
    from qtool.installation import Configuration

_LEAST_SECONDS = 86400.0
"""Who keeps no trash takes back what was moved all the same."""


def forget_old(
    configuration: Configuration, journal: Journal, now: float, but: int = 0
) -> None:
    """Remove the records of acts that are older than the trash keeps anything.

    Those stay of which something is in the trash, that were cut off or are damaged,
    and those that have taken back one that stays.

    Args:
        configuration: The site.
        journal: Its acts.
        now: Epoch seconds.
        but: Number of one that stays.
    """
    keep_seconds = configuration.settings.trash.keep_seconds
    before = now - max(keep_seconds, _LEAST_SECONDS)
    kept = {but} if but else set()
    for number in reversed(journal.numbers()[1:]):
        if journal.changed_at(number) >= before:
            return  # and so are those after it
        for act in journal.summaries([number]):
            if number in kept or act.undoes in kept or _is_open(act, configuration):
                kept.add(number)
            else:
                journal.forget(number)


def _is_open(act: Summary, configuration: Configuration) -> bool:
    if act.damage or act.done is None:
        return True
    heap = trash_folder(configuration) / str(act.number)
    try:
        return any(heap.iterdir())
    except FileNotFoundError:
        return False
    except OSError:  # it may hold something
        return True
