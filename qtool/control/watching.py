"""An observer of folders that is made when somebody watches, and not before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qtool.queues.switchboard import Hint
    from qtool.queues.watch import Watcher


class LateWatcher:
    """Does what ``Watcher`` does.

    Importing that costs 50 ms, which commands that only look once need not pay.
    """

    def __init__(self) -> None:
        self._watcher: Watcher | None = None
        self._watching: set[object] = set()
        self._lock = threading.Lock()

    @property
    def polled(self) -> frozenset[str] | None:
        """Folders whose changes make no events; None while nobody watches."""
        with self._lock:
            watcher = self._watcher if self._watching else None
        return watcher.polled if watcher is not None else None

    def watch(
        self,
        directory: str | Path,
        callback: Callable[[Hint], None],
        *,
        urgent: bool = False,
    ) -> Callable[[], None]:
        """Call ``callback`` on changes in a folder; return how to stop it."""
        from qtool.queues.watch import Watcher

        with self._lock:
            watcher = self._watcher = self._watcher or Watcher()
            who = object()
            self._watching.add(who)
        stop = watcher.watch(directory, callback, urgent=urgent)

        def end() -> None:
            with self._lock:
                self._watching.discard(who)
            stop()

        return end

    def close(self) -> None:
        """Stop everything; no callback comes after this returns."""
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()
