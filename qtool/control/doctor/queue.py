"""What one queue's folder shows without any of its files being opened."""

from __future__ import annotations

import stat
from collections import defaultdict
from typing import TYPE_CHECKING

from qtool.control.doctor.coverage import uncovered
from qtool.control.doctor.found import Names, finding, span
from qtool.control.doctor.rights import Owner
from qtool.control.models import Finding, Severity, State
from qtool.errors import QToolError
from qtool.queues import checkup, claimants, filebase
from qtool.queues.filebase import BEGUN_SUFFIXES, PRESERVED, TAKEN
from qtool.settings import SiteKind

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from qtool.control.models import QueueRow
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

OWN_SECONDS = 600.0
"""Age from which an entry in flight is nobody's where no claim is held for it."""
THEIR_SECONDS = 3600.0
"""The same in Mailman's queues: its programs need not tell who they are."""
STUCK_SECONDS = 86400.0
"""Age from which it is nobody's although Mailman runs."""
AHEAD_SECONDS = 300.0
"""Clocks of two machines differ by less."""
OLD_SECONDS = 30 * 86400.0
"""Age from which somebody should have looked into ``bad``."""
_OLDER_SUFFIXES = (".db", ".msg")


class QueueCheck:
    """One queue's folder, looked at once.

    Args:
        configuration: The site.
        queue: The queue.
        row: How its runner stands; None where that is not known.
        now: The time, in epoch seconds.
    """

    def __init__(
        self,
        configuration: Configuration,
        queue: Switchboard,
        row: QueueRow | None,
        now: float,
    ) -> None:
        self._configuration = configuration
        self._queue = queue
        self._row = row
        self._now = now
        self._own = configuration.settings.kind is SiteKind.OWN
        self._is_mailmans = is_mailmans(configuration, row)
        self._names: dict[str, Names] = defaultdict(Names)
        self._taken: dict[str, float] = {}
        """When each entry in flight was taken, by its filebase."""
        self._begun: list[str] = []
        self._oldest_bad = now
        self._older_stems: set[str] = set()
        self._odd: list[str] = []

    def findings(self) -> list[Finding]:
        """Return what is wrong; reads the folder.

        Raises:
            FileNotFoundError: There is no folder.
            OSError: It cannot be read.
        """
        folder = self._queue.queue_directory
        owner = Owner(folder)
        for name, info in checkup.files(folder):
            self._look_at(name, info)
            if stat.S_ISREG(info.st_mode):
                owner.look_at(name, info)
        self._sort_odd()
        found = [*owner.findings(self._queue.name), *self._said(), *self._in_flight()]
        return [
            *found,
            *self._left_over(),
            *uncovered(self._configuration, self._queue),
        ]

    # --- File by file

    def _look_at(self, name: str, info: os.stat_result) -> None:
        parsed = filebase.parse(name)
        if parsed is None:
            self._odd.append(name)
            if name.endswith(_OLDER_SUFFIXES):
                self._older_stems.add(name.rpartition(".")[0])
            return
        if not stat.S_ISREG(info.st_mode):
            self._names["not-a-file"].add(name)
            return
        if parsed.suffix == TAKEN:
            self._taken[parsed.filebase] = info.st_ctime
        elif parsed.suffix in BEGUN_SUFFIXES:
            self._begun.append(name)
        elif parsed.suffix == PRESERVED and self._now - parsed.when > OLD_SECONDS:
            self._names["old-bad"].add(name)
            self._oldest_bad = min(self._oldest_bad, parsed.when)
        limit = self._now + AHEAD_SECONDS
        if info.st_mtime > limit or (
            parsed.when > limit and not self._queue.honours_due
        ):
            self._names["clock"].add(name)

    def _sort_odd(self) -> None:
        """Tell halves of the pairs of an old Mailman from names that mean nothing."""
        for name in self._odd:
            stem, _, suffix = name.rpartition(".")
            old = stem in self._older_stems and suffix in ("db", "msg", "pck")
            self._names["old-pairs" if old else "foreign-names"].add(name)

    # --- All together

    def _said(self) -> list[Finding]:
        names, queue = self._names, self._queue.name
        return [
            *finding(
                "not-a-file", Severity.WARNING, names["not-a-file"],
                "{n} name{s} of entries that {is} no files (a link, a pipe, a folder):"
                " qtool never opens {them}, and Mailman's runners would",
                "look where {it} came from, and remove {them}", queue=queue,
            ),
            *finding(
                "foreign-names", Severity.WARNING, names["foreign-names"],
                "{n} name{s} that {is} no entry's: no runner of qtool's takes {them},"
                " and one that ends in .pck ends a runner of Mailman's",
                "move {them} out of the folder, after a look at what {it} {is}",
                queue=queue,
            ),
            *finding(
                "old-pairs", Severity.WARNING, names["old-pairs"],
                "{n} file{s} of a Mailman before 2.1.5, pairs of .db and .msg or .pck:"
                " no runner takes {them} any more",
                "have the Mailman that wrote {them} process {them}", queue=queue,
            ),
            *finding(
                "clock", Severity.WARNING, names["clock"],
                "{n} entr{ies} whose time lies ahead of this machine's clock: what is"
                " older goes first, and no age of {them} is true",
                "compare the clock with another machine's (timedatectl)", queue=queue,
            ),
            *finding(
                "old-bad", Severity.NOTE, names["old-bad"],
                "{n} entr{ies} set aside more than 30 days ago, the oldest"
                f" {span(self._now - self._oldest_bad)}: nobody has looked",
                "restore or discard {them}", queue=queue,
            ),
        ]  # fmt: skip

    def _in_flight(self) -> list[Finding]:
        nobodys = self._nobodys()
        oldest = min((self._taken[name] for name in nobodys), default=self._now)
        since = span(self._now - oldest)
        if self._is_mailmans:
            return finding(
                "orphan-bak", Severity.CRITICAL, nobodys,
                f"{{n}} entr{{ies}} in flight for up to {since} (.bak), where Mailman"
                " runs: the runner that took {them} died or hangs",
                "restart Mailman: its runners put {them} back", queue=self._queue.name,
            )  # fmt: skip
        return finding(
            "orphan-bak", Severity.CRITICAL, nobodys,
            f"{{n}} entr{{ies}} in flight for up to {since} (.bak) that nobody works"
            " on: who took {them} died",
            "put {them} back into the queue", queue=self._queue.name, fixable=True,
        )  # fmt: skip

    def _nobodys(self) -> list[str]:
        return nobodys_entries(
            self._configuration,
            self._queue,
            self._taken,
            self._now - (STUCK_SECONDS if self._is_mailmans else patience(self._own)),
        )

    def _left_over(self) -> list[Finding]:
        try:
            left = checkup.left_over(
                self._queue.queue_directory, self._begun, self._now, own=self._own
            )
        except OSError:
            return []
        hands = tuple(filebase.IN_HAND.values())
        edited = [name for name in left if name.endswith(hands)]
        written = [name for name in left if not name.endswith(hands)]
        queue = self._queue.name
        return [
            *finding(
                "edit", Severity.CRITICAL, edited,
                "{n} entr{ies} in the hand of an act that was cut off (.edit): no"
                " runner takes {them}",
                "let {them} wait again", queue=queue, fixable=True,
            ),
            *finding(
                "tmp", Severity.NOTE, written,
                "{n} file{s} half written (.tmp), whose writer{s} died: what {it} {is}"
                " of was never in the queue, or is there whole",
                "remove {them}", queue=queue, fixable=True,
            ),
        ]  # fmt: skip


