"""Setting entries aside: into ``bad``, unchanged, for a person to look at."""

from __future__ import annotations

import contextlib
import logging
import os

from qtool.queues import copying, durable, filebase
from qtool.queues.filebase import PRESERVED, WRITING
from qtool.queues.state import make_state_folder
from qtool.queues.writers import Writing

_log = logging.getLogger("qtool.queues")

_REASON_LIMIT = 4096
"""Bytes of a reason that are kept."""


class Aside:
    """The ``bad`` queue, and the reasons why each entry of it is there."""

    def __init__(self, bad: str, state_directory: str) -> None:
        self._bad = bad
        self._state = state_directory
        self._reasons = os.path.join(state_directory, "preserved")

    def preserve(self, path: str, name: str, reason: str, *, sync: bool = True) -> str:
        """Move a file into ``bad``; return the filebase that it has there.

        That is another than ``name`` only where ``bad`` has an entry of that name:
        nothing is replaced.

        Raises:
            FileNotFoundError: The file is not there any more.
        """
        durable.make_folder(self._bad)
        kept = name
        while True:
            try:
                target = f"{self._bad}/{kept}"
                with Writing(self._bad, kept):
                    copying.move_new(path, target + PRESERVED, target + WRITING)
                break
            except FileExistsError:
                kept = filebase.make(filebase.when_of(name), name.encode())
        if sync:
            durable.sync_folder(self._bad)
            durable.sync_folder(os.path.dirname(path))
        if kept != name:
            reason = f"{reason} (was {name})"
        try:
            self._write_reason(kept, reason)
        except OSError:
            # The message is safe, and that is what was asked for.
            _log.exception("%s: cannot note why it was preserved", kept)
        return kept

    def because(self, name: str) -> str:
        """Return why an entry was preserved; empty when it is not known."""
        try:
            reason = durable.read_small(f"{self._reasons}/{name}", _REASON_LIMIT)
        except OSError:
            return ""
        return reason.decode("utf-8", "replace")

    def _write_reason(self, name: str, reason: str) -> None:
        make_state_folder(self._state)
        durable.make_folder(self._reasons)
        path = f"{self._reasons}/{name}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # of an entry that has left bad since
        text = reason.encode("utf-8", "backslashreplace")[:_REASON_LIMIT]
        durable.write_new(path, text, sync=False)
