"""Whether what runners say is heard: INFO records, for as long as somebody listens."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Hearing:
    """Lets INFO records through while anybody listens, in whatever thread.

    Args:
        logger: Whose level is changed for that; one that somebody has set stays.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._listeners = 0
        self._is_ours = False
        """Whether the level is set by this."""
        self._lock = threading.Lock()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for as long as this lasts."""
        with self._lock:
            self._listeners += 1
            if self._logger.level == logging.NOTSET:
                self._logger.setLevel(logging.INFO)
                self._is_ours = True
        try:
            yield
        finally:
            with self._lock:
                self._listeners -= 1
                if self._is_ours and not self._listeners:
                    self._is_ours = False
                    if self._logger.level == logging.INFO:
                        self._logger.setLevel(logging.NOTSET)


HEARING = Hearing(logging.getLogger("qtool"))
"""Of everything that qtool and its runners log."""
