"""What was discarded: one folder an act, until somebody empties it.

It has a retention and a limit. Nothing leaves it by itself: what is past its time is
named, and where there is too much nothing more is discarded until it was emptied.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.control.acts.journal import Journal
from qtool.control.acts.records import Summary
from qtool.control.models import ActionResult, Trashed
from qtool.control.models.mending import NOT_TRIED, Missed
from qtool.control.places import TRASH, act_of, place, trash_folder
from qtool.errors import NoSuchAct, QToolError, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.acts.ongoing import Ongoing
    from qtool.control.acts.tokens import Plan
    from qtool.installation import Configuration

EMPTY = "empty"
"""The verb of a plan that removes entries from the trash for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heap:
    """What one act put there."""

    number: int
    count: int
    size: int
    changed_at: float
    """When it last got or lost an entry: where the act is not known, for its time."""


def trashed(configuration: Configuration) -> list[Trashed]:
    """Return what each act put into the trash that is still there, newest first."""
    journal = Journal(configuration.state_directory)
    keep_seconds = configuration.settings.trash.keep_seconds
    found = []
    for heap in _heaps(configuration):
        record = _record(journal, heap.number)
        at = record.at if record else 0.0
        found.append(
            Trashed(
                number=heap.number,
                verb=record.verb if record else "",
                queue=record.queue if record else "",
                at=at,
                who=record.who if record else "",
                count=heap.count,
                size=heap.size,
                expires=(at or heap.changed_at) + keep_seconds,
            )
        )
    return found


def check_room(configuration: Configuration) -> None:
    """Find out whether the trash may take more.

    Raises:
        Refused: It holds more than its limit.
    """
    if fullness := full(configuration):
        raise Refused(fullness)


def full(configuration: Configuration) -> str:
    """Return why the trash takes no more, in words; empty where it does."""
    limit = configuration.settings.trash.limit_bytes
    held = sum(heap.size for heap in _heaps(configuration))
    if held < limit:
        return ""
    return (
        f"the trash holds {held:,} bytes, and its limit is {limit:,}:"
        " empty some of it first (qtool trash)"
    )


def emptied(configuration: Configuration, plan: Plan, ongoing: Ongoing) -> ActionResult:
    """Remove entries from the trash of one act, for good."""
    heap = place(configuration, plan.queue)
    done, skipped, failed = [], [], []
    ongoing.begins(len(plan.filebases), act_of(plan.queue))
    for position, filebase in enumerate(plan.filebases):
        problem = ongoing.came_to(position)
        if problem:
            reason = NOT_TRIED + problem
            left = plan.filebases[position:]
            skipped += [Missed(filebase=each, reason=reason) for each in left]
            break
        try:
            heap.erase(filebase)
            done.append(filebase)
        except QToolError as error:
            skipped.append(Missed(filebase=filebase, reason=str(error)))
        except OSError as error:
            reason = error.strerror or str(error)
            failed.append(Missed(filebase=filebase, reason=reason))
    with suppress(OSError):  # others are in it still
        heap.queue_directory.rmdir()
    return ActionResult(
        verb=EMPTY,
        queue=plan.queue,
        done=tuple(done),
        skipped=tuple(skipped),
        failed=tuple(failed),
    )


def _heaps(configuration: Configuration) -> Iterator[_Heap]:
    """Return what is in the trash, by the act, the newest first."""
    folder = trash_folder(configuration)
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are all we need
    except FileNotFoundError:
        return
    numbers = {act_of(f"{TRASH}{name}") for name in names} - {0}
    for number in sorted(numbers, reverse=True):
        heap = _heap(folder / str(number), number)
        if heap is not None:
            yield heap


def _heap(folder: Path, number: int) -> _Heap | None:
    """Return what is in a folder; None where it is empty, gone, or no folder."""
    sizes = []
    try:
        changed_at = folder.lstat().st_mtime
        with os.scandir(folder) as found:
            for entry in found:
                with suppress(FileNotFoundError):
                    sizes.append(entry.stat(follow_symlinks=False).st_size)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not sizes:
        return None
    return _Heap(
        number=number, count=len(sizes), size=sum(sizes), changed_at=changed_at
    )


def _record(journal: Journal, number: int) -> Summary | None:
    try:
        return journal.summary(number)
    except NoSuchAct:
        return None
