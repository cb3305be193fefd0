"""When ``run --once`` has drained each queue, and so how often a timer does."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from qtool.control.verdicts.phrases import span
from qtool.queues.notes import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from qtool.control.models import DrainReport
    from qtool.control.part import Part

FILE = "drains.json"
_MOST_KEPT = 6
_FEWEST_GAPS = 2
_LONGEST_USUAL = 26 * 3600.0
"""What comes more seldom than each day comes from no timer that one can count on."""
_SHORTEST_LIMIT = 60.0
_ALONE_SECONDS = 900.0
"""For how long a drain counts that is the only one."""

log = logging.getLogger("qtool.control")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """The last drains of one queue, each to the end."""

    runner: str
    began: float
    """When the last one did, in epoch seconds."""
    ended: tuple[float, ...]
    """When the last few did, oldest first."""

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.began, *self.ended))):
            raise ValueError("there is no such time")

    @property
    def usual_seconds(self) -> float | None:
        """How far they are apart; None where no timer is to be seen."""
        gaps = sorted(after - before for before, after in pairwise(self.ended))
        if len(gaps) < _FEWEST_GAPS:
            return None
        usual = gaps[len(gaps) // 2]
        return usual if 0 < usual <= _LONGEST_USUAL else None

    def is_overdue(self, at: float) -> bool:
        """Return whether the last one is too long ago for the next to come."""
        usual = self.usual_seconds
        limit = max(2 * usual, _SHORTEST_LIMIT) if usual else _ALONE_SECONDS
        # A clock that was set back says nothing of what was before.
        return not -_SHORTEST_LIMIT <= at - self.ended[-1] <= limit

    def told(self, at: float) -> str:
        """Return in words when the last one was, and how often they come."""
        usual, seconds = self.usual_seconds, at - self.ended[-1]
        every = f", usually each {span(usual)}" if usual else ""
        when = f"{span(seconds)} ago"
        if seconds < -_SHORTEST_LIMIT:
            when = f"in {span(-seconds)} (clock?)"
        return f"last drained {when} by run --once{every}"


class Drains:
    """The drains on record at a site.

    Args:
        folder: Its state folder.
    """

    def __init__(self, folder: Path) -> None:
        self._note = Note(folder / FILE, Drained, layout=1)

    def of(self, runner: str) -> Drained | None:
        """Return the drains of a queue; None where there was none."""
        for one in self._note.read():
            if one.runner == runner and one.ended:
                return one
        return None

    def note(self, runners: Collection[str], began: float, ended: float) -> None:
        """Note that queues were drained to the end; the log says where it cannot be.

        Args:
            runners: Which.
            began: When that began, in epoch seconds.
            ended: When it ended.
        """
        if not runners:
            return
        try:
            with self._note.changing() as noted:
                before = {one.runner: one.ended for one in noted}
                noted[:] = [one for one in noted if one.runner not in runners]
                noted += [
                    Drained(runner=name, began=began,
                            ended=(*before.get(name, ()), ended)[-_MOST_KEPT:])
                    for name in runners
                ]  # fmt: skip
        except OSError as error:
            log.warning("nobody will know of this drain: %s", error)


def on_record(site: Part, drain: Callable[[], DrainReport]) -> DrainReport:
    """Drain, and note which queues were drained to the end; return what was done."""
    began = site.clock()
    report = drain()
    drains = Drains(site.configuration.state_directory)
    drains.note(report.drained, began, site.clock())
    return report
