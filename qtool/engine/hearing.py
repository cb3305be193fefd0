"""Whether what runners say is heard: INFO records, for as long as somebody listens."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_logger = logging.getLogger("qtool")


class _Listeners:
    """How many listen now, in all threads; and whether the level was changed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.number = 0
        self.raised = False


_listeners = _Listeners()


@contextmanager
def heard() -> Iterator[None]:
    """Let qtool's INFO records through; a level that somebody has set stays."""
    with _listeners.lock:
        _listeners.number += 1
        if _logger.level == logging.NOTSET:
            _logger.setLevel(logging.INFO)
            _listeners.raised = True
    try:
        yield
    finally:
        with _listeners.lock:
            _listeners.number -= 1
            if not _listeners.number and _listeners.raised:
                _listeners.raised = False
                if _logger.level == logging.INFO:
                    _logger.setLevel(logging.NOTSET)
