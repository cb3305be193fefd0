"""What people were told of each queue, kept from one daemon to the next."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.models import Severity, Verdict
from qtool.queues.notes import Note

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "alerts.json"

log = logging.getLogger("qtool.alert")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    """The last that was told of one queue, by the command of one configuration."""

    config: str
    queue: str
    verdict: Verdict


class Told:
    """Which queues were told to be sick, and not yet to be well.

    Args:
        folder: The state folder of the site.
        source: The configuration: each has a command of its own.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self._note = Note(folder / FILE, _Telling, layout=1)
        path = Path(source)
        self._source = str(path.resolve()) if path.is_file() else source

    def read(self) -> dict[str, Verdict]:
        """Return the last verdict that was told of each queue that is not well."""
        noted = self._note.read()
        return {one.queue: one.verdict for one in noted if one.config == self._source}

    def note(
        self, queue: str, verdict: Verdict, is_there: Callable[[str], bool]
    ) -> None:
        """Note that this was told; the log says so where it cannot be noted.

        Args:
            queue: Which it is about.
            verdict: What was told.
            is_there: Whether there is such a queue; what is noted of another goes.
        """
        try:
            with self._note.changing() as noted:
                noted[:] = [
                    one
                    for one in noted
                    if one.config != self._source
                    or (one.queue != queue and is_there(one.queue))
                ]
                if verdict.severity is not Severity.OK:
                    one = _Telling(config=self._source, queue=queue, verdict=verdict)
                    noted.append(one)
        except OSError as error:
            log.warning("a restart will tell this again: %s", error)