def is_mailmans(configuration: Configuration, row: QueueRow | None) -> bool:
    """Return whether Mailman works a queue, as far as that can be known."""
    if configuration.settings.kind is SiteKind.MAILMAN2:
        return True  # none of its programs tells that it is there
    cells = () if row is None else row.cells
    return any(cell.state is State.MAILMAN for cell in cells)


def patience(own: bool) -> float:
    """Return from which age on an entry in flight that nobody claims is nobody's."""
    return OWN_SECONDS if own else THEIR_SECONDS


def nobodys_entries(
    configuration: Configuration,
    queue: Switchboard,
    taken: dict[str, float],
    before: float,
) -> list[str]:
    """Return which entries in flight nobody works on, oldest first.

    Args:
        configuration: The site.
        queue: Their queue.
        taken: When each was taken, by its filebase.
        before: Those that were taken later may be somebody's.
    """
    old = [name for name, when in taken.items() if when < before]
    if not old:
        return []
    folder, state = queue.queue_directory, configuration.state_directory
    try:
        held = claimants.held(queue.name, folder, state)
        free = checkup.nobody_at(folder, old)
    except (QToolError, OSError):
        return []
    return filebase.in_order([name for name in free if not _is_held(name, held)])


def _is_held(name: str, held: Collection[claimants.Held]) -> bool:
    digest = int(filebase.digest_of(name), 16)
    return any(part.lower <= digest < part.upper for part in held)


def closed(queue: Switchboard, error: OSError) -> list[Finding]:
    """Return that a queue's folder cannot be read."""
    folder = queue.queue_directory
    return finding(
        "closed-folder", Severity.WARNING, [str(folder)],
        f"you may not look into this folder: {error.strerror}",
        "be who owns it, or root", queue=queue.name,
    )  # fmt: skip
